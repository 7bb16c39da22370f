"""Sinks whose file cannot grow: one line that says so, no dead process, and what was written can be read.

The limit on the size of files stands for a full disk; it needs no rights and no file system of its own.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from dlclive_io.recovery.recover import recover
from dlclive_io.video.video_file import VideoFile

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits of the size of files are POSIX")

LIMIT = 1_500_000  # bytes

SCRIPT = """
    import resource
    from pathlib import Path
    import numpy as np
    from dlclive_core import DataError, Estimate, Frame, ModelCard, Pose, Skeleton
    from dlclive_core.testing import run_info
    from dlclive_io.video.labelled_video import LabelledVideo
    from dlclive_io.tables.pose_table import PoseTable
    from dlclive_io.tables.timestamp_table import TimestampTable

    skeleton = Skeleton(tuple(f"k{{number}}" for number in range(20)))
    pose = Pose(np.ones((1, 20, 3), np.float32), skeleton)
    images = np.random.default_rng(0).integers(0, 255, (10, 64, 64, 3), dtype=np.uint8)
    sink = {sink}(Path({path!r}))
    resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
    try:
        with sink:
            sink.open(run_info(ModelCard(net_type="test", skeleton=skeleton)))
            for number in range(40_000):
                sink.write(Estimate(Frame(images[number % 10], number, 0.0), pose, 0.0, 0.0, 0.0))
            sink.finish()
    except DataError as error:
        print("DataError:", error)
    print("alive")
"""


@pytest.mark.parametrize(
    ("sink", "name"),
    [
        ("PoseTable", "poses.csv"),
        ("PoseTable", "poses.h5"),
        ("TimestampTable", "times.csv"),
        ("LabelledVideo", "labelled.mp4"),
        ("LabelledVideo", "labelled.mkv"),
    ],
)
def test_file_that_cannot_grow(films: Any, tmp_path: Path, sink: str, name: str) -> None:
    path = tmp_path / name
    script = textwrap.dedent(SCRIPT).format(sink=sink, path=str(path), limit=LIMIT)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 2, done.stdout
    assert lines[0].startswith(f"DataError: cannot write {path}: ")
    assert "too large" in lines[0].lower()
    assert lines[1] == "alive"
    assert not path.exists()
    part = path.with_name(path.name + ".part")
    assert LIMIT // 3 < part.stat().st_size <= LIMIT
    if path.suffix == ".csv":
        assert len(pd.read_csv(part, on_bad_lines="skip")) > 1000
    elif path.suffix == ".h5":
        assert len(pd.read_hdf(part)) > 1000
    else:
        assert len(films.read(VideoFile(part))) > 100
    (recovered,) = recover(tmp_path).files
    assert (recovered.error, recovered.path) == ("", path)
    assert recovered.rows > 100
    if path.suffix == ".h5":
        assert len(pd.read_hdf(path)) == recovered.rows
