"""The session's end of a viewer: starts its process and sends it updates."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from typing import IO, Any

from dlclive_core import DependencyError, DLCLiveError, Marks, SourceError, UsageError
from dlclive_io.screen.newest_estimate import NewestEstimate
from dlclive_io.screen.pipe_messages import MARK, PICTURE, send
from dlclive_io.screen.viewer_update import viewer_update

# The process gets the session's sys.path. -I: import nothing from the working directory. -S: skip the start-up files of
# site-packages.
_PROGRAM = "import sys; sys.path[:] = {path!r}; from dlclive_io.screen.viewer_process import main; main({module!r})"
_START_TIMEOUT = 30.0  # seconds, generous for a busy machine
_FRAME_TIMEOUT = 0.1  # seconds to wait for a new frame before an answer without one
_PIPE_BYTES = 1 << 20
_EXIT_TIMEOUT = 0.8  # seconds before the process is killed


class Viewer:
    """Starts a viewer, answers its requests in a thread, and ends it.

    Args:
        module: of `dlclive_io.screen`, with a function `show(hello, session)`.
        hello: the viewer's settings, sent at the start.
        newest: source of the updates.
        width: largest width of the pictures sent, in pixels.
        marks: of the run; updates say how many frames were kept for them.
    """

    def __init__(
        self, module: str, hello: dict[str, Any], newest: NewestEstimate, width: int, marks: Marks | None = None
    ) -> None:
        self._module, self._hello, self._newest, self._width = module, hello, newest, width
        self._marks = marks or Marks()
        self._began = threading.Event()
        self._first: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None

    @property
    def is_alive(self) -> bool:
        """Whether the viewer is still running."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def exit_code(self) -> int | None:
        """Exit code of the process; None while it runs, negative for the signal that ended it."""
        return None if self._process is None else self._process.poll()

    @property
    def process_id(self) -> int | None:
        return None if self._process is None else self._process.pid

    def open(self) -> str:
        """Start the viewer and return its address when it is ready. Raises the error that prevents it."""
        program = _PROGRAM.format(path=[path for path in sys.path if path], module=self._module)
        # A process session of its own, so that Ctrl-C in the terminal reaches only the dlclive session, which ends it.
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
            creationflags=_CREATION_FLAGS,
        )
        _widen(self._process.stdin)
        self._thread = threading.Thread(target=self._serve, args=(self._process,), name="dlclive viewer", daemon=True)
        self._thread.start()
        if not self._began.wait(_START_TIMEOUT) or not self._first:
            self.close()
            raise SourceError(
                f"the display's process did not start (exit code {self.exit_code}); run without a display"
            )
        if "error" in self._first:
            self.close()
            raise _ERRORS.get(self._first["kind"], SourceError)(self._first["error"])
        return self._first["ready"]

    def close(self) -> None:
        """End the viewer within a second, even if it hangs. Safe to call twice."""
        self._newest.end()
        process, thread = self._process, self._thread
        if process is None or thread is None:
            return
        try:
            process.wait(_EXIT_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        thread.join()
        self._thread = None

    def _serve(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        with process.stdin as down, process.stdout as up:
            try:
                self._answer_all(down, up)
            except OSError:  # the viewer is gone: the next `write` reports it
                pass
            finally:
                self._began.set()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_EXIT_TIMEOUT)  # so that the exit code is known when `is_alive` is False

    def _answer_all(self, down: IO[bytes], up: IO[bytes]) -> None:
        send(down.write, self._hello, None)
        line = up.readline()
        if not line:
            return
        self._first = json.loads(line)
        self._began.set()
        while request := up.read(1):
            if request == MARK:
                self._marks.add()
                continue
            snapshot = self._newest.take(picture=request == PICTURE, timeout=_FRAME_TIMEOUT)
            header, image = viewer_update(snapshot, self._width)
            send(down.write, {**header, "marked": self._marks.kept}, image)
            if snapshot.ended:
                return


def _widen(pipe: IO[bytes] | None) -> None:
    """Enlarge the pipe, so that a picture passes with fewer context switches. Linux only."""
    if sys.platform == "linux" and pipe is not None:
        import fcntl

        with contextlib.suppress(OSError):  # the user's limit on pipe memory is reached
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


if sys.platform == "win32":
    _CREATION_FLAGS = subprocess.CREATE_NEW_PROCESS_GROUP
else:
    _CREATION_FLAGS = 0
_ERRORS: dict[str, type[DLCLiveError]] = {"usage": UsageError, "dependency": DependencyError}
