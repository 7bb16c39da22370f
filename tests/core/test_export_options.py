"""The options of exporters, and calibration."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dlclive_core import (
    ModelError,
    PluginCatalog,
    UsageError,
    export_model,
)
from tests.core.export_lab import (
    EXPORTS,
    NOTED,
    Rounding,
    frames,
)


@pytest.fixture
def rounding(catalog: PluginCatalog) -> PluginCatalog:
    """The same routes, but the first step can calibrate."""
    NOTED.clear()
    plugin = catalog.plugins[0]
    parts = [
        replace(part, factory=f"{Rounding.__module__}:Rounding") if part.name == "one" else part
        for part in plugin.components
    ]
    return PluginCatalog([replace(plugin, components=tuple(parts))])


@pytest.mark.parametrize("steps", [3, "3"])
def test_options_reach_the_exporter_that_has_them(rounding, begin, tmp_path: Path, steps: int | str) -> None:
    source = begin(then={"off": 0.4})
    export = export_model(
        source, tmp_path / "a.end", frames=frames(40), options={"steps": steps, "note": "all"}, catalog=rounding
    )
    assert NOTED == [(3, "all")]
    assert EXPORTS == [
        (".begin.middle", "fp32", 30),
        (".middle.end", "fp32", 30),
    ]  # three quarters of the frames, for the first step as well
    assert (export.bound_px, export.error_label) == (0.5, "at the 95th percentile of the confident keypoints")


def test_nothing_is_calibrated_without_the_option(rounding, begin, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"differs .* more than the 0\.05 px allowed"):
        export_model(begin(then={"off": 0.4}), tmp_path / "a.end", frames=frames(40), catalog=rounding)
    assert EXPORTS == [(".begin.middle", "fp32", 0), (".middle.end", "fp32", 40)]


def test_calibration_needs_frames(rounding, begin, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="calibration needs frames of the animal"):
        export_model(begin(), tmp_path / "a.middle", options={"steps": 1}, catalog=rounding)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"step": 3}, r"exporter 'one' has no option 'step': .*steps"),
        ({"steps": "many"}, r"option 'steps' of exporter 'one' takes a whole number; got 'many'"),
    ],
)
def test_wrong_options_name_the_exporter(rounding, begin, tmp_path: Path, options, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        export_model(begin(), tmp_path / "a.middle", frames=frames(), options=options, catalog=rounding)


def test_an_exporter_without_options_says_so(catalog, begin, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="exporter 'one' has no option 'steps': it has none"):
        export_model(begin(), tmp_path / "a.middle", frames=frames(), options={"steps": 3}, catalog=catalog)
