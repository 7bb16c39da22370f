"""What holds for every installed format: it recognises its own files alone, keeps positions, and survives a kill as a sink."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from dlclive_formats.session.recover import recover

from dlclive_core import (
    FormatInfo,
    PluginCatalog,
    SinkInfo,
    TableFormat,
    convert_poses,
)
from dlclive_core.testing import TableFormatContract

CATALOG = PluginCatalog.installed()
FORMATS = {info.name: info for info in CATALOG.components(FormatInfo) if info.writes}
SINKS = {info.name: FORMATS[info.name] for info in CATALOG.components(SinkInfo) if info.name in FORMATS}


class TestContract(TableFormatContract):
    @pytest.fixture(params=FORMATS)
    def name(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.fixture
    def format(self, name: str) -> TableFormat:
        self.suffix = FORMATS[name].suffixes[0]
        return CATALOG.build(FormatInfo, name)

    def test_no_other_format_recognises_its_file(self, name: str, format: TableFormat, written: Path) -> None:
        assert [other for other in FORMATS if CATALOG.build(FormatInfo, other).recognizes(written)] == [name]

    def test_it_becomes_a_deeplabcut_table(self, name: str, format: TableFormat, written: Path, tmp_path: Path) -> None:
        result = convert_poses(written, tmp_path / "table.csv", catalog=CATALOG)
        assert (result.read_as, result.frames, result.keypoints) == (name, 300, 3)
        lines = (tmp_path / "table.csv").read_text().splitlines()
        header = next(number for number, line in enumerate(lines) if line.startswith("coords,"))
        assert header == 2  # a single-animal project stays one
        assert len(lines) == header + 1 + 300


KILLED = """
    import time
    from dataclasses import replace
    from pathlib import Path
    import numpy as np
    from dlclive_core import Estimate, Frame, ModelCard, PluginCatalog, Pose, SinkInfo, Skeleton
    from dlclive_core.testing import run_info

    skeleton = Skeleton(("nose", "tail"), ((0, 1),))
    run = replace(run_info(ModelCard(net_type="test", skeleton=skeleton), is_live=True), started_clock=0.0)
    catalog, sinks = PluginCatalog.installed(), []
    for name, path in {paths!r}.items():
        sinks.append(catalog.build(SinkInfo, name, Path(path)))
        sinks[-1].open(run)
    for number in range(101):
        if number == 100:
            time.sleep(0.3)
        pose = Pose(np.full((1, 2, 3), number / 200 + 0.25, np.float32), skeleton)
        for sink in sinks:
            sink.write(Estimate(Frame(np.zeros((4, 4), np.uint8), number, number / 50), pose, 0.0, 0.0, 0.0))
    print("written", flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_the_files_of_all_sinks_are_written_after_a_kill(tmp_path: Path) -> None:
    paths = {name: str(tmp_path / f"mouse{info.suffixes[0]}") for name, info in SINKS.items()}
    script = textwrap.dedent(KILLED).format(paths=paths)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        os.kill(process.pid, signal.SIGKILL)
    files = recover(tmp_path).files
    assert [(file.error, file.rows) for file in files] == [("", 101)] * len(SINKS)
    assert {str(file.path) for file in files} == set(paths.values())
    for name, path in paths.items():
        back = CATALOG.build(FormatInfo, name).read(Path(path))
        values = np.concatenate([rows.flat() for rows in back.blocks()])
        np.testing.assert_allclose(values, np.repeat(np.arange(101)[:, None] / 200 + 0.25, 6, axis=1), atol=1e-4)
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(
        [*(Path(path).name for path in paths.values()), "run.json"]
    )
