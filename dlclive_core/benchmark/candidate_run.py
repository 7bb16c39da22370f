"""Runs a loaded candidate frame by frame and times it."""

from __future__ import annotations

import math
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
from dlclive_core.regions import FollowingCrop, fit_to_model, predict_through

Image = NDArray[np.uint8]


class CandidateRun:
    """Runs a candidate and records its times. After a failure, the model is closed and all calls do nothing."""

    def __init__(self, candidate: Candidate, catalog: PluginCatalog) -> None:
        self.candidate = candidate
        self.failure = ""
        self._load = self._first = float("nan")
        self._warm = float("nan")
        self._times: list[float] = []
        self._raw_call: list[float] = []
        self._poses: list[Pose] = []
        self._lateness: list[float] = []
        self._dropped = 0
        self._searched = 0
        self._searched_again = False
        self._input_size: tuple[int, int] | None = None
        self._region = candidate.region()
        self._windows = [region for region in self._region.regions if isinstance(region, FollowingCrop)]
        self._model: PoseModel | None = None
        self._card: ModelCard | None = None
        self._device = ""
        self._guard(lambda: self._open(catalog))

    def _open(self, catalog: PluginCatalog) -> None:
        candidate = self.candidate
        began = time.perf_counter()
        model = load_model(
            candidate.path,
            candidate.runtime,
            device=candidate.device,
            precision=candidate.precision,
            catalog=catalog,
            **candidate.options,
        )
        self._load = time.perf_counter() - began
        self._model, self._card, self._device = model, model.card, model.device

    def warm_up(self, frames: list[Image], count: int) -> None:
        """Run the first inference, which is timed separately, and `count` more frames."""
        self._guard(lambda: self._warm_up(frames, count))

    def run(self, frames: list[Image], *, first: bool, raw_call: bool, poses: bool) -> None:
        """Run consecutive frames.

        Args:
            frames: in order.
            first: whether they start a round, which resets tracking.
            raw_call: whether to time the runtime's own call after each call.
            poses: whether to keep the poses.
        """
        self._guard(lambda: self._run(frames, first=first, raw_call=raw_call, poses=poses))

    def replay(self, frames: list[Image], rate: float, *, first: bool) -> None:
        """Replay frames at `rate` frames per second, like a live camera: takes the newest frame and drops those in between."""
        self._guard(lambda: self._replay(frames, rate, first=first))

    @property
    def expected(self) -> float:
        """Seconds that a call will take, from the warm-up, or else from the first inference; 0 after a failure."""
        seconds = self._first if math.isnan(self._warm) else self._warm
        return 0.0 if self.failure or math.isnan(seconds) else seconds

    def close(self) -> None:
        """Release the model's memory. Safe to call twice."""
        if self._model is not None:
            self._model.close()
            self._model = None

    def result(self, frames: int) -> Measurement:
        """The measurement; without poses unless there is one for each of the `frames` frames."""
        return Measurement(
            candidate=self.candidate,
            times=np.array(self._times),
            first=self._first,
            load=self._load,
            raw_call=np.array(self._raw_call),
            poses=tuple(self._poses) if len(self._poses) == frames else (),
            lateness=np.array(self._lateness),
            dropped=self._dropped,
            searched=self._searched,
            input_size=self._input_size,
            device=self._device,
            card=self._card,
            failure=self.failure,
        )

    def _guard(self, step: Callable[[], None]) -> None:
        """Run a step unless an earlier one has failed; record a failure."""
        if self.failure:
            return
        try:
            step()
        except Exception as error:  # the failure becomes a row with the reason; the other candidates continue
            is_memory = isinstance(error, MemoryError) or isinstance(error.__cause__, MemoryError)
            self.failure = f"out of memory: {one_line(error)}" if is_memory else one_line(error)
        if self.failure:
            self.close()

    def _warm_up(self, frames: list[Image], count: int) -> None:
        fit_to_model(self._region, self._opened().card)
        began = time.perf_counter()
        self._step(frames[0])
        self._first = time.perf_counter() - began
        for height, width in self._region.views(frames[0].shape[:2])[1:]:  # windows; the first view has run
            self._opened().warmup((height, width, 3))
        for index in range(count):
            began = time.perf_counter()
            self._step(frames[(index + 1) % len(frames)])
            self._warm = time.perf_counter() - began

    def _run(self, frames: list[Image], *, first: bool, raw_call: bool, poses: bool) -> None:
        model = self._opened()
        self._begin_turn(frames[0], first=first)
        for number, frame in enumerate(frames):
            searching = self._searching
            began = time.perf_counter()
            pose, view = self._step(frame)
            self._times.append(time.perf_counter() - began)
            searching |= self._searched_again
            self._record_size(view)
            if raw_call and isinstance(model, BottomUpModel):
                self._raw_call.append(_raw_call_seconds(model, view))
            if poses:
                self._poses.append(pose)
                self._searched += searching and not (first and number == 0)

    def _replay(self, frames: list[Image], rate: float, *, first: bool) -> None:
        self._begin_turn(frames[0], first=first)
        began, number = time.perf_counter(), 0
        while number < len(frames):
            newest = min(int((time.perf_counter() - began) * rate), len(frames) - 1)
            if newest < number:
                time.sleep(max(0.0, began + number / rate - time.perf_counter()))
                continue
            self._step(frames[newest])
            self._lateness.append(time.perf_counter() - began - newest / rate)
            self._dropped += newest - number
            number = newest + 1

    def _begin_turn(self, frame: Image, *, first: bool) -> None:
        model = self._opened()
        if first:
            self._region.reset()
            model.reset()
        if not model.remembers:  # refill the caches after the previous candidate
            view, _ = self._region.cut(frame)
            model.predict(view)

    def _step(self, frame: Image) -> tuple[Pose, Image]:
        views: list[Image] = []

        def predict(view: Image) -> Pose:
            views.append(view)
            return self._opened().predict(view)

        pose = predict_through(self._region, frame, predict)
        self._searched_again = len(views) > 1
        return pose, views[-1]

    @property
    def _searching(self) -> bool:
        return any(not window.is_following for window in self._windows)

    def _record_size(self, view: Image) -> None:
        height, width = view.shape[:2]
        if self._input_size is None or width * height > self._input_size[0] * self._input_size[1]:
            self._input_size = (width, height)

    def _opened(self) -> PoseModel:
        assert self._model is not None  # _guard runs nothing after a failure
        return self._model


def _raw_call_seconds(model: BottomUpModel, view: Image) -> float:
    call = model.network.raw_call(network_input(model.card, as_rgb(view)[None]))
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
