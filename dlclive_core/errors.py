"""The hierarchy of errors that dlclive raises deliberately.

    DLCLiveError                 exit code
    ├── UsageError               2   an invalid option or argument (also a ValueError)
    │   ├── OptionError          2   an option that a component does not have, or a value that it does not accept
    │   └── OutputExistsError    2   the output exists and --overwrite was not given
    ├── ModelError               3   a model file or its configuration
    │   ├── ModelNotFoundError   3   no model at the path, or more than one
    │   ├── UnsupportedModelError 3  recognised, but no installed runtime can run it
    │   └── UnsafeFileError      3   a file that would execute code when loaded
    ├── ConfigurationError       3   an invalid session file
    ├── PluginError              3   a plugin is missing, broken, blocked or installed twice
    │   └── DependencyError      3   a library that a component needs is not installed
    ├── SourceError              4   a camera, stream or file that cannot be opened or stopped responding
    ├── OutputError              4   an output device, such as a laser's, that cannot be opened or no longer responds
    ├── FrameError               5   an image that no model accepts (also a ValueError)
    └── DataError                5   damaged input, or output that could not be written

A message says in one line what is wrong, where, and what to do next. `exit_code` is the exit status of the command line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


class DLCLiveError(Exception):
    """Base class of all errors that dlclive raises deliberately.

    Attributes:
        option: the name of the component's option that it is about, if any. Of a component that is an option of another one,
            the way there: "output.port", "of.1.keypoint", where a number is a place in a list, from 0.
        further: other errors that were found together with it. A message is about one; `dlclive check` tells each.
    """

    exit_code = 3
    option = ""
    further: tuple[DLCLiveError, ...] = ()


class UsageError(DLCLiveError, ValueError):
    """An invalid option or argument."""

    exit_code = 2


class OptionError(UsageError):
    """An option that a component does not have, or a value that it does not accept. See `DLCLiveError.option`."""

    def __init__(self, message: str, option: str = "") -> None:
        super().__init__(message)
        self.option = option


class OutputExistsError(UsageError):
    """The output file already exists."""


class ModelError(DLCLiveError):
    """A model file or its configuration cannot be used."""


class ModelNotFoundError(ModelError):
    """No model at this path, or more than one."""


class UnsupportedModelError(ModelError):
    """The model was recognised, but no installed runtime can run it."""


class UnsafeFileError(ModelError):
    """A file that would execute code if it were loaded as its format requires."""


class ConfigurationError(DLCLiveError):
    """A session file is invalid."""


class PluginError(DLCLiveError):
    """A plugin is missing, broken, blocked, or installed twice."""


class DependencyError(PluginError):
    """A library that a component needs is not installed."""


class SourceError(DLCLiveError):
    """A frame source cannot be opened, or stopped responding."""

    exit_code = 4


class OutputError(DLCLiveError):
    """An output device cannot be opened, or stopped responding: its state is no longer known."""

    exit_code = 4


class EndOfStream(Exception):  # noqa: N818 - the end of a file is not an error
    """Raised by `FrameSource.read` after the last frame."""


class FrameError(DLCLiveError, ValueError):
    """An image that no model accepts."""

    exit_code = 5


class DataError(DLCLiveError):
    """Damaged input, or output that could not be written."""

    exit_code = 5


def first_of(errors: Sequence[DLCLiveError]) -> DLCLiveError:
    """The first of one or more errors that were found together; it has the others in `further`."""
    first, *others = [each for error in errors for each in (error, *error.further)]
    for other in others:
        other.further = ()
    first.further = tuple(others)
    return first


def nearest(name: str, valid: Iterable[str]) -> str:
    """Suggest the valid name that was probably meant, or list them all: the end of an error message."""
    names = sorted(valid)
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"choose from {', '.join(names)}" if names else "none is available"


def shown(value: object, most: int = 80) -> str:
    """A value from a file or a command line, for a message: its repr on one line, cut to a length."""
    text = repr(value) if isinstance(value, str | int | float | list | tuple | dict | None) else str(value)
    return text if len(text) <= most else text[: most - 3] + "..."


def one_line(error: BaseException | None) -> str:
    """Format an error as one line, "" for None; errors that are not ours are prefixed with their type."""
    if error is None:
        return ""
    text = " ".join(str(error).split())
    if isinstance(error, DLCLiveError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
