"""Session files in YAML: the settings they hold, and errors that name the file, the line and the nearest valid key."""

import json
from pathlib import Path

import pytest

from dlclive_core import ConfigurationError, UsageError
from dlclive_core.cli.live.plan import plan
from dlclive_core.cli.live.run_spec import RunSpec, SourceSpec
from dlclive_core.cli.live.session_file import read_session_file
from dlclive_core.cli.specs import ModelSpec, PartSpec, RegionSpec
from dlclive_core.models.detection import FollowingBox
from dlclive_core.plugins.specs import ComponentSpec

FULL = """\
# a rig
source:
  mouse: {seed: 3, size: [160, 120]}
model:
  path: mouse.onnx
  device: cpu
  detect_every: 3
  follow: true
processors:
  - kalman: {horizon: 0.02}
  - region:polygon=[[0,0],[9,0],[9,9]],keypoint=snout
sinks:
  - tables: mouse.h5
  - display
  - tables:
      path: mouse.csv
      overwrite: yes
regions:
  cropping: [0, 100, 0, 80]
  dynamic: 0.5, 20
  resize: 0.5
limits: {max_frames: 100, seconds: 2.5}
out: here
overwrite: true
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "rig.yaml"
    path.write_text(text)
    return path


def test_a_session_file_holds_all_settings(tmp_path: Path) -> None:
    spec = read_session_file(write(tmp_path, FULL))
    (source,) = spec.sources
    assert source.part.spec == ComponentSpec("mouse", None, (("seed", "3"), ("size", "[160,120]")))
    assert (spec.model.path, spec.model.device) == ("mouse.onnx", "cpu")
    assert (spec.model.detection.detect_every, spec.model.detection.follow) == (3, FollowingBox())
    assert [part.text for part in spec.processors] == [
        "kalman:horizon=0.02", "region:polygon=[[0,0],[9,0],[9,9]],keypoint=snout",
    ]  # fmt: skip
    assert [part.text for part in spec.sinks] == ["tables:mouse.h5", "display", "tables:path=mouse.csv,overwrite=yes"]
    assert spec.sinks[2].where == f"{tmp_path / 'rig.yaml'}:15"
    assert spec.sinks[2].lines["overwrite"] == f"{tmp_path / 'rig.yaml'}:17"
    assert spec.regions == RegionSpec(cropping=(0, 100, 0, 80), dynamic=(0.5, 20.0), resize=0.5)
    assert (spec.max_frames, spec.seconds, spec.out, spec.overwrite) == (100, 2.5, Path("here"), True)


def test_both_notations_of_a_component_are_equivalent(tmp_path: Path) -> None:
    long = read_session_file(write(tmp_path, "processors: [kalman: {horizon: 0.02}]")).processors[0]
    short = read_session_file(write(tmp_path, "processors: ['kalman:horizon=0.02']")).processors[0]
    assert long.spec == short.spec == PartSpec.parse("kalman:horizon=0.02").spec


def test_the_command_line_overrides_settings_and_adds_sinks(tmp_path: Path) -> None:
    spec = read_session_file(write(tmp_path, FULL)).with_more(
        RunSpec(
            sources=(SourceSpec.parse("camera:0"),),
            models=("other.onnx",),
            model=ModelSpec(device="cuda"),
            regions=RegionSpec(resize=0.25),
            sinks=(PartSpec.parse("memory"),),
            max_frames=5,
        )
    )
    (session,) = plan(spec)
    assert (session.source.text, session.name, session.has_own_name) == ("camera:0", "camera-0", False)
    assert (session.model.path, session.model.device, session.model.detection.detect_every) == ("other.onnx", "cuda", 3)
    assert session.regions == RegionSpec(cropping=(0, 100, 0, 80), dynamic=(0.5, 20.0), resize=0.25)
    assert [part.text for part in spec.sinks][-2:] == ["tables:path=mouse.csv,overwrite=yes", "memory"]
    assert (spec.max_frames, spec.seconds) == (5, 2.5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("source: mouse\nmodle: m.onnx\n", "rig.yaml:2: a session has no 'modle': did you mean 'model'?"),
        ("model:\n  path: m.onnx\n  devise: cpu\n", "rig.yaml:3: model has no 'devise': did you mean 'device'?"),
        ("limits:\n  max_frames: ten\n", "rig.yaml:2: max_frames takes a whole number; got 'ten'"),
        ("limits:\n  seconds: -1\n", "rig.yaml:2: seconds must be above 0; got -1.0"),
        ("limits: 5\n", "rig.yaml:1: limits must be written as key: value; got '5'"),
        ("sinks:\n  tables: out.h5\n", "rig.yaml:2: sinks must be a list, one line with '- ' per item"),
        (
            "sinks:\n- tables:\n  path: out.h5\n",
            "rig.yaml:3: an item of sinks must be one component, written name: options; got tables, path",
        ),
        ("source: mouse\nsource: mouse\n", "rig.yaml:2: a session has 'source' twice"),
        ("source: mouse\nmodel: [\n", "rig.yaml:3: not valid YAML: "),
        ("source: !!python/object/apply:os.system ['touch canary']\n", "rig.yaml:1: "),
        (
            "source:\n  mouse:\n    seed: !!python/name:os.system x\n",
            "rig.yaml:3: the tag tag:yaml.org,2002:python/name",
        ),
        ("model:\n  path: m\n  min_score: 3\n", "rig.yaml:2: min_score must be a confidence between 0 and 1"),
        ("regions:\n  cropping: [1, 2, 3]\n", "rig.yaml:2: cropping takes x1,x2,y1,y2"),
        ("regions:\n  resize: 0\n", "rig.yaml:2: "),
        ("processors:\n  - kalman: &a {horizon: *a}\n", "rig.yaml:2: "),
        ("", "is empty"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, text)
    with pytest.raises(ConfigurationError) as caught:
        read_session_file(Path("rig.yaml"))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "canary").exists()


def test_a_missing_session_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        read_session_file(tmp_path / "gone.yaml")


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("source: mouse\nmodel: MODEL\nprocessors:\n  - kalman:\n      horizn: 0.02\n", 3,
         "rig.yaml:5: processor 'kalman' has no option 'horizn': did you mean 'horizon'?"),
        ("source: mouse\nmodel: MODEL\nprocessors:\n  - kalman: {horizon: soon}\n", 3,
         "rig.yaml:4: option 'horizon' of processor 'kalman' takes a number; got 'soon'"),
        ("source: mouse\nmodel: MODEL\nprocessors:\n  - kalmann\n", 3,
         "rig.yaml:4: no processor 'kalmann': did you mean 'kalman'?"),
        ("source:\n  mouse:\n    fps: 0\nmodel: MODEL\n", 3,
         "rig.yaml:2: source 'mouse': frames must be at least 1, seed at least 0"),
        ("source: mose\nmodel: MODEL\n", 4, "rig.yaml:1: no source 'mose'"),
        ("source: mouse\nmodel: gone.onnx\n", 3, "rig.yaml:2: no such file or folder: gone.onnx"),
        ("source: mouse\n", 3, "rig.yaml has no model: add a line such as model: mouse.onnx"),
        ("model: MODEL\n", 3, "rig.yaml has no source: add a line such as source: camera:0"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("command", ["check", "run"])
def test_component_errors_name_the_line(dlclive, model, tmp_path, command, text, code, message) -> None:
    pytest.importorskip("dlclive_processors", reason="needs dlclive-processors")
    write(tmp_path, text.replace("MODEL", str(model)))
    done = dlclive(command, "rig.yaml")
    assert (done.code, done.out) == (code, "")
    assert message in done.error
    assert {path.name for path in tmp_path.iterdir()} == {"rig.yaml"}


CHECKED = """\
source: camera:0
model: MODEL
processors:
  - kalman: {horizon: 0.02, on_error: skip}
sinks:
  - canary: opened.txt
  - tables: mouse.h5
regions: {resize: 0.5}
limits: {seconds: 3}
"""


def test_check_shows_the_session_without_opening_it(dlclive, model, lab, tmp_path) -> None:
    pytest.importorskip("dlclive_cameras", reason="needs dlclive-cameras")
    pytest.importorskip("dlclive_processors", reason="needs dlclive-processors")
    write(tmp_path, CHECKED.replace("MODEL", str(model)))
    done = dlclive("check", "rig.yaml", PYTHONPATH=lab)
    assert done.code == 0, done.err
    for text in ("camera:0", "live", "onnx on auto", "kalman:horizon=0.02", "tables:mouse.h5", "Resize", "3 seconds"):
        assert text in done.out
    assert {path.name for path in tmp_path.iterdir()} == {"rig.yaml"}
    assert json.loads(dlclive("check", "rig.yaml", "--json", PYTHONPATH=lab).out)["sessions"][0]["runtime"] == "onnx"


def test_a_session_file_runs(dlclive, model, tmp_path) -> None:
    pytest.importorskip("dlclive_io", reason="needs dlclive-io")
    text = "source: {mouse: {seed: 3}}\nmodel: {path: MODEL, device: cpu}\nsinks:\n- tables: m.csv\nout: here\n"
    write(tmp_path, text.replace("MODEL", str(model)))
    done = dlclive("run", "rig.yaml", "--max-frames", 10, "--json")
    assert done.code == 0, done.err
    values = json.loads(done.out)
    assert values["options"]["file"] == "rig.yaml"
    assert values["options"]["max_frames"] == 10
    assert values["report"]["frames_read"] == 10
    assert {path.name for path in (tmp_path / "here").iterdir()} == {"latency.svg", "m.csv", "run.json"}
