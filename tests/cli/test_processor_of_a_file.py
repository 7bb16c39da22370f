"""`--processor deeplabcut-live:FILE::CLASS`: a processor of DeepLabCut-live by its file's name; wrong ones in one line."""

import json
import sys
from pathlib import Path

import pytest

from tests.live_runs import record

MINE = """
import json
from dlclive.processor import Processor

class Delays(Processor):
    def __init__(self, limit=0.5, **kwargs):
        super().__init__(**kwargs)
        self.limit, self.ages, self.saw = limit, [], []

    def process(self, pose, **kwargs):
        print("a processor that prints")
        assert kwargs["record"] and kwargs["frame_time"] <= kwargs["pose_time"]
        self.ages.append(kwargs["pose_time"] - kwargs["frame_time"])
        pose[:, 0] += 1000
        return pose

    def save(self, file=""):
        with open(file, "w") as out:
            json.dump({"limit": self.limit, "frames": len(self.ages)}, out)
        return True

class Unsaved(Delays):
    PROCESSOR_DISCOVERABLE = False

    def save(self, file=""):
        return 0

class Broken(Delays):
    PROCESSOR_DISCOVERABLE = False

    def __init__(self):
        raise RuntimeError("no such\\ndevice")
"""


@pytest.fixture(autouse=True)
def plugins() -> None:
    pytest.importorskip("dlclive_io", reason="needs dlclive-io")
    pytest.importorskip("dlclive_processors", reason="needs dlclive-processors")


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(MINE)
    return path


def test_analyze_runs_it_and_saves(dlclive, model, clip, mine, tmp_path) -> None:
    done = dlclive(
        "analyze", model, clip, "--out", "out", "--json",
        "--processor", "deeplabcut-live:mine.py::Delays,limit=2,save=delays.json",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert json.loads(done.out)["videos"], "what the processor prints is not in the results"
    assert "a processor that prints" in done.err
    assert json.loads((tmp_path / "out" / "delays.json").read_text()) == {"limit": 2, "frames": 40}
    (table,) = (tmp_path / "out").glob("*demo.csv")
    rows = [line.split(",") for line in table.read_text().splitlines()[3:]]
    assert min(float(row[1]) for row in rows if row[1]) > 1000


def test_run_saves_in_its_folder_with_the_rest_of_the_command(dlclive, model, clip, mine, tmp_path) -> None:
    arguments = (
        "run", "--source", clip, "--model", model, "--out", "out",
        "--processor", "deeplabcut-live:mine.py,save=delays.json", "--sink", "tables:t.csv",
    )  # fmt: skip
    done = dlclive(*arguments)
    assert done.code == 0, done.err
    assert json.loads((tmp_path / "out" / "delays.json").read_text())["frames"] == 40
    (processor,) = record(tmp_path / "out")["report"]["processors"]
    assert (processor["processor"], processor["statistics"]) == ("Delays", {"files_saved": 1})
    again = dlclive(*(argument.replace("t.csv", "u.csv") for argument in map(str, arguments)))
    assert again.code == 2
    assert "delays.json already exists; choose another name, or set overwrite=true" in again.error
    assert dlclive(*arguments, "--overwrite").code == 0


def test_two_processors_never_save_in_one_file(dlclive, model, clip, mine) -> None:
    part = "deeplabcut-live:mine.py,save=delays.json"
    done = dlclive("run", "--source", clip, "--model", model, "--processor", part, "--processor", part)
    assert done.code == 2
    assert "two processors write delays.json" in done.error


def test_data_that_was_not_saved_is_exit_code_5(dlclive, model, clip, mine, tmp_path) -> None:
    part = "deeplabcut-live:mine.py::Unsaved,save=gone.json"
    done = dlclive("run", "--source", clip, "--model", model, "--processor", part, "--sink", "tables:t.csv")
    assert done.code == 5
    assert "Unsaved.save('gone.json') returned 0, and wrote no file" in done.error
    assert (tmp_path / "t.csv").exists(), "the tables are finished all the same"


@pytest.mark.parametrize(
    ("part", "code", "message"),
    [
        ("deeplabcut-live", 2, "processor 'deeplabcut-live' needs the option 'file'"),
        ("deeplabcut-live:none.py::Delays", 2, "no such file: none.py"),
        ("deeplabcut-live:mine.py::Delay", 2, "mine.py has no class 'Delay': did you mean 'Delays'?"),
        ("deeplabcut-live:mine.py,limi=2", 0, ""),
        ("deeplabcut-live:mine.py,limit=high", 2, "option 'limit' of mine.py::Delays takes a number; got 'high'"),
        ("deeplabcut-live:mine.py::Broken,limit=2", 2, "mine.py::Broken has no option 'limit': it takes none"),
        (
            "deeplabcut-live:mine.py::Broken",
            3,
            "mine.py::Broken cannot be created: RuntimeError: no such device (line 32)",
        ),
        ("deeplabcut-live:exits.py", 3, "exits.py cannot be loaded: it calls sys.exit(7) (line 2)"),
        ("deeplabcut-live:plain.py", 2, "plain.py has no processor"),
        ("deeplabcut-live:plain.py::Plain", 3, "plain.py::Plain is not a processor: it has no method process"),
        ("deeplabcut-live:params.py", 3, "PROCESSOR_PARAMS of params.py::Mine is a list, not a dict"),
        (
            "deeplabcut-live:needs.py",
            3,
            "needs.py cannot be loaded: it needs the module 'no_such_thing', not installed",
        ),
        ("lick-led:/dev/no_such_port,keypoint=snout", 4, "port /dev/no_such_port cannot be opened"),
        ("lick-led:/dev/no_such_port", 2, "the model has 5 keypoints, and keypoint is number 6"),
        ("teensy-laser:/dev/no_such_port,box=[0,0,1]", 2, "processor 'teensy-laser': box is [0, 0, 1]"),
        ("teensy-laser:/dev/no_such_port,keypoint=snot", 2, "did you mean 'snout'?"),
        ("jump-led:elbows=[snout]", 2, "processor 'jump-led': elbows is ['snout']; give two names"),
    ],
)
def test_everything_wrong_is_one_line(dlclive, model, clip, mine, tmp_path, part: str, code: int, message: str) -> None:
    (tmp_path / "exits.py").write_text("import sys\nsys.exit(7)\n")
    (tmp_path / "plain.py").write_text("class Plain:\n    pass\n")
    (tmp_path / "params.py").write_text(
        "class Mine:\n    PROCESSOR_PARAMS = ['a']\n    def process(self, pose, **kwargs): return pose\n"
    )
    (tmp_path / "needs.py").write_text("import no_such_thing\n")
    if sys.platform == "win32" and "/dev/" in part and code == 4:
        pytest.skip("ports have other names")
    done = dlclive("run", "--source", clip, "--model", model, "--processor", part)
    assert done.code == code, done.err
    if code:
        assert message in done.error
    else:  # **kwargs takes it
        assert "'limi' is passed on to mine.py::Delays, which does not name it; did you mean 'limit'?" in done.err


def test_check_executes_the_file_but_constructs_nothing(dlclive, model, clip, mine, tmp_path) -> None:
    session = "source: CLIP\nmodel: MODEL\nprocessors:\n  - deeplabcut-live:\n      file: mine.py::Broken\n"
    (tmp_path / "rig.yaml").write_text(session.replace("CLIP", str(clip)).replace("MODEL", str(model)))
    done = dlclive("check", "rig.yaml")
    assert done.code == 0, done.err
    (tmp_path / "rig.yaml").write_text(
        (tmp_path / "rig.yaml").read_text().replace("mine.py::Broken", "mine.py\n      limit: high")
    )
    done = dlclive("check", "rig.yaml")
    assert done.code == 3
    assert (
        "rig.yaml:4: processor 'deeplabcut-live': option 'limit' of mine.py::Delays takes a number; got 'high'"
        in done.err
    )
