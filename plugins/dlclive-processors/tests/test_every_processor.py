"""Every processor of the package, with poses that no model returns and times that no camera tells."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from dlclive_processors import plugin

from dlclive_core import Frame, PluginCatalog, Pose, ProcessorInfo, RunInfo
from dlclive_core.plugins.catalog import Plugin
from dlclive_core.plugins.specs import build_component

COUNT = int(os.environ.get("DLCLIVE_POSES", "400"))
"""Poses for each; 100,000 take a few minutes each."""
CORNER = "[[0,0],[320,0],[320,480],[0,480]]"
SPECS = {
    "all": "all:of=[{speed:threshold=10},{region:polygon=" + CORNER + ",keypoint=snout}]",
    "angle": "angle:a=snout,b=left_ear,c=tail_base,below=90",
    "any": "any:of=[{speed:threshold=10},{distance:below=50,a=snout,b=tail_base}]",
    "distance": "distance:below=50,between_animals=true",
    "exponential": "exponential",
    "freezing": "freezing:speed=5",
    "heading": "heading:tail=tail_base,nose=snout,toward=[0,0]",
    "kalman": "kalman:horizon=0.05",
    "median": "median",
    "not": "not:of={speed:threshold=10}",
    "one-euro": "one-euro",
    "outliers": "outliers:max_speed=2000",
    "region": f"region:polygon={CORNER},keypoint=snout",
    "rule": "rule:snout.y < tail_base.y - 20 and speed(snout) < 5 or distance(left_ear, right_ear) > 3",
    "sequence": "sequence:of=[{speed:threshold=10},{freezing:speed=5,seconds=0.02}],within=1",
    "speed": "speed:threshold=300",
    "track": "track:animals=3",
}
PASSES = {"all", "angle", "any", "distance", "freezing", "heading", "not", "region", "rule", "sequence", "speed"}
"""Triggers return the pose itself."""
TESTED_ELSEWHERE = {
    "classifier": "needs a network: test_classifier.py",
    "deeplabcut-live": "needs a user's file: test_processor_file.py",
    "jump-led": "needs a board: test_example_boards.py",
    "led": "needs a board: test_led_latency.py",
    "lick-led": "needs a board: test_example_boards.py",
    "stimulate": "needs a port: test_stimulate.py",
    "teensy-laser": "needs a board: test_teensy_laser.py",
}


@pytest.fixture(scope="module")
def catalog() -> PluginCatalog:
    components = (*plugin.dlclive_register_processors(), *plugin.dlclive_register_outputs())
    own = Plugin(
        name="processors", distribution="dlclive-processors", version="1", status="ready", components=components
    )
    return PluginCatalog([own])


def test_none_is_forgotten(catalog: PluginCatalog) -> None:
    names = {info.name for info in catalog.components(ProcessorInfo)}
    assert names == SPECS.keys() | TESTED_ELSEWHERE.keys()
    here = Path(__file__).parent
    assert [why for why in TESTED_ELSEWHERE.values() if not (here / why.rpartition(" ")[2]).exists()] == []


@pytest.mark.parametrize("is_live", [True, False])
@pytest.mark.parametrize("name", SPECS)
def test_nothing_raises_and_no_pose_is_invalid(
    name: str,
    is_live: bool,
    catalog: PluginCatalog,
    make_run: Callable[..., RunInfo],
    hostile_poses: Callable[..., Iterator[tuple[Pose, Frame]]],
) -> None:
    with build_component(catalog, ProcessorInfo, SPECS[name]) as processor:
        run = make_run(is_live=is_live, fps=None)
        processor.open(run)
        for pose, frame in hostile_poses(COUNT, seed=len(name)):
            run.clock.posed_at = frame.captured_at + 0.01
            result = processor.process(pose, frame)
            assert result.skeleton == pose.skeleton
            if name in PASSES:
                assert result is pose
            elif name != "track":  # filters: no confidence in a place that is none, unless the model says so itself
                nowhere, unheard = (~np.isfinite(each.positions).all(axis=2) for each in (result, pose))
                assert not (nowhere & ~unheard & (result.confidence > 0)).any()
            else:
                rows = {row.tobytes() for row in pose.keypoints}
                seen = result.keypoints[(result.confidence > 0).any(axis=1)]
                assert all(row.tobytes() in rows for row in seen)
