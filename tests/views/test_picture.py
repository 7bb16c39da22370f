"""The picture of two cameras on its page: readable, and the one that the script draws."""

import sys
from pathlib import Path

import pytest

from tests.svg_checks import check_picture

ROOT = Path(__file__).parents[2]


def test_the_picture_is_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    monkeypatch.delitem(sys.modules, "pictures", raising=False)
    from pictures.two_cameras import picture

    drawn = picture()
    check_picture(drawn)
    page = (ROOT / "docs" / "processors" / "two-cameras.svg").read_text(encoding="utf-8")
    check_picture(page)
    assert page.splitlines()[:8] == drawn.splitlines()[:8]  # numbers behind may differ in a last digit
