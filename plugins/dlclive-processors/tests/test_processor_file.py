"""A user's file with a processor of DeepLabCut-live: found, given its options, run, stopped and saved."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from dlclive_processors import ProcessorFromFile
from dlclive_processors.deeplabcut_live.stand_in import dlclive_importable, is_installed

from dlclive_core import (
    DependencyError,
    DLCLiveError,
    Frame,
    MemorySink,
    OutputError,
    PluginError,
    Pose,
    RunInfo,
    Session,
    UsageError,
)
from dlclive_core.testing import BlobModel, BlobSource, ProcessorContract

Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def _without_dlclive_compat() -> Iterator[None]:
    """As where no package `dlclive` is installed; where ours is, as here, it is hidden. Its own tests use files like these."""
    elsewhere = [entry for entry in sys.path if not (Path(entry) / "dlclive/__init__.py").is_file()]
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name in [name for name in sys.modules if name.partition(".")[0] == "dlclive"]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setattr(sys, "path", elsewhere)
        yield


def is_always_installed() -> bool:
    """Whether a `dlclive` lies among all other packages, where it cannot be hidden: it was not installed editable."""
    spec = importlib.util.find_spec("dlclive")
    return spec is not None and spec.origin is not None and "site-packages" in Path(spec.origin).parts


REWARD = """
    from dlclive import Processor

    made = []

    class Reward(Processor):
        def __init__(self, com, rate=10, gain=0.5, loud=False, names=(), **kwargs):
            super().__init__(**kwargs)
            self.options = dict(com=com, rate=rate, gain=gain, loud=loud, names=names)
            self.frame_times, self.log = [], []
            made.append(self)

        def process(self, pose, **kwargs):
            self.frame_times.append(kwargs["frame_time"])
            return pose

        def set_dlc_cfg(self, cfg):
            self.log.append(cfg["metadata"]["bodyparts"])

        def stop(self):
            self.log.append("stop")

        def save(self, file=""):
            self.log.append("save")
            with open(file, "w") as out:
                out.write(repr(len(self.frame_times)))
            return 1
    """


def test_it_runs_in_a_session_and_is_stopped_and_saved_at_its_end(write: Write, tmp_path: Path) -> None:
    file, out, sink = write(REWARD), tmp_path / "out.txt", MemorySink()
    processor = ProcessorFromFile(f"{file}::Reward", com="COM3", save=out)
    assert processor.outputs == (out,)
    report = Session(source=BlobSource(frames=4), model=BlobModel(), processors=[processor], sinks=[sink]).run()
    assert processor.processor.log == [["k0", "k1", "k2"], "stop", "save"]
    assert out.read_text() == "4"
    assert len(sink.poses) == 4
    (result,) = report.processors
    assert (result.processor, result.statistics) == ("Reward", {"files_saved": 1})


def test_a_run_that_failed_is_saved_too(write: Write, tmp_path: Path) -> None:
    file = write(
        """
        class Breaks:
            def process(self, pose, **kwargs):
                raise ValueError("at once")

            def save(self, file):
                open(file, "w").close()
        """
    )
    processor = ProcessorFromFile(str(file), save=tmp_path / "out")
    session = Session(source=BlobSource(frames=4), model=BlobModel(), processors=[processor])
    with pytest.raises(PluginError, match="processor Breaks failed at frame 0: ValueError: at once"):
        session.run()
    assert (tmp_path / "out").exists()


def test_every_run_has_an_object_of_its_own_and_a_constructor_waits_for_the_run(
    write: Write, make_run: Callable[..., RunInfo]
) -> None:
    processor = ProcessorFromFile(f"{write(REWARD)}", com="COM3")
    made = sys.modules[processor._loaded.cls.__module__].made
    assert made == []
    for _ in range(2):
        processor.open(make_run())
        processor.close()
        processor.close()
    assert [one.log for one in made] == [[["snout", "left_ear", "right_ear", "tail_base"], "stop"]] * 2


SEVERAL = """
    from collections import OrderedDict as Process
    from dlclive import Processor

    class Base(Processor):
        PROCESSOR_DISCOVERABLE = False

    class First(Base):
        pass

    class Helper:
        process = None

    {more}
    """


def test_the_only_processor_need_not_be_named(write: Write) -> None:
    processor = ProcessorFromFile(str(write(SEVERAL.format(more=""))))
    assert processor.name == "First"  # Base asks not to be found, and that holds for Base alone
    assert ProcessorFromFile(f"{write(SEVERAL.format(more=''))}::Base").name == "Base"


@pytest.mark.parametrize(
    ("text", "named", "message"),
    [
        (SEVERAL.format(more="class Second(Base): pass"), "", "has several processors: First, Second; name one: {file}::First"),
        (SEVERAL.format(more=""), "::Frist", "{file} has no class 'Frist': did you mean 'First'?"),
        ("x = 1", "", "{file} has no processor: no class in it has a method process(pose, **kwargs)"),
    ],
)  # fmt: skip
def test_a_class_that_cannot_be_chosen_is_a_usage_error(write: Write, text: str, named: str, message: str) -> None:
    file = write(text)
    with pytest.raises(UsageError) as raised:
        ProcessorFromFile(f"{file}{named}")
    assert message.replace("{file}", str(file)) in str(raised.value)


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("import sys\nsys.exit(3)", PluginError, "{file} cannot be loaded: it calls sys.exit(3) (line 2)"),
        ("\n\n1 / 0", PluginError, "{file} cannot be loaded: ZeroDivisionError: division by zero (line 3)"),
        ("def f(:\n", PluginError, "{file} cannot be loaded: SyntaxError in line 1: "),
        ("raise BaseException", PluginError, "{file} cannot be loaded: BaseException (line 1)"),
        ("import no_such_thing", DependencyError,
         "it needs the module 'no_such_thing', not installed; install the package that has it (line 1)"),
        ("from dlclive import Display", DependencyError, "it needs more of deeplabcut-live than a processor does"),
        ("import dlclive.display", DependencyError, "dlclive-compat (line 1)"),
        ("from json import no_such_thing", PluginError, "ImportError: cannot import name 'no_such_thing' from 'json'"),
    ],
    ids=["exit", "raises", "syntax", "base", "module", "display", "submodule", "import"],
)  # fmt: skip
def test_a_file_that_cannot_be_executed_is_one_line(
    write: Write, text: str, kind: type[DLCLiveError], message: str
) -> None:
    file = write(text)
    with pytest.raises(kind) as raised:
        ProcessorFromFile(str(file))
    assert type(raised.value) is kind
    assert message.replace("{file}", str(file)) in str(raised.value)
    assert "\n" not in str(raised.value)
    assert not [
        name for name in sys.modules if name.startswith("dlclive_processor_") and name.endswith(str(file.stem))
    ] or (not any(getattr(module, "__file__", "") == str(file) for module in sys.modules.values()))


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        (
            "raise RuntimeError('no\\n device')",
            PluginError,
            "::Mine cannot be created: RuntimeError: no device (line 3)",
        ),
        ("raise SystemExit", PluginError, "::Mine cannot be created: it calls sys.exit(None) (line 3)"),
        (
            "import serial; serial.Serial('/dev/no_such_port')",
            OutputError,
            "::Mine cannot be created: SerialException: ",
        ),
        ("import no_such_thing", DependencyError, "it needs the module 'no_such_thing', not installed"),
    ],
)
def test_a_constructor_that_raises_is_named_when_the_run_begins(
    write: Write, make_run: Callable[..., RunInfo], body: str, kind: type[DLCLiveError], message: str
) -> None:
    file = write(
        f"class Mine:\n    def __init__(self):\n        {body}\n    def process(self, pose, **kwargs): return pose\n"
    )
    processor = ProcessorFromFile(str(file))
    with pytest.raises(kind) as raised:
        processor.open(make_run())
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)
    processor.close()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("class Mine:\n    pass\n", "{file}::Mine is not a processor: it has no method process(pose, **kwargs)"),
        ("from dlclive_core import Processor\nclass Mine(Processor):\n    def process(self, pose, frame): return pose\n",
         "{file}::Mine is a processor of dlclive itself"),
        ("import abc\nclass Mine(abc.ABC):\n    @abc.abstractmethod\n    def process(self, pose, **kwargs): ...\n",
         "{file}::Mine is abstract: a subclass must define process"),
    ],
)  # fmt: skip
def test_a_class_that_is_no_processor_is_named(write: Write, text: str, message: str) -> None:
    file = write(text)
    with pytest.raises(PluginError) as raised:
        ProcessorFromFile(f"{file}::Mine")
    assert message.replace("{file}", str(file)) in str(raised.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mine", "'mine' is not the file of a processor; write my_file.py::MyProcessor"),
        ("no_such.py::Mine", "no such file: no_such.py"),
        ("mine.txt::Mine", "is not the file of a processor"),
    ],
)
def test_a_file_that_is_none_is_a_usage_error(name: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        ProcessorFromFile(name)
    assert message in str(raised.value)


def test_modules_beside_the_file_are_found_and_hide_nothing(write: Write, make_run: Callable[..., RunInfo]) -> None:
    write("value = 7\nfrom dlclive.processor import Processor", "beside_the_file.py")
    write("raise RuntimeError('the standard library comes first')", "json.py")
    file = write(
        """
        import json
        from beside_the_file import Processor, value

        class Mine(Processor):
            def process(self, pose, **kwargs):
                import beside_the_file
                pose[:, 0] = beside_the_file.value
                return pose
        """
    )
    processor = ProcessorFromFile(str(file))
    processor.open(make_run())
    pose = processor.process(Pose.missing(make_run().card.skeleton), Frame(np.zeros((2, 2, 3), np.uint8), 0, 0.0))
    assert pose.keypoints[0, 0, 0] == 7
    assert not list(file.parent.glob("__pycache__/mine*"))


def test_a_file_is_executed_once_until_it_changes(write: Write) -> None:
    file = write("class Mine:\n    def process(self, pose, **kwargs): return pose\n")
    first, again = ProcessorFromFile(str(file)), ProcessorFromFile(str(file))
    assert first._loaded.cls is again._loaded.cls
    write("class Mine:\n    changed = True\n    def process(self, pose, **kwargs): return pose\n")
    assert ProcessorFromFile(str(file))._loaded.cls.changed


@pytest.mark.skipif(is_always_installed(), reason="a package dlclive is installed, and not editable")
def test_the_stand_in_for_dlclive_is_there_for_the_file_alone(write: Write) -> None:
    file = write(
        """
        import pickle, sys
        import dlclive.processor.kalmanfilter
        from dlclive import DLCLive, Processor
        from dlclive.processor import KalmanFilterPredictor, Processor as Same
        from dlclive.processor.processor import Processor as Third

        assert Processor is Same is Third and "dlclive" in sys.modules
        assert Processor().save() == 0
        pickle.loads(pickle.dumps(KalmanFilterPredictor()))

        class Mine(Processor):
            pass
        """
    )
    ProcessorFromFile(str(file))
    assert not [name for name in sys.modules if name.partition(".")[0] == "dlclive"]
    with pytest.raises(ModuleNotFoundError, match="dlclive"):
        __import__("dlclive")


def test_an_installed_dlclive_is_used_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Write) -> None:
    package = tmp_path / "site" / "dlclive"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(
        "class Processor:\n    mark = 'theirs'\n    def process(self, pose): return pose\n"
    )
    (package / "processor.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    try:
        file = write("from dlclive import Processor\nclass Mine(Processor): pass\n")
        assert ProcessorFromFile(str(file))._loaded.cls.mark == "theirs"
        file = write("from dlclive.processor import KalmanFilterPredictor\n")
        with pytest.raises(DependencyError, match=r"keeps KalmanFilterPredictor in dlclive\.processor\.kalmanfilter"):
            ProcessorFromFile(str(file))
        file = write("from dlclive import DLCLive\n")
        with pytest.raises(DependencyError, match="the installed dlclive does not have it"):
            ProcessorFromFile(str(file))
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "dlclive"]:
            del sys.modules[name]


@pytest.mark.skipif(is_always_installed(), reason="a package dlclive is installed, and not editable")
def test_a_folder_called_dlclive_is_no_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dlclive").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert not is_installed()
    with dlclive_importable():
        from dlclive import Processor

        assert Processor().process(3) == 3


def test_before_open_it_says_so(write: Write, make_run: Callable[..., RunInfo]) -> None:
    processor = ProcessorFromFile(str(write(REWARD)), com="")
    with pytest.raises(UsageError, match="Reward is not open; call open"):
        processor.process(Pose.missing(make_run().card.skeleton), Frame(np.zeros((2, 2, 3), np.uint8), 0, 0.0))


class TestAFileKeepsTheContract(ProcessorContract):
    @pytest.fixture
    def processor(self, write: Write) -> ProcessorFromFile:
        return ProcessorFromFile(str(write(REWARD)), com="COM3")


def test_a_misspelt_process_is_refused(write: Write) -> None:
    """The base class's would return every pose unchanged, and nobody would notice."""
    file = write(
        """
        from dlclive import Processor

        class Mine(Processor):
            def proces(self, pose, **kwargs):
                return pose
        """
    )
    with pytest.raises(PluginError, match=r"Mine has a method 'proces', which nobody calls: did you mean 'process'\?"):
        Session(source=BlobSource(frames=1), model=BlobModel(), processors=[ProcessorFromFile(str(file))]).run()
