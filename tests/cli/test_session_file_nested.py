"""Session files in which components are options of components: triggers in triggers, outputs in triggers."""

import json
from pathlib import Path

import pytest

from dlclive_core.cli.live.session_file import read_session_file

pytest.importorskip("dlclive_processors", reason="needs dlclive-processors")

RIG = """\
source: {mouse: {seed: 3}}
model: MODEL
processors:
  - all:
      of:
        - speed: {threshold: 20}
        - region:
            polygon: [[0, 0], [400, 0], [400, 400], [0, 400]]
            keypoint: snout
      hold: 0.1
      events: both.csv
  - any: {of: ["speed:5", {not: {of: {freezing: 20}}}], name: either}
  - sequence:
      of:
        - rule: snout.x > 0 and speed() > 5
        - heading: {tail: tailbase, nose: snout, range: [-170, 170]}
      within: 2
      events: order.csv
out: here
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "rig.yaml"
    path.write_text(text)
    return path


def test_nested_components_run(dlclive, model, tmp_path) -> None:
    write(tmp_path, RIG.replace("MODEL", str(model)))
    done = dlclive("run", "rig.yaml", "--max-frames", 30, "--json")
    assert done.code == 0, done.err
    processors = json.loads(done.out)["report"]["processors"]
    assert [each["processor"] for each in processors] == ["AllTrigger", "AnyTrigger", "SequenceTrigger"]
    assert all(each["error"] == "" for each in processors)
    for name in ("both", "order"):
        lines = (tmp_path / "here" / f"{name}.csv").read_text().splitlines()
        assert lines[0] == "frame,time,trigger,individual,event,x,y,confidence,value"


def test_the_lines_of_nested_options_are_known(tmp_path) -> None:
    spec = read_session_file(write(tmp_path, RIG)).processors[0]
    where = {way: int(line.rpartition(":")[2]) for way, line in spec.lines.items()}
    assert (where["of"], where["of.0"], where["of.0.threshold"], where["of.1"], where["of.1.keypoint"]) == (
        5,
        6,
        6,
        7,
        9,
    )


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("keypoint: snout", "keypoint: snot", "rig.yaml:7: no keypoint 'snot': did you mean 'snout'?"),
        ("snout.x > 0", "snuot.x > 0", "rig.yaml:15: rule [snuot].x > 0 and speed() > 5: no keypoint 'snuot': did you mean"),
        ("threshold: 20", "treshold: 20", "rig.yaml:6: processor 'speed' has no option 'treshold': did you mean 'thresh"),
        ("keypoint: snout", "keypiont: snout", "rig.yaml:9: processor 'region' has no option 'keypiont'"),
        ("threshold: 20", "threshold: fast", "rig.yaml:6: option 'threshold' of processor 'speed' takes a number; got 'fast'"),
        ("range: [-170, 170]", "range: [5, 5]", "rig.yaml:16: processor 'heading': range is [5, 5]"),
        ("snout.x > 0", "snout.x >", "rig.yaml:15: processor 'rule': rule snout.x > [and] speed() > 5: 'and' is not expected"),
        ("hold: 0.1", "hold: -1", "rig.yaml:4: processor 'all': hold is -1"),
        ("threshold: 20}", "threshold: 20, hold: 1}", "rig.yaml:4: processor 'all': option 'hold' of a trigger inside all"),
        ("of: {freezing: 20}", "of: {kalman: {}}", "rig.yaml:12: processor 'kalman' has no condition"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("command", ["check", "run"])
def test_an_error_in_a_nested_component_names_its_line(
    dlclive, model, tmp_path, command, before, after, message
) -> None:
    assert before in RIG
    write(tmp_path, RIG.replace(before, after).replace("MODEL", str(model)))
    done = dlclive(command, "rig.yaml", *(("--max-frames", 5) if command == "run" else ()))
    assert done.code
    assert message.partition(": ")[2] in done.error  # what is found when the run begins has no line
    if command == "check" or "no keypoint" not in message:
        assert done.code == 3
        assert message in done.error
        assert not (tmp_path / "here").exists()


SEVERAL = """\
source: mouse
model: MODEL
processors:
  - all:
      of:
        - speed: {threshold: fast, widnow: 1}
        - any:
            of:
              - region: {polygon: [[0, 0], [9, 0], [9, 9]], keypiont: snout}
              - not: {of: {freezing: {}}}
        - rule: snout.x >
  - all:
      hold: long
      of:
        - region: {polygon: [[0, 0], [9, 0], [9, 9]], keypoint: snot}
        - sequence:
            of:
              - rule: tial.x > 5
              - region: {polygon: [[0, 0], [9, 0], [9, 9]], keypoint: nose}
            within: 1
  - all:
      of:
        - region: {polygon: [[0, 0], [9, 0], [9, 9]], keypoint: snot}
        - not:
            of:
              rule: tial.x > 5
"""


def test_each_error_inside_nested_components_is_told(dlclive, model, tmp_path) -> None:
    """As far as they can be known: of a component whose options are wrong, the keypoints are not looked up."""
    write(tmp_path, SEVERAL.replace("MODEL", str(model)))
    done = dlclive("check", "rig.yaml")
    assert done.code == 3
    expected = [
        "rig.yaml:6: option 'threshold' of processor 'speed' takes a number; got 'fast'",
        "rig.yaml:6: processor 'speed' has no option 'widnow'",
        "rig.yaml:9: processor 'region' has no option 'keypiont'",
        "rig.yaml:10: processor 'freezing' needs the option 'speed'",
        "rig.yaml:11: processor 'rule': rule snout.x >[]: the rule ends",
        "rig.yaml:13: option 'hold' of processor 'all' takes a number; got 'long'",
        "rig.yaml:23: no keypoint 'snot': did you mean 'snout'?",
        "rig.yaml:25: rule [tial].x > 5: no keypoint 'tial'",
    ]
    lines = [line for line in done.err.splitlines() if line.startswith("error: ")]
    for text in expected:
        assert [text in line for line in lines].count(True) == 1, (text, done.err)
    assert len(lines) == len(expected), done.err
    assert dlclive("run", "rig.yaml").error  # a run tells one


OUTPUT = """\
source: mouse
model: MODEL
processors:
  - speed:
      threshold: 300
      output:
        serial:
          port: /dev/ttyACM0
          width: 0.005
          events: laser.csv
  - stimulate:
      when: snout.x < 50
      output: {serial: /dev/ttyACM0}
"""


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("", "", ""),
        ("width: 0.005", "widht: 0.005", "rig.yaml:9: output 'serial' has no option 'widht': did you mean 'width'?"),
        ("serial:\n", "serail:\n", "rig.yaml:6: no output 'serail': did you mean 'serial'?"),
        ("snout.x", "snuot.x", "rig.yaml:11: rule [snuot].x < 50: no keypoint 'snuot': did you mean 'snout'?"),
    ],
)
def test_an_output_in_a_trigger_is_checked(dlclive, model, tmp_path, before, after, message) -> None:
    write(tmp_path, OUTPUT.replace(before, after, 1).replace("MODEL", str(model)))
    done = dlclive("check", "rig.yaml")
    assert message in done.err
    assert bool(done.code) == bool(message)


def test_the_files_of_an_output_are_the_triggers(dlclive, model, tmp_path) -> None:
    write(tmp_path, OUTPUT.replace("MODEL", str(model)))
    (tmp_path / "laser.csv").write_text("an earlier run's")
    assert "rig.yaml:4: laser.csv exists" in dlclive("check", "rig.yaml").error
