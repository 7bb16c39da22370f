"""What a killed process leaves of its tables, and how much memory long ones take."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from dlclive_io.recovery.recover import recover

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL and the resource module")

SCRIPT = """
    import resource, time
    from pathlib import Path
    import numpy as np
    from dlclive_core import Estimate, Frame, ModelCard, Pose, Skeleton
    from dlclive_core.testing import run_info
    from dlclive_io.tables.pose_table import PoseTable

    skeleton = Skeleton(tuple(f"k{{number}}" for number in range(20)))
    image = np.zeros((4, 4), np.uint8)

    def write(sink, number):
        pose = Pose(np.full((1, 20, 3), number, np.float32), skeleton)
        sink.write(Estimate(Frame(image, number, 0.0), pose, 0.0, 0.0, 0.0))

    sink = PoseTable(Path({path!r}))
    sink.open(run_info(ModelCard(net_type="test", skeleton=skeleton)))
"""
KILLED = """
    for number in range(1000):
        write(sink, number)
    time.sleep(0.3)
    write(sink, 1000)
    print("written", flush=True)
    time.sleep(60)
"""
LONG = """
    for number in range(40_000):
        write(sink, number)
        if number == 10_000:
            early = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sink.finish()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - early)
"""


def _script(path: Path, end: str) -> list[str]:
    return [sys.executable, "-c", textwrap.dedent(SCRIPT).format(path=str(path)) + textwrap.dedent(end)]


@pytest.mark.parametrize("suffix", [".h5", ".csv"])
def test_a_killed_run_leaves_a_table_that_can_be_finished(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"poses{suffix}"
    with subprocess.Popen(_script(path, KILLED), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        os.kill(process.pid, signal.SIGKILL)
    assert not path.exists()
    (recovered,) = recover(tmp_path).files
    assert (recovered.path, recovered.kind, recovered.rows, recovered.error) == (path, "poses", 1001, "")
    table = pd.read_hdf(path) if suffix == ".h5" else pd.read_csv(path, header=[0, 1, 2], index_col=0)
    np.testing.assert_array_equal(table.to_numpy()[:, 0], np.arange(1001))


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".h5", ".csv"])
def test_memory_does_not_grow_with_the_run(tmp_path: Path, suffix: str) -> None:
    """The rows behind the first 10,000 are 14 MB of float64."""
    done = subprocess.run(
        _script(tmp_path / f"poses{suffix}", LONG), capture_output=True, text=True, check=True, timeout=120
    )
    assert int(done.stdout) < 6000  # kB
