"""A network of the user's own decides."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Unpack

from dlclive_core import Skeleton, UsageError, check_number, check_whole
from dlclive_processors.triggers.columns import columns_of, names_of
from dlclive_processors.triggers.condition import UNKNOWN, Condition, Reading, Subject
from dlclive_processors.triggers.pose_network import PoseNetwork
from dlclive_processors.triggers.scene import Scene
from dlclive_processors.triggers.shared_options import TriggerOptions
from dlclive_processors.triggers.trigger import Trigger


class Classified(Condition):
    """A network's score for the last T poses of an individual is at least a threshold; its value is the score.

    The network gets float32 (1, T, K, 3): x, y, confidence of K keypoints in the last T frames, oldest first, with 0, 0, 0
    where a keypoint is not seen. A file whose input is (1, T, K*3) or (1, T*K*3) gets the same numbers in this order. It
    returns a probability, (1,) or (1, 1), or the scores of classes, (1, C).

    Unknown until T frames have come, and while nothing of the individual is seen. See `ClassifierTrigger` for the arguments.
    """

    dimensions = (2,)

    def __init__(
        self,
        model: Path,
        *,
        threshold: float,
        label: str,
        window: int | None,
        keypoints: Sequence[str],
        centred: bool,
        scaled: bool,
        softmax: bool,
    ) -> None:
        self._model, self._label, self._window = model, label, window
        self._threshold = check_number("threshold", threshold)
        self._keypoints = names_of("keypoints", keypoints)
        if scaled and not centred:
            raise UsageError("scaled needs centred=true: the scale is the size around the centre")
        self._is_centred, self._is_scaled, self._softmax = centred, scaled, softmax
        self._network: PoseNetwork | None = None
        self._loaded_for = -1
        self._column = 0
        self._place: list[int] | slice = slice(None)
        self.reset()

    def bind(self, skeleton: Skeleton) -> None:
        """Find the keypoints and load the network. Raises also ModelError."""
        self.columns = columns_of(self._keypoints, skeleton) or tuple(range(len(skeleton)))
        are_all = self.columns == tuple(range(len(skeleton)))
        self._place = slice(None) if are_all else list(self.columns)  # a slice needs no copy
        if self._network is None or self._loaded_for != len(self.columns):
            network = PoseNetwork(self._model, len(self.columns), self._window)
            self._column = network.column(self._label)
            self._network, self._loaded_for = network, len(self.columns)
        self.reset()

    def reset(self) -> None:
        self._names: tuple[str, ...] = ()
        self._windows = np.zeros((0, 1, 1, 3))  # (N, T, K, 3): x, y, confidence of the last frames, oldest first
        self._counts = np.zeros(0, np.intp)  # (N,): frames in them, at most T

    def evaluate(self, scene: Scene) -> Mapping[Subject, Reading]:
        assert self._network is not None
        columns = self._place
        self._append(scene.names, scene.points[:, columns, :2], scene.pose.confidence[:, columns])
        is_seen = np.logical_or.reduce(scene.seen[:, columns], axis=1)
        ready = np.flatnonzero(is_seen & (self._counts == self._network.window)).tolist()
        readings: dict[Subject, Reading] = {(name,): UNKNOWN for name in scene.names}
        if ready:
            scores = self._scores(self._prepared(self._windows[ready]))
            for row, score in zip(ready, scores, strict=True):
                readings[scene.names[row],] = self._reading(score)
        return readings

    def _append(self, names: tuple[str, ...], xy: NDArray[np.float64], confidence: NDArray[np.float32]) -> None:
        """Add a frame: (N, K, 2) and (N, K) of these individuals. Those that are not among them are forgotten."""
        if names != self._names:
            assert self._network is not None
            windows = np.zeros((len(names), self._network.window, *xy.shape[1:2], 3))
            counts = np.zeros(len(names), np.intp)
            for row, name in enumerate(names):
                if name in self._names:
                    before = self._names.index(name)
                    windows[row], counts[row] = self._windows[before], self._counts[before]
            self._names, self._windows, self._counts = names, windows, counts
        windows = self._windows
        windows[:, :-1] = windows[:, 1:]
        windows[:, -1, :, :2], windows[:, -1, :, 2] = xy, confidence
        self._counts = np.minimum(self._counts + 1, windows.shape[1])

    def _prepared(self, windows: NDArray[np.float64]) -> NDArray[np.float32]:
        """(N, T, K, 3) windows as the network gets them: centred, scaled, and 0 where nothing is seen."""
        xy = windows[..., :2]
        unseen = np.isnan(xy[..., 0])
        if self._is_centred:
            newest, is_there = xy[:, -1], ~unseen[:, -1]
            counts = is_there.sum(axis=1)[:, None]  # at least 1
            centre = np.where(is_there[..., None], newest, 0.0).sum(axis=1) / counts
            xy -= centre[:, None, None]
            if self._is_scaled:
                squares = np.where(is_there[..., None], np.square(newest), 0.0).sum(axis=(1, 2))
                size = np.sqrt(squares / counts[:, 0])
                xy /= np.where(size > 0, size, 1.0)[:, None, None, None]
        windows[unseen] = 0.0
        return np.clip(windows, -3e38, 3e38).astype(np.float32)

    def _scores(self, windows: NDArray[np.float32]) -> list[float]:
        assert self._network is not None
        scores = self._network.run(windows).astype(np.float64)
        if self._softmax:
            with np.errstate(invalid="ignore"):  # a score that is infinite gives NaN: unknown
                powers = np.exp(scores - scores.max(axis=1, keepdims=True))
                scores = powers / powers.sum(axis=1, keepdims=True)
        return scores[:, self._column].tolist()

    def _reading(self, score: float) -> Reading:
        return Reading(score >= self._threshold, score) if math.isfinite(score) else UNKNOWN


class ClassifierTrigger(Trigger):
    """Reports when a network recognises a behaviour in the last poses of an animal, and switches an output meanwhile.

    Args:
        model: ONNX file, complete in itself; see `Classified` for its input and output.
        threshold: least score.
        label: the class, by its number from 0, or by its name if the file's metadata has an entry `labels`, separated by
            commas. Not for a file that returns a single probability.
        window: frames, T, at most 10,000; needed if the file's input leaves it open.
        keypoints: in the order in which the network was trained; default: those of the model, in its order.
        centred: subtract the mean position of the keypoints seen in the newest frame from all frames.
        scaled: then divide by the root mean square distance of these keypoints from that mean.
        softmax: turn the scores into probabilities: exp(s_i) / sum exp(s_j).
        options: those of all triggers, see `Trigger`.
    """

    def __init__(
        self,
        model: str,
        *,
        threshold: float = 0.5,
        label: str = "",
        window: int | None = None,
        keypoints: Sequence[str] = (),
        centred: bool = False,
        scaled: bool = False,
        softmax: bool = False,
        **options: Unpack[TriggerOptions],
    ) -> None:
        condition = Classified(
            Path(model),
            threshold=threshold,
            label=str(label),
            window=None if window is None else check_whole("window", window, least=1, of="of frames"),
            keypoints=keypoints,
            centred=centred,
            scaled=scaled,
            softmax=softmax,
        )
        super().__init__(condition, **options)
