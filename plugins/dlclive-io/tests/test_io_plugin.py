"""The plugin as the catalogue sees it."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from dlclive_core import PluginCatalog, SinkInfo, SourceInfo, UsageError

HEAVY = ("av", "cv2", "pandas", "tables", "colorcet", "starlette", "uvicorn")


def test_listing_imports_nothing_heavy() -> None:
    script = f"import sys, dlclive_io.plugin; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def _catalog() -> PluginCatalog:
    catalog = PluginCatalog.installed()
    if "io" not in {plugin.name for plugin in catalog.plugins}:
        pytest.skip("dlclive-io is not installed, only importable")
    return catalog


def test_is_ready_and_builds_what_it_names(tmp_path: Path) -> None:
    catalog = _catalog()
    (plugin,) = (plugin for plugin in catalog.plugins if plugin.name == "io")
    if all(map(find_spec, ("starlette", "uvicorn"))):
        assert (plugin.status, plugin.error) == ("ready", "")
        catalog.build(SinkInfo, "web", port=0)
    else:
        assert plugin.error.endswith("run: pip install starlette uvicorn")
    catalog.build(SourceInfo, "video", tmp_path / "a.mp4")
    catalog.build(SourceInfo, "images", tmp_path, pattern="*.png")
    catalog.build(SinkInfo, "tables", tmp_path / "a.h5", overwrite=True)
    catalog.build(SinkInfo, "timestamps", tmp_path / "a.csv")
    catalog.build(SinkInfo, "video", tmp_path / "a.mp4", pcutoff=0.3, names=True)
    assert list(tmp_path.iterdir()) == []  # a constructor touches nothing


def test_an_unknown_option_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'colormap'"):
        _catalog().build(SinkInfo, "video", tmp_path / "a.mp4", colourmap="fire")
