"""A renamed option is an error that names the new one."""

import pytest
from typer.testing import CliRunner

from dlclive_core.cli import renamed
from dlclive_core.cli.app import app


@pytest.fixture
def bound_was_renamed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(renamed.RENAMED_OPTIONS, ("tune", "--bound"), "--max-error")


@pytest.mark.usefixtures("bound_was_renamed")
def test_the_error_for_an_old_option_names_the_new_one() -> None:
    result = CliRunner().invoke(app, ["tune", "mouse.onnx", "mouse.mp4", "--bound", "0.5"])
    assert result.exit_code == 2
    assert "--bound is now --max-error" in result.output


@pytest.mark.usefixtures("bound_was_renamed")
def test_the_same_option_of_another_command_is_unknown() -> None:
    result = CliRunner().invoke(app, ["info", "mouse.onnx", "--bound", "0.5"])
    assert result.exit_code == 2
    assert "No such option" in result.output
    assert "is now" not in result.output
