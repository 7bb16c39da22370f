"""A third-party package is installed, listed, and used from Python and the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.thirdparty.conftest import Environment

HERE = Path(__file__).resolve().parent
PACKAGE = HERE / "lab-reward"

TEN_LINES = """
from dlclive_core import PluginCatalog, ProcessorInfo, Session
from dlclive_core.testing import BlobModel, BlobSource

gate = PluginCatalog.installed().build(ProcessorInfo, "speed-gate", limit=400.0, keypoint="k0")
source = BlobSource(frames=30)
way = source.truth(11)[0] - source.truth(10)[0]  # between two frames, 1/100 s apart
report = Session(source=source, model=BlobModel(), processors=[gate], sinks=[]).run()
print(report.processed, gate.darts, (way[0] ** 2 + way[1] ** 2) ** 0.5 * source.fps > 400)
"""

MAKE_VIDEO = """
import sys
import av
import numpy as np

with av.open(sys.argv[1], "w") as file:
    stream = file.add_stream("mpeg4", rate=30)
    stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
    for number in range(20):
        image = np.full((240, 320, 3), 90, np.uint8)
        image[100:140, 40 + 8 * number : 90 + 8 * number] = 200
        file.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
    file.mux(stream.encode())
"""


def test_the_package_is_listed(environment: Environment, tmp_path: Path) -> None:
    done = environment.run("dlclive", "plugins", "list", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    listed = {plugin["name"]: plugin for plugin in json.loads(done.stdout)}
    assert set(listed) == {"builtin", "lab-reward"}
    plugin = listed["lab-reward"]
    assert (plugin["status"], plugin["version"], plugin["error"]) == ("ready", "1.2.0", "")
    assert [component["name"] for component in plugin["components"]] == ["speed-gate"]


def test_plugins_check_imports_all_its_components(environment: Environment, tmp_path: Path) -> None:
    done = environment.run("dlclive", "plugins", "check", "lab-reward", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_processor_is_used_in_ten_lines_of_python(environment: Environment, tmp_path: Path) -> None:
    """Every disc always moves faster than the limit, which counts as one dart from the second frame on."""
    script = tmp_path / "ten_lines.py"
    script.write_text(TEN_LINES)
    done = environment.run("python", "-W", "error", str(script), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["30", "1", "True"]


def test_the_package_passes_its_own_tests(environment: Environment, tmp_path: Path) -> None:
    """They inherit the contract from the installed core."""
    done = environment.run(
        "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", str(PACKAGE / "tests"), cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed.group(1)) >= 10


def test_the_code_in_its_readme_runs(environment: Environment, tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (PACKAGE / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    for block in blocks:
        done = environment.run("python", "-c", block, cwd=tmp_path)
        assert done.returncode == 0, done.stderr


def test_the_error_for_a_wrong_option_suggests_the_nearest(environment: Environment, tmp_path: Path) -> None:
    code = (
        "from dlclive_core import PluginCatalog, ProcessorInfo\n"
        "PluginCatalog.installed().build(ProcessorInfo, 'speed-gate', limits=400)"
    )
    done = environment.run("python", "-c", code, cwd=tmp_path)
    assert done.returncode == 1
    assert "processor 'speed-gate' has no option 'limits': did you mean 'limit'?" in done.stderr


@pytest.mark.slow
def test_the_processor_is_used_on_the_command_line(full_environment: Environment, tmp_path: Path) -> None:
    """With a model and a video; two more packages provide the runtime and the file formats. Its log is relative to --out."""
    run = full_environment.run
    video = tmp_path / "video.mp4"
    done = run("python", "-c", MAKE_VIDEO, str(video), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    find = "import dlclive_core, pathlib; print(pathlib.Path(dlclive_core.__file__).parent / 'demo' / 'mouse.onnx')"
    model = run("python", "-c", find, cwd=tmp_path).stdout.strip()
    assert Path(model).is_file(), "the demo model is not in the wheel"

    gate = "speed-gate:limit=1,min_confidence=0,keypoint=snout,log=darts.csv"
    done = run("dlclive", "analyze", model, str(video), "--out", "out", "--processor", gate, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "out").glob("*.h5"))) == 1
    assert not (tmp_path / "darts.csv").exists()
    lines = (tmp_path / "out" / "darts.csv").read_text().splitlines()
    assert lines[0] == "frame,seconds,speed"
    assert len(lines) > 1
