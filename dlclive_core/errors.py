"""Every error that dlclive raises on purpose, as one tree.

    DLCLiveError                 exit code
    ├── UsageError               2   an option or argument that cannot be (also a ValueError)
    │   └── OutputExistsError    2   the output is there already and --overwrite was not given
    ├── ModelError               3   a model file or its configuration
    │   ├── ModelNotFoundError   3   nothing there, or more than one thing there
    │   ├── UnsupportedModelError 3  understood, but no installed runtime can run it
    │   └── UnsafeFileError      3   a file that would run code when read
    ├── ConfigurationError       3   a session file that says something that cannot be
    ├── PluginError              3   a plugin is missing, broken, blocked or there twice
    │   └── DependencyError      3   a library that a component needs is not installed
    ├── SourceError              4   a camera, stream or file that cannot be opened or stopped answering
    ├── OutputError              4   an output device, a laser's for example, that cannot be opened or trusted any more
    ├── FrameError               5   an image that no model can take (also a ValueError)
    └── DataError                5   damaged input, or output that could not be written

A message says what was wrong, where, and what to do next, in one line. `exit_code` is what the command line exits with.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class DLCLiveError(Exception):
    """Base of all errors that dlclive raises on purpose."""

    exit_code = 3


class UsageError(DLCLiveError, ValueError):
    """An option or argument that cannot be."""

    exit_code = 2


class OutputExistsError(UsageError):
    """An output file is there already."""


class ModelError(DLCLiveError):
    """A model file, or its configuration, cannot be used."""


class ModelNotFoundError(ModelError):
    """No model at this path, or more than one."""


class UnsupportedModelError(ModelError):
    """The model was understood, but nothing installed can run it."""


class UnsafeFileError(ModelError):
    """A file that would run code if it were read the way it asks to be."""


class ConfigurationError(DLCLiveError):
    """A session file says something that cannot be."""


class PluginError(DLCLiveError):
    """A plugin is missing, broken, blocked, or installed twice."""


class DependencyError(PluginError):
    """A library that a component needs is not installed."""


class SourceError(DLCLiveError):
    """A source of frames cannot be opened, or stopped answering."""

    exit_code = 4


class OutputError(DLCLiveError):
    """An output device cannot be opened, or stopped answering: nobody can say any more that it does what it is told."""

    exit_code = 4


class EndOfStream(Exception):  # noqa: N818 - the end of a file is not an error
    """Raised by `FrameSource.read` after the last frame."""


class FrameError(DLCLiveError, ValueError):
    """An image that no model can take."""

    exit_code = 5


class DataError(DLCLiveError):
    """Input that is damaged, or output that could not be written."""

    exit_code = 5


def nearest(name: str, valid: Iterable[str]) -> str:
    """Say which valid name was probably meant, or list them all: the tail of an error message."""
    names = sorted(valid)
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"choose from {', '.join(names)}" if names else "there is none to choose from"


def one_line(error: BaseException | None) -> str:
    """An error as one line, empty for None; its type is named where the message was not written for users."""
    if error is None:
        return ""
    text = " ".join(str(error).split())
    return text if isinstance(error, DLCLiveError) else f"{type(error).__name__}: {text}"
