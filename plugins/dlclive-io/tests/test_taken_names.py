"""Eight processes in one folder: the same name goes to one of them, and names of their own to all."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from dlclive_io.output_file import OutputFile
from dlclive_io.tables.pose_table import PoseTable

from dlclive_core import Estimate, Frame, ModelCard, OutputExistsError, Pose, Skeleton
from dlclive_core.testing import run_info

PROCESSES = 8
SKELETON = Skeleton(("nose",))
CARD = ModelCard(net_type="test", skeleton=SKELETON)

SCRIPT = """
    import sys
    from pathlib import Path
    import numpy as np
    from dlclive_core import Estimate, Frame, ModelCard, OutputExistsError, Pose, Skeleton
    from dlclive_core.testing import run_info
    from dlclive_io.tables.pose_table import PoseTable

    skeleton = Skeleton(("nose",))
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        with PoseTable(Path({path!r})) as sink:
            sink.open(run_info(ModelCard(net_type="test", skeleton=skeleton)))
            for number in range(20):
                pose = Pose(np.full((1, 1, 3), {value}, np.float32), skeleton)
                sink.write(Estimate(Frame(np.zeros((4, 4), np.uint8), number, 0.0), pose, 0.0, 0.0, 0.0))
            sink.finish()
    except OutputExistsError as error:
        print("refused:", error)
    else:
        print("written")
"""


def _at_once(paths: list[Path]) -> list[str]:
    """Write a table to each path, all at the same moment; what each process said."""
    running = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(SCRIPT).format(path=str(path), value=value)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for value, path in enumerate(paths)
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return [process.communicate(timeout=120)[0].strip() for process in running]


def _value(path: Path) -> set[float]:
    table = pd.read_hdf(path) if path.suffix == ".h5" else pd.read_csv(path, header=[0, 1, 2], index_col=0)
    assert len(table) == 20
    return set(table.to_numpy().ravel().tolist())


@pytest.mark.parametrize("suffix", [".h5", ".csv"])
def test_one_name_for_eight_processes(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"poses{suffix}"
    outputs = _at_once([path] * PROCESSES)
    (winner,) = [number for number, text in enumerate(outputs) if text == "written"]
    assert all("another run is writing" in text or "exists" in text for text in outputs if text != "written")
    assert _value(path) == {float(winner)}
    assert list(tmp_path.iterdir()) == [path]


def test_eight_names_for_eight_processes(tmp_path: Path) -> None:
    paths = [tmp_path / f"poses-{number}.{'h5' if number % 2 else 'csv'}" for number in range(PROCESSES)]
    assert _at_once(paths) == ["written"] * PROCESSES
    assert [_value(path) for path in paths] == [{float(number)} for number in range(PROCESSES)]
    assert sorted(tmp_path.iterdir()) == sorted(paths)


@pytest.mark.parametrize("suffix", [".h5", ".csv"])
def test_a_file_that_appears_while_a_table_is_written_stays(tmp_path: Path, suffix: str) -> None:
    """And so does the table, under the name that it had."""
    path = tmp_path / f"poses{suffix}"
    with PoseTable(path) as sink:
        sink.open(run_info(CARD))
        pose = Pose(np.ones((1, 1, 3), np.float32), SKELETON)
        sink.write(Estimate(Frame(np.zeros((4, 4), np.uint8), 0, 0.0), pose, 0.0, 0.0, 0.0))
        path.write_text("precious")
        with pytest.raises(OutputExistsError, match=rf"written by another program meanwhile: .*poses\{suffix}\.part"):
            sink.finish()
    assert path.read_text() == "precious"
    (part,) = sink.outputs
    assert part.name == f"poses{suffix}.part"
    assert part.stat().st_size > 0


def test_a_name_is_looked_at_again_once_the_lock_is_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another run may have finished its file in between."""
    output = OutputFile(tmp_path / "poses.csv", (".csv",), overwrite=False)
    acquire = output._lock.acquire

    def late() -> bool:
        (tmp_path / "poses.csv").write_text("finished")
        return acquire()

    monkeypatch.setattr(output._lock, "acquire", late)
    with pytest.raises(OutputExistsError, match="exists"):
        output.begin()
    assert [path.name for path in tmp_path.iterdir()] == ["poses.csv"]
