"""Loads the class of a processor from a `.py` file that the user named."""

from __future__ import annotations

import inspect
import sys
import traceback
import zlib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

from dlclive_core import DependencyError, DLCLiveError, OutputError, PluginError, UsageError, install_command, nearest
from dlclive_core import Processor as TypedProcessor
from dlclive_processors.deeplabcut_live.stand_in import dlclive_importable, is_installed

_PIP_NAMES = {"serial": "pyserial", "cv2": "opencv-python-headless", "scipy": "scipy", "zmq": "pyzmq"}
"""Packages of modules that processors often use. Another module's name is no advice: its package may be a stranger's."""


@dataclass(frozen=True, slots=True)
class LoadedClass:
    """A processor's class. `where` is how the user may name it, such as `mouse.py::Reward`; `file` is as it was given."""

    cls: type[Any]
    file: str
    where: str


def load_class(text: str) -> LoadedClass:
    """Execute a file and find the class of a processor in it.

    The file is executed as a program is: it was named by the person who runs the command, so it is trusted, and it is found
    by its path alone, never by searching. Its folder becomes the last one in which modules are searched, so that it may import
    modules beside it, and none of these hides an installed one. A file is executed once, unless it changes.

    Args:
        text: `file.py::Class`, or `file.py` if there is one processor in it.

    Raises:
        UsageError: no such file; no such class; no class, or several, that could be meant.
        DependencyError: the file imports a module that is not installed.
        PluginError: the file raises something else; the class is no processor.
    """
    file, found, name = text.rpartition("::")
    if not found:
        file, name = text, ""
    path = Path(file).expanduser()
    if path.suffix != ".py":
        raise UsageError(f"{text!r} is not the file of a processor; write my_file.py::MyProcessor")
    if not path.is_file():
        raise UsageError(f"no such file: {file}")
    try:
        status = path.stat()
        module = _executed((path.resolve(), status.st_mtime_ns, status.st_size))
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:
        raise loading_error(error, f"{file} cannot be loaded", path) from error
    cls = _find(module, name, file)
    return LoadedClass(cls, file, f"{file}::{cls.__name__}")


@cache
def _executed(file: tuple[Path, int, int]) -> ModuleType:
    """The module of a file: its path, when it was written, and its size, so that one that has changed is executed again."""
    path = file[0]
    folder = str(path.parent)
    if folder not in sys.path:
        sys.path.append(folder)  # and it stays there: a processor may import something later
    name = f"dlclive_processor_{zlib.crc32(str(path).encode()):08x}_{path.stem}"
    loader = SourceFileLoader(name, str(path))
    spec = spec_from_loader(name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    code = loader.source_to_code(
        loader.get_data(str(path)), str(path)
    )  # not `exec_module`: it would write a __pycache__
    sys.modules[name] = module  # dataclasses and pickle look their module up
    try:
        with dlclive_importable():
            exec(code, module.__dict__)  # noqa: S102 - that is what was asked for
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def loading_error(error: BaseException, what: str, path: Path) -> DLCLiveError:
    """What a user's file raised, as an error of ours in one line: what went wrong, and in which line of the file.

    DependencyError for a module that is not installed, OutputError for a port that pyserial cannot open, else PluginError.
    """
    text = " ".join(str(error).split())
    reason = f"{type(error).__name__}: {text}" if text else type(error).__name__
    if isinstance(error, SyntaxError) and error.filename == str(path.resolve()):
        return PluginError(f"{what}: {type(error).__name__} in line {error.lineno}: {error.msg}")
    if isinstance(error, SystemExit):
        reason = f"it calls sys.exit({error.code!r})"
    at = _line_in(error, path)
    if isinstance(error, ImportError):
        top = (error.name or "").partition(".")[0]
        if top == "dlclive":
            return DependencyError(f"{what}: {_dlclive_lacks(error, text)}{at}")
        if isinstance(error, ModuleNotFoundError) and top:
            command = f"run: pip install {_PIP_NAMES[top]}" if top in _PIP_NAMES else "install the package that has it"
            return DependencyError(f"{what}: it needs the module {error.name!r}, not installed; {command}{at}")
    if any(kind.__module__.partition(".")[0] == "serial" for kind in type(error).__mro__):
        return OutputError(f"{what}: {reason}{at}")
    return PluginError(f"{what}: {reason}{at}")


def _dlclive_lacks(error: ImportError, text: str) -> str:
    if not is_installed():
        return (
            f"it needs more of deeplabcut-live than a processor does ({text}); run: {install_command('dlclive-compat')}"
        )
    if getattr(error, "name_from", None) == "KalmanFilterPredictor" or "'KalmanFilterPredictor'" in text:
        return "deeplabcut-live keeps KalmanFilterPredictor in dlclive.processor.kalmanfilter; import it from there"
    return f"the installed dlclive does not have it ({text})"


def _line_in(error: BaseException, path: Path) -> str:
    lines = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path.resolve())
    ]
    return f" (line {lines[-1]})" if lines else ""


# ---- the class in the module


def _find(module: ModuleType, name: str, file: str) -> type[Any]:
    if name:
        named = vars(module).get(name)
        candidates = {
            label: cls for cls in _candidates(module) for label in (cls.__name__, _display_name(cls)) if label
        }
        cls = named if isinstance(named, type) else candidates.get(name)
        if cls is None:
            raise UsageError(f"{file} has no class {name!r}: {nearest(name, candidates)}")
        return _checked(cls, f"{file}::{cls.__name__}")
    offered = [cls for cls in _candidates(module) if cls.__dict__.get("PROCESSOR_DISCOVERABLE", True)]
    if not offered:
        raise UsageError(f"{file} has no processor: no class in it has a method process(pose, **kwargs)")
    if len(offered) > 1:
        names = ", ".join(cls.__name__ for cls in offered)
        raise UsageError(f"{file} has several processors: {names}; name one: {file}::{offered[0].__name__}")
    return _checked(offered[0], f"{file}::{offered[0].__name__}")


def _candidates(module: ModuleType) -> list[type[Any]]:
    """The classes with a method `process` that the file itself defines, in its order."""
    classes = dict.fromkeys(value for value in vars(module).values() if isinstance(value, type))
    return [cls for cls in classes if cls.__module__ == module.__name__ and callable(getattr(cls, "process", None))]


def _display_name(cls: type[Any]) -> str:
    name = getattr(cls, "PROCESSOR_NAME", "")
    return name if isinstance(name, str) else ""


_BASES = ("dlclive", "dlclive_core", "dlclive_processors")
"""Packages whose class `Processor` returns the pose unchanged."""


def _checked(cls: type[Any], where: str) -> type[Any]:
    process = getattr(cls, "process", None)
    if not callable(process):
        raise PluginError(f"{where} is not a processor: it has no method process(pose, **kwargs)")
    misspelt = get_close_matches("process", vars(cls), n=1, cutoff=0.8)
    if misspelt and "process" not in vars(
        cls
    ):  # the base class's would return every pose unchanged, and nobody would notice
        raise PluginError(f"{where} has a method {misspelt[0]!r}, which nobody calls: did you mean 'process'?")
    if inspect.isabstract(cls):
        missing = ", ".join(sorted(cls.__abstractmethods__))
        raise PluginError(f"{where} is abstract: a subclass must define {missing}")
    if issubclass(cls, TypedProcessor) and _takes_frame(process):
        raise PluginError(
            f"{where} is a processor of dlclive itself, with process(pose, frame), not of DeepLabCut-live: use it in a "
            "Session, or offer it by an entry point (see CONTRIBUTING.md)"
        )
    return cls


def _takes_frame(process: Any) -> bool:
    try:
        inspect.signature(process).bind(None, None, None)
    except TypeError:
        return False
    except ValueError:
        return True
    return True
