"""A candidate that is loaded and running: one step is one frame in, one pose out."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dlclive_core.benchmark.candidate import Candidate
from dlclive_core.benchmark.measurement import Measurement
from dlclive_core.components import PoseModel
from dlclive_core.data.card import ModelCard
from dlclive_core.data.frame import as_rgb
from dlclive_core.data.pose import Pose
from dlclive_core.errors import one_line
from dlclive_core.models.bottom_up import BottomUpModel
from dlclive_core.models.load import load_model
from dlclive_core.models.outputs import network_input
from dlclive_core.plugins.catalog import PluginCatalog
from dlclive_core.regions import FollowingCrop, check_follows, predict_through

Image = NDArray[np.uint8]


class CandidateRun:
    """Runs a candidate and notes its times. After a failure it does nothing any more, and has given its memory back."""

    def __init__(self, candidate: Candidate, catalog: PluginCatalog) -> None:
        self.candidate = candidate
        self.failure = ""
        self._load = self._first = float("nan")
        self._times: list[float] = []
        self._raw_call: list[float] = []
        self._poses: list[Pose] = []
        self._late: list[float] = []
        self._dropped = 0
        self._searched = 0
        self._looked_again = False
        self._seen: tuple[int, int] | None = None
        self._region = candidate.region()
        self._windows = [region for region in self._region.regions if isinstance(region, FollowingCrop)]
        self._model: PoseModel | None = None
        self._card: ModelCard | None = None
        self._device = ""
        self._trying(lambda: self._open(catalog))

    def _open(self, catalog: PluginCatalog) -> None:
        how = self.candidate
        began = time.perf_counter()
        model = load_model(
            how.path, how.runtime, device=how.device, precision=how.precision, catalog=catalog, **how.options
        )
        self._load = time.perf_counter() - began
        self._model, self._card, self._device = model, model.card, model.device

    def warm_up(self, frames: list[Image], count: int) -> None:
        """The first inference, which is timed apart, and `count` frames more."""
        self._trying(lambda: self._warm_up(frames, count))

    def run(self, frames: list[Image], *, first: bool, raw_call: bool, poses: bool) -> None:
        """Some frames that follow one another.

        Args:
            frames: in their order.
            first: whether they begin a round: animals that were followed before are forgotten.
            raw_call: whether the runtime's own call takes turns with ours.
            poses: whether the poses are kept.
        """
        self._trying(lambda: self._run(frames, first=first, raw_call=raw_call, poses=poses))

    def arrive(self, frames: list[Image], rate: float, *, first: bool) -> None:
        """The same frames as a camera gives them, `rate` a second: the newest is taken, and what it replaced is dropped."""
        self._trying(lambda: self._arrive(frames, rate, first=first))

    def close(self) -> None:
        """Give the memory back. Safe to call twice."""
        if self._model is not None:
            self._model.close()
            self._model = None

    def result(self, frames: int) -> Measurement:
        """What was measured; poses only if there is one for each of so many frames."""
        return Measurement(
            candidate=self.candidate,
            times=np.array(self._times),
            first=self._first,
            load=self._load,
            raw_call=np.array(self._raw_call),
            poses=tuple(self._poses) if len(self._poses) == frames else (),
            late=np.array(self._late),
            dropped=self._dropped,
            searched=self._searched,
            seen=self._seen,
            device=self._device,
            card=self._card,
            failure=self.failure,
        )

    def _trying(self, what: Callable[[], None]) -> None:
        if self.failure:
            return
        try:
            what()
        except MemoryError as error:
            self.failure = f"too little memory: {one_line(error)}"
        except Exception as error:  # a candidate that fails is a row with the reason, not the end of the others
            self.failure = one_line(error)
        if self.failure:
            self.close()

    def _warm_up(self, frames: list[Image], count: int) -> None:
        check_follows(self._region, self._opened().card)
        began = time.perf_counter()
        self._step(frames[0])
        self._first = time.perf_counter() - began
        for height, width in self._region.views(frames[0].shape[:2])[1:]:  # windows: the first view was just seen
            self._opened().warmup((height, width, 3))
        for index in range(count):
            self._step(frames[(index + 1) % len(frames)])

    def _run(self, frames: list[Image], *, first: bool, raw_call: bool, poses: bool) -> None:
        model = self._opened()
        self._begin_turn(frames[0], first=first)
        for number, frame in enumerate(frames):
            searching = self._searching
            began = time.perf_counter()
            pose, view = self._step(frame)
            self._times.append(time.perf_counter() - began)
            searching |= self._looked_again
            self._note_size(view)
            if raw_call and isinstance(model, BottomUpModel):
                self._raw_call.append(_raw_call_seconds(model, view))
            if poses:
                self._poses.append(pose)
                self._searched += searching and not (first and number == 0)

    def _arrive(self, frames: list[Image], rate: float, *, first: bool) -> None:
        self._begin_turn(frames[0], first=first)
        began, number = time.perf_counter(), 0
        while number < len(frames):
            newest = min(int((time.perf_counter() - began) * rate), len(frames) - 1)
            if newest < number:
                time.sleep(max(0.0, began + number / rate - time.perf_counter()))
                continue
            self._step(frames[newest])
            self._late.append(time.perf_counter() - began - newest / rate)
            self._dropped += newest - number
            number = newest + 1

    def _begin_turn(self, frame: Image, *, first: bool) -> None:
        model = self._opened()
        if first:
            self._region.reset()
            model.reset()
        if not model.remembers:  # caches hold what the candidate before left there
            view, _ = self._region.cut(frame)
            model.predict(view)

    def _step(self, frame: Image) -> tuple[Pose, Image]:
        seen: list[Image] = []

        def predict(view: Image) -> Pose:
            seen.append(view)
            return self._opened().predict(view)

        pose = predict_through(self._region, frame, predict)
        self._looked_again = len(seen) > 1
        return pose, seen[-1]

    @property
    def _searching(self) -> bool:
        return any(not window.is_following for window in self._windows)

    def _note_size(self, view: Image) -> None:
        height, width = view.shape[:2]
        if self._seen is None or width * height > self._seen[0] * self._seen[1]:
            self._seen = (width, height)

    def _opened(self) -> PoseModel:
        assert self._model is not None  # _trying runs nothing after a failure
        return self._model


def _raw_call_seconds(model: BottomUpModel, view: Image) -> float:
    call = model.network.raw_call(network_input(model.card, as_rgb(view)[None]))
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
