"""Several sources in YAML and on the command line: their names, models, processors, sinks and files."""

import json
from pathlib import Path

import pytest

from dlclive_core import ConfigurationError, UsageError
from dlclive_core.cli.live.parts import output_path
from dlclive_core.cli.live.plan import name_of, plan
from dlclive_core.cli.live.run_spec import RunSpec, SourceSpec
from dlclive_core.cli.live.session_file import read_session_file
from dlclive_core.cli.specs import ModelSpec, PartSpec, RegionSpec

RIG = """\
model: {path: shared.onnx, device: cpu}
sources:
  - camera:0
  - basler: {serial: 24060123}
  - name: top
    source: {mouse: {seed: 3}}
    model: {path: own.onnx, precision: fp16}
    processors:
      - region:polygon=[[0,0],[9,0],[9,9]],keypoint=snout
    sinks: [tables: top.csv]
    regions: {resize: 0.5}
processors:
  - kalman: {horizon: 0.02}
sinks:
  - tables: mouse.h5
regions: {cropping: [0, 100, 0, 80]}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "rig.yaml"
    path.write_text(text)
    return path


def test_each_source_of_a_session_file_gets_its_own_settings(tmp_path: Path) -> None:
    first, second, third = plan(read_session_file(write(tmp_path, RIG)))
    assert [session.name for session in (first, second, third)] == ["camera-0", "basler-24060123", "top"]
    assert first.model == second.model
    assert [session.model_number for session in (first, second, third)] == [0, 0, 3]
    assert (first.model.path, third.model.path, third.model.precision) == ("shared.onnx", "own.onnx", "fp16")
    assert [(part.text, part.mark) for part in first.sinks] == [("tables:mouse.h5", "_camera-0")]
    assert [(part.text, part.mark) for part in third.sinks] == [("tables:mouse.h5", "_top"), ("tables:top.csv", "")]
    assert [part.text.partition(":")[0] for part in third.processors] == ["kalman", "region"]
    assert (first.regions.cropping, first.regions.resize) == ((0, 100, 0, 80), None)
    assert (third.regions.cropping, third.regions.resize) == (None, 0.5)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("camera:0", "camera-0"),
        ("basler:serial=24060123", "basler-24060123"),
        ("mouse", "mouse"),
        ("mouse:seed=3,fps=60", "mouse-3-60"),
        ("clip.mp4", "clip"),
        ("videos/open field.mp4", "open-field"),
        ("video:videos/clip.mp4,realtime=true", "clip"),
        ("rtsp://rig:secret@10.0.0.5/live", "rtsp-10.0.0.5-live"),
        ("camera:rtsp://rig:secret@10.0.0.5/live", "camera-rtsp-10.0.0.5-live"),
        ("a, b.mp4", "a-b"),
    ],
)
def test_source_names_are_derived_from_their_specs(text: str, name: str) -> None:
    assert name_of(PartSpec.source(text)) == name


def test_a_source_may_be_prefixed_with_its_name_unless_that_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    left = SourceSpec.parse("left=camera:0")
    assert (left.name, left.part.text) == ("left", "camera:0")
    url = SourceSpec.parse("rtsp://10.0.0.5/live?a=b")
    assert (url.name, url.part.text) == ("", "rtsp://10.0.0.5/live?a=b")
    Path("left=1.mp4").touch()
    file = SourceSpec.parse("left=1.mp4")
    assert (file.name, file.part.text) == ("", "left=1.mp4")


def test_passwords_do_not_reach_the_record() -> None:
    spec = RunSpec(sources=(SourceSpec.parse("left=rtsp://rig:secret@10.0.0.5/live"),))
    assert "secret" not in json.dumps(spec.to_dict())


@pytest.mark.parametrize(
    ("path", "mark", "expected"),
    [
        ("mouse.h5", "", "out/mouse.h5"),
        ("mouse.h5", "_left", "out/mouse_left.h5"),
        ("{source}/a.h5", "_left", "out/left/a.h5"),
        ("{source}.h5", "", "out/left.h5"),
        ("deep/mouse", "_left", "out/deep/mouse_left"),
    ],
)
def test_output_paths_include_the_source_name(path: str, mark: str, expected: str) -> None:
    assert output_path(Path(path), folder=Path("out"), source="left", mark=mark) == Path(expected)


def test_the_command_line_replaces_sources_by_name(tmp_path: Path) -> None:
    spec = read_session_file(write(tmp_path, RIG))
    changed = spec.with_more(
        RunSpec(
            sources=(SourceSpec.parse("top=camera:7"),),
            model=ModelSpec(device="cuda"),
            regions=RegionSpec(resize=0.25),
            sinks=(PartSpec.parse("memory"),),
        )
    )
    first, _, top = plan(changed)
    assert (first.source.text, top.source.text) == ("camera:0", "camera:7")
    assert (first.model.device, top.model.device, top.model.path) == ("cuda", "cuda", "own.onnx")
    assert (first.regions.resize, top.regions.resize) == (0.25, 0.25)
    assert [part.text for part in top.sinks] == ["tables:mouse.h5", "memory", "tables:top.csv"]
    for text in ("camera:7", "bottom=camera:7"):
        with pytest.raises(UsageError, match=r"sources \(top\); name the one to replace: --source top=camera:7"):
            spec.with_more(RunSpec(sources=(SourceSpec.parse(text),)))


def test_the_command_line_replaces_one_source_with_several(tmp_path: Path) -> None:
    spec = read_session_file(write(tmp_path, "source: camera:0\nmodel: m.onnx\nsinks: [tables: a.h5]\n"))
    several = spec.with_more(RunSpec(sources=(SourceSpec.parse("a=mouse"), SourceSpec.parse("b=mouse"))))
    assert [(session.name, session.sinks[0].mark) for session in plan(several)] == [("a", "_a"), ("b", "_b")]


def test_models_are_shared_or_given_per_source(tmp_path: Path) -> None:
    spec = read_session_file(write(tmp_path, RIG))
    shared = plan(spec.with_more(RunSpec(models=("x.onnx",))))
    assert {(session.model.path, session.model_number) for session in shared} == {("x.onnx", 0)}
    each = plan(spec.with_more(RunSpec(models=("x.onnx", "y.onnx", "x.onnx"))))
    assert [(session.model.path, session.model_number) for session in each] == [
        ("x.onnx", 0), ("y.onnx", 1), ("x.onnx", 2),
    ]  # fmt: skip
    assert each[2].model.precision == "fp16"
    with pytest.raises(UsageError, match="2 models for 3 sources: pass one --model for all, or one per --source"):
        plan(spec.with_more(RunSpec(models=("x.onnx", "y.onnx"))))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("source: mouse\nsources:\n- mouse\n", "rig.yaml:2: a session has either source or sources"),
        ("sources:\n- source: mouse\n  sink: [display]\n",
         "rig.yaml:3: an item of sources has no 'sink': did you mean 'sinks'?"),
        ("sources:\n- name: left\n  sinks: [display]\n",
         "rig.yaml:2: an item of sources has no source: add a line such as source: camera:0"),
        ("sources: camera:0\n", "rig.yaml:1: sources must be a list"),
        ("model: m\nsources:\n- mouse\n- mouse: {}\n", "rig.yaml:4: two sources have the name 'mouse'"),
        ("model: m\nsources:\n- {name: ../up, source: mouse}\n", "rig.yaml:3: invalid source name '../up'"),
        ("model: m\nsources: []\n", "rig.yaml has no source"),
        ("sources:\n- {name: a, source: mouse, model: m}\n- {name: b, source: mouse}\n", "rig.yaml has no model"),
    ],
)  # fmt: skip
def test_errors_name_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, text)
    with pytest.raises(ConfigurationError) as caught:
        plan(read_session_file(Path("rig.yaml")))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


CHECKED = """\
model: MODEL
sources:
  - name: left
    source: {mouse: {seed: 1}}
  - name: right
    source: {mouse: {seed: 2}}
    sinks:
      - tables: own.csv
sinks:
  - tables: mouse.csv
"""


def test_check_and_run_handle_all_sources(dlclive, model, tmp_path) -> None:
    pytest.importorskip("dlclive_io", reason="needs dlclive-io")
    write(tmp_path, CHECKED.replace("MODEL", str(model)))
    done = dlclive("check", "rig.yaml")
    assert done.code == 0, done.err
    for text in ("source left", "source right", "mouse_left.csv", "mouse_right.csv", "own.csv", "shared with right"):
        assert text in done.out
    left, right = json.loads(dlclive("check", "rig.yaml", "--json").out)["sessions"]
    assert (left["outputs"], right["outputs"]) == (["mouse_left.csv"], ["mouse_right.csv", "own.csv"])
    assert {path.name for path in tmp_path.iterdir()} == {"rig.yaml"}
    assert dlclive("run", "rig.yaml", "--max-frames", 5).code == 0
    assert {path.name for path in tmp_path.glob("*.csv")} == {"mouse_left.csv", "mouse_right.csv", "own.csv"}


def test_check_reports_the_line_of_one_sources_error(dlclive, model, tmp_path) -> None:
    pytest.importorskip("dlclive_io", reason="needs dlclive-io")
    write(tmp_path, CHECKED.replace("MODEL", str(model)).replace("own.csv", "mouse_right.csv"))
    done = dlclive("check", "rig.yaml")
    assert done.code == 3
    assert "rig.yaml:8: two sinks write mouse_right.csv" in done.error
    write(tmp_path, CHECKED.replace("MODEL", str(model)).replace("seed: 2", "sed: 2"))
    assert "rig.yaml:6: source 'mouse' has no option 'sed': did you mean 'seed'?" in dlclive("check", "rig.yaml").error
