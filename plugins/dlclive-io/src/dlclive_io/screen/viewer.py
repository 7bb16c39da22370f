"""The viewer's process, seen from the session."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from typing import IO, Any

from dlclive_core import DependencyError, DLCLiveError, SourceError, UsageError
from dlclive_io.screen.newest_estimate import NewestEstimate
from dlclive_io.screen.pipe_messages import PICTURE, send
from dlclive_io.screen.viewer_update import answer

# The session's own path is handed over, and -I: nothing of the folder that it was started in is imported. -S: no files of
# site-packages that run at every start.
_PROGRAM = "import sys; sys.path[:] = {path!r}; from dlclive_io.screen.viewer_process import main; main({module!r})"
_START = 30.0  # seconds to show a sign of life, on a machine that is busy
_WAIT = 0.1  # seconds that the viewer waits for a new frame before it hears that there is none
_PIPE = 1 << 20  # bytes
_END = 0.8  # seconds to end before it is killed


class Viewer:
    """Starts a viewer, answers its questions in a thread of its own, ends it.

    Args:
        module: of `dlclive_io.screen`, with a function `show(hello, session)`.
        hello: what it is told at the start.
        newest: where the answers come from.
        width: pictures are made as small as this.
    """

    def __init__(self, module: str, hello: dict[str, Any], newest: NewestEstimate, width: int) -> None:
        self._module, self._hello, self._newest, self._width = module, hello, newest, width
        self._began = threading.Event()
        self._first: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None

    @property
    def is_alive(self) -> bool:
        """Whether the viewer still asks for pictures."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def exit_code(self) -> int | None:
        """Of the process, None while it runs; negative for the signal that ended it."""
        return None if self._process is None else self._process.poll()

    @property
    def process_id(self) -> int | None:
        return None if self._process is None else self._process.pid

    def open(self) -> str:
        """Start it and return what it says when it is there; raises the error that it has instead."""
        program = _PROGRAM.format(path=[path for path in sys.path if path], module=self._module)
        # A session of its own, so that Ctrl-C in the terminal reaches only the one that can end in order.
        windows = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
            creationflags=windows,
        )
        _widen(self._process.stdin)
        self._thread = threading.Thread(target=self._serve, args=(self._process,), name="dlclive viewer", daemon=True)
        self._thread.start()
        if not self._began.wait(_START) or not self._first:
            self.close()
            raise SourceError(
                f"the display's process did not start (exit code {self.exit_code}); go on without display"
            )
        if "error" in self._first:
            self.close()
            raise _ERRORS.get(self._first["kind"], SourceError)(self._first["error"])
        return self._first["ready"]

    def close(self) -> None:
        """End it within a second, whatever it is doing. Safe to call twice."""
        self._newest.end()
        process, thread = self._process, self._thread
        if process is None or thread is None:
            return
        try:
            process.wait(_END)
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
            except OSError:  # the viewer is gone: `close` or the next `write` says so
                pass
            finally:
                self._began.set()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_END)  # so that who sees that it is gone also sees how

    def _answer_all(self, down: IO[bytes], up: IO[bytes]) -> None:
        send(down.write, self._hello, None)
        line = up.readline()
        if not line:
            return
        self._first = json.loads(line)
        self._began.set()
        while question := up.read(1):
            reading = self._newest.take(picture=question == PICTURE, within=_WAIT)
            send(down.write, *answer(reading, self._width))
            if reading.ended:
                return


def _widen(pipe: IO[bytes] | None) -> None:
    """Let a picture go through with fewer changes between the two processes. Linux only; others have to do without."""
    if sys.platform == "linux" and pipe is not None:
        import fcntl

        with contextlib.suppress(OSError):  # the user's share of pipes is used up
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)


_ERRORS: dict[str, type[DLCLiveError]] = {"usage": UsageError, "dependency": DependencyError}
