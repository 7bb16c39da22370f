"""A user's network on windows of poses, in an ONNX file."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_core import ModelError, ModelNotFoundError, UsageError, nearest
from dlclive_processors.triggers.external_data import has_external_data

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # its official builds report what they run

import onnxruntime as ort

MOST_FRAMES = 10_000
"""Of a window: over a minute and a half of a fast camera. A file may claim any number, and each animal's window is kept."""


class PoseNetwork:
    """Runs the file on the CPU, in one thread. It is loaded from its bytes, and may not refer to other files.

    Args:
        path: of the file.
        keypoints: K.
        window: frames; None: as the file says.

    Attributes:
        window: frames, T.

    Raises:
        ModelNotFoundError, ModelError: there is no such file; it cannot be loaded or refers to other files.
        UsageError: its input or output is not what a classifier has; the message says what it takes and what it is given.
    """

    def __init__(self, path: Path, keypoints: int, window: int | None) -> None:
        self._path, self._keypoints = path, keypoints
        self._session = _load(path)
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or inputs[0].type != "tensor(float)":
            takes = ", ".join(f"{each.name}: {each.type} {each.shape}" for each in inputs)
            raise self._mismatch(takes, "one input of float32")
        self._input = inputs[0].name
        self._shape = list(inputs[0].shape)
        self.window = self._window(window)
        if isinstance(self._shape[0], int) and self._shape[0] != 1:
            raise self._mismatch(str(self._shape), "a first axis of 1, or of any length")
        self._output, self.classes = self._scores_of()
        self._is_batched = self._shape[0] != 1 and self._runs_two()

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the classes, from the file's metadata entry `labels`: separated by commas; empty if it has none."""
        text = self._session.get_modelmeta().custom_metadata_map.get("labels", "")
        return tuple(name.strip() for name in text.split(",")) if text.strip() else ()

    def column(self, label: str) -> int:
        """The column of a class by its name or number. Raises UsageError."""
        names = self.labels
        if self.classes == 1 and not label:
            return 0
        if label in names:
            return names.index(label)
        if label.isdecimal() and int(label) < self.classes:
            return int(label)
        known = names or [str(number) for number in range(self.classes)]
        given = f"there is no label {label!r}" if label else "give label"
        raise UsageError(f"{self._path} has {self.classes} classes; {given}: {nearest(label, known)}")

    def run(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, C) scores of (N, T, K, 3) windows."""
        shape = self._shape_of(len(windows) if self._is_batched else 1)
        batches = [windows] if self._is_batched else [window[None] for window in windows]
        scores = [self._session.run([self._output], {self._input: batch.reshape(shape)})[0] for batch in batches]
        return np.concatenate([np.asarray(each, np.float32).reshape(-1, self.classes) for each in scores])

    def _window(self, window: int | None) -> int:
        """The number of frames, from the shape of the input: (B, T, K, 3), (B, T, K*3) or (B, T*K*3)."""
        given, row = self._shape, 3 * self._keypoints
        ends = {4: [self._keypoints, 3], 3: [row], 2: []}.get(len(given))
        frames: int | None = None
        fits = ends is not None and all(not isinstance(a, int) or a == b for a, b in zip(given[2:], ends, strict=False))
        if fits and isinstance(given[1], int):
            frames, rest = (given[1], 0) if len(given) > 2 else divmod(given[1], row)
            fits = frames >= 1 and rest == 0
        if not fits or (frames is not None and window not in (None, frames)):
            asked = "T" if window is None else window
            forms = f"(1, {asked}, {self._keypoints}, 3), (1, {asked}, {row}) or (1, {asked}*{row})"
            raise self._mismatch(
                str(given), f"x, y, confidence of {self._keypoints} keypoints in {asked} frames: {forms}"
            )
        if frames is None and window is None:
            raise UsageError(f"{self._path} takes any number of frames; give window, the number it was trained with")
        length = frames if frames is not None else int(window or 1)
        if length > MOST_FRAMES:
            raise UsageError(f"{self._path}: a window of {length} frames is too long; {MOST_FRAMES} are allowed")
        return length

    def _shape_of(self, count: int) -> tuple[int, ...]:
        row = 3 * self._keypoints
        ends = {4: (self.window, self._keypoints, 3), 3: (self.window, row), 2: (self.window * row,)}
        return (count, *ends[len(self._shape)])

    def _scores_of(self) -> tuple[str, int]:
        """The first output of float32, and its number of classes, by running it once."""
        names = [each.name for each in self._session.get_outputs() if each.type == "tensor(float)"]
        if not names:
            kinds = ", ".join(f"{each.name}: {each.type}" for each in self._session.get_outputs())
            raise UsageError(
                f"{self._path} gives {kinds}; a classifier gives a float32 probability or scores of classes"
            )
        zeros = np.zeros(self._shape_of(1), np.float32)
        try:
            scores = np.asarray(self._session.run(names[:1], {self._input: zeros})[0])
        except Exception as error:  # ONNX Runtime's own errors have no common base that is public
            raise ModelError(f"{self._path} cannot be run: {_line(error)}") from None
        if scores.size == 0 or scores.ndim > 2 or (scores.ndim == 2 and scores.shape[0] != 1):
            raise UsageError(
                f"{self._path} gives {names[0]} of shape {scores.shape}; a classifier gives (1,) or (1, classes)"
            )
        return names[0], 1 if scores.ndim < 2 else scores.shape[1]

    def _runs_two(self) -> bool:
        """Whether it takes two windows at once, as the shape of its input says: some reshape to one."""
        try:
            scores = self._session.run([self._output], {self._input: np.zeros(self._shape_of(2), np.float32)})[0]
        except Exception:
            return False
        return bool(np.size(scores) == 2 * self.classes)

    def _mismatch(self, takes: str, given: str) -> UsageError:
        return UsageError(f"{self._path} takes {takes}; the classifier gives {given}")


def _load(path: Path) -> ort.InferenceSession:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ModelNotFoundError(f"no such file: {path}") from None
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from None
    try:
        if has_external_data(content):
            raise ModelError(f"{path} keeps weights in other files, which are not read; save it as one file")
    except ValueError:
        raise ModelError(f"{path} is not an ONNX file") from None
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # a small network: threads would only wait
    options.log_severity_level = 4
    try:
        return ort.InferenceSession(content, sess_options=options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelError(f"{path} cannot be loaded: {_line(error)}") from None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
