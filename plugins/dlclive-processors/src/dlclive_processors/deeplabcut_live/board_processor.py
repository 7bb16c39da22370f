"""What the processors for DeepLabCut-live's example boards share: the port, the keypoints, the file of times."""

from __future__ import annotations

import atexit
import logging
from abc import abstractmethod
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlclive_core import DLCLiveError, ModelCard, OutputError, Processor, RunInfo, UsageError, check_number, write_whole
from dlclive_processors.deeplabcut_live.board import Board
from dlclive_processors.deeplabcut_live.processor import Array
from dlclive_processors.deeplabcut_live.saved_file import SavedFile

_log = logging.getLogger(__name__)

_SILENT = 3
"""Questions in a row without an answer after which the board is lost."""


class BoardProcessor(Processor):
    """A processor in DeepLabCut-live's style, `process(pose, **kwargs)`, that sends bytes to a board.

    None of DeepLabCut-live's example boards has a watchdog: what is on stays on if the computer dies or hangs. This class
    switches off when the run ends, when `process` raises, and when the program exits. For anything that can do harm, use
    `Stimulate`, whose board switches off by itself.

    Sessions and `DLCLive` open and close it. It can also be used with DeepLabCut-live itself, after `open()`.

    Args:
        com: the port; "" for none.
        baudrate: bits per second.
        lik_thresh: a keypoint counts above this likelihood; one that is missing never does.
        timeout: seconds to wait for an answer.
        keypoints: option -> the keypoint's name, or its number if it was not named.
        save: the file to write at the end.
        overwrite: whether that file may be replaced.
    """

    def __init__(
        self,
        com: str,
        baudrate: int,
        lik_thresh: float,
        timeout: float,
        keypoints: Mapping[str, str | int],
        save: Path | None,
        overwrite: bool,
    ) -> None:
        self.com = com
        self.baudrate = int(check_number("baudrate", baudrate, least=300))
        self.lik_thresh = check_number("lik_thresh", lik_thresh, least=0, most=1)
        self._timeout = check_number("timeout", timeout, above=0, most=1)
        self._keypoints = dict(keypoints)
        self._file = SavedFile(save, overwrite) if save is not None else None
        self._overwrite = overwrite
        self._board: Board | None = None
        self._is_open = False
        self._unanswered = self._silent = 0
        self._rows: dict[str, int] = {}

    # ---- what the subclasses do

    @abstractmethod
    def _act(self, animals: NDArray[np.floating[Any]], keywords: Mapping[str, Any]) -> None:
        """Decide on a pose, (N, K, 3), and send."""

    @abstractmethod
    def _begin(self) -> None:
        """Forget the times of an earlier run."""

    @abstractmethod
    def _content(self) -> bytes:
        """The file with the times."""

    def _last_bytes(self) -> bytes:
        """What switches the board off; sent before its port is closed."""
        return b""

    # ---- the lifecycle

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The file of `save`, if it was asked for."""
        return () if self._file is None else (self._file.path,)

    @property
    def statistics(self) -> Mapping[str, float]:
        """`unanswered`: questions to which the board did not reply in time."""
        return {"unanswered": self._unanswered}

    def check(self, card: ModelCard) -> None:
        """Raise UsageError if the model has no such keypoint."""
        self._find(card)

    def open(self, run: RunInfo | None = None) -> None:
        """Find the keypoints and open the port. Without a run, as for DeepLabCut-live itself, keypoints have numbers only.

        Raises:
            UsageError: the model has no such keypoint.
            DependencyError, OutputError: the port cannot be opened.
            OutputExistsError, DataError: the file of `save` cannot be written.
        """
        self.close()
        self._find(None if run is None else run.card)
        if self._file is not None:
            self._file.check()
        self._unanswered = self._silent = 0
        self._begin()
        if self.com:
            self._board = Board(self.com, self.baudrate, self._timeout)
        self._is_open = True
        atexit.register(self.close)  # a script that ends without closing must not leave a laser on

    def process(self, pose: Array, **kwargs: Any) -> Array:  # type: ignore[override]  # DeepLabCut-live's signature
        """Return the pose, (K, 3) or (N, K, 3), unchanged.

        Args:
            pose: x, y in pixels, likelihood.
            kwargs: `frame_time` (wall time in seconds) and `record`, as in DeepLabCut-live.

        Raises:
            OutputError: the port is gone, or the board no longer answers.
        """
        if not self._is_open:
            raise UsageError(f"{type(self).__name__} is not open; call open() before process(), or run it in a Session")
        if self.com and self._board is None:
            raise OutputError(f"port {self.com} was closed after an error; start again")
        try:
            self._act(pose if pose.ndim == 3 else pose[None], kwargs)
        except BaseException:
            self._release(quietly=True)
            raise
        return pose

    def close(self) -> None:
        """Switch off, close the port, and write the file of `save`. Safe to call twice.

        Raises:
            OutputError: the board could not be told to switch off.
            DataError, OutputExistsError: the file cannot be written.
        """
        was_open, self._is_open = self._is_open, False
        if not was_open:
            return
        atexit.unregister(self.close)
        with ExitStack() as stack:  # the file is written even if the port is gone
            if self._file is not None:
                stack.callback(self._write, self._file.path, overwrite=self._overwrite)
            stack.callback(self._release)

    def save(self, filename: str = "") -> Any:
        """Write the times to a file, which is replaced if it exists. Returns whether it did."""
        if not filename:
            return False
        try:
            self._write(Path(filename), overwrite=True)
        except DLCLiveError as error:
            _log.error("%s", error)
            return False
        return True

    def _write(self, path: Path, *, overwrite: bool) -> None:
        write_whole(path, self._content(), overwrite=overwrite)

    def _release(self, *, quietly: bool = False) -> None:
        board, self._board = self._board, None
        if board is None:
            return
        try:
            board.close(self._last_bytes())
        except OutputError as error:
            text = f"{type(self).__name__} could not switch off: {error}"
            if not quietly:
                raise OutputError(text) from error
            _log.error("%s", text)

    # ---- keypoints and answers

    def _find(self, card: ModelCard | None) -> None:
        for option, keypoint in self._keypoints.items():
            if isinstance(keypoint, str):
                if card is None:
                    raise UsageError(
                        f"{option} is {keypoint!r}; without a run, keypoints have no names: give its number"
                    )
                self._rows[option] = card.skeleton.index(keypoint)
            else:
                if card is not None and keypoint >= len(card.skeleton):
                    raise UsageError(
                        f"the model has {len(card.skeleton)} keypoints, and {option} is number {keypoint}, counted from 0; "
                        f"name it: {option.partition('[')[0]}=..."
                    )
                self._rows[option] = keypoint

    def _points(self, animals: NDArray[np.floating[Any]], option: str) -> NDArray[np.floating[Any]]:
        """(N, 3) of a keypoint, with likelihood 0 where it does not count."""
        row = self._rows[option]
        if row >= animals.shape[1]:
            raise UsageError(f"the pose has {animals.shape[1]} keypoints, and {option} is number {row}, counted from 0")
        points = animals[:, row].copy()
        counts = np.isfinite(points).all(axis=1) & (points[:, 2] > self.lik_thresh)
        points[~counts] = 0
        return points

    def _ask(self, question: bytes) -> bytes:
        """The board's answer, one byte; b"" if it did not come in time. Raises OutputError after several of these."""
        if self._board is None:
            return b""
        answer = self._board.ask(question)
        self._silent = 0 if answer else self._silent + 1
        if not answer:
            self._unanswered += 1
            if self._silent >= _SILENT:
                raise OutputError(
                    f"no answer from the board on {self.com}; is it the right port, and its sketch loaded?"
                )
            _log.warning("no answer from the board on %s within %g s", self.com, self._timeout)
        return answer
