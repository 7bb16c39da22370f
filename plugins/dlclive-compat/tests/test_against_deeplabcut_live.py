"""Poses of deeplabcut-live 1.1.0 itself, in the environment of `nox -s parity`, beside ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

ROOT = Path(__file__).parents[3]
THEIRS = ROOT / ".nox" / "parity" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
SCRIPT = Path(__file__).with_name("deeplabcut_live_poses.py")

OPTIONS: dict[str, dict[str, Any]] = {
    "whole": {},
    "grey": {"grey": True},
    "crop": {"cropping": [20, 420, 10, 390]},
    "resize": {"resize": 0.5},
    "crop and resize": {"cropping": [20, 420, 10, 390], "resize": 0.5},
    "dynamic": {"dynamic": [True, 0.5, 30]},
    "dynamic and resize": {"dynamic": [True, 0.5, 31], "resize": 0.5},
}
"""Those where deeplabcut-live is right; the README lists the others."""
SCALED = {"dynamic and resize"}
"""Where it takes the factor, and the sides of the window are not its multiple: it is off by the rounded pixel, times 2."""


@pytest.fixture(scope="module")
def poses(
    openfield: Path, openfield_frames: list[NDArray[np.uint8]], tmp_path_factory: pytest.TempPathFactory
) -> list[dict[str, NDArray[np.float32]]]:
    """Of the same script, there and here."""
    if not THEIRS.is_file():
        pytest.skip("no deeplabcut-live 1.1.0 to compare with; run: python -m nox -s parity -- processors")
    folder = tmp_path_factory.mktemp("poses")
    frames, options = folder / "frames.npz", folder / "options.json"
    np.savez(frames, frames=np.stack(openfield_frames[:4]))
    options.write_text(json.dumps(list(OPTIONS.values())), encoding="utf-8")
    plain = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    results = []
    for python, environment in ((str(THEIRS), plain), (sys.executable, dict(os.environ))):
        target = folder / f"{len(results)}.npz"
        command = [python, str(SCRIPT), str(openfield), str(frames), str(options), str(target)]
        subprocess.run(command, check=True, env=environment, cwd=folder)
        with np.load(target) as loaded:
            results.append(dict(loaded))
    return results


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", OPTIONS)
def test_the_poses_are_the_same(poses: list[dict[str, NDArray[np.float32]]], name: str) -> None:
    theirs, ours = (results[str(list(OPTIONS).index(name))] for results in poses)
    assert ours.shape == theirs.shape
    print(name, np.abs(ours - theirs).max(axis=(0, 1)))
    np.testing.assert_allclose(ours[..., :2], theirs[..., :2], atol=2.0 if name in SCALED else 0.01)
    np.testing.assert_allclose(ours[..., 2], theirs[..., 2], atol=1e-3)
