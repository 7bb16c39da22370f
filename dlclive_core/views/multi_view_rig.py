"""Several calibrated cameras that look at the same animals: their poses in pixels, and one in space."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from dlclive_core.components import Processor, Sink
from dlclive_core.data.card import ModelCard
from dlclive_core.errors import DataError, UsageError
from dlclive_core.session.report import SessionReport
from dlclive_core.session.rig import Rig
from dlclive_core.session.session import Session, run_together
from dlclive_core.session.spec import SessionSpec
from dlclive_core.views.aligned_slots import AlignedSlots
from dlclive_core.views.calibration import Calibration
from dlclive_core.views.triangulating_model import TriangulatingModel, TriangulationCounts
from dlclive_core.views.view_join import FrameTimes, PairBy, ViewCollector, ViewJoin
from dlclive_core.views.view_options import ViewOptions


class MultiViewRig(Rig):
    """Runs a session for each camera, and one more whose frames are those that were taken at the same time.

        left    source -> model -> processors -> sinks
                                        |
        3-D                           pairs -> triangulation -> processors -> sinks
                                        |
        right   source -> model -> processors -> sinks

    The first camera is the reference: a pair has its number and its time. (With three cameras it is a set of three, or of the
    two that are there.) Of live cameras, the newest pair wins; recordings are paired without loss. Each camera's report counts
    what became of its frames: `paired`, and `unpaired_` with a reason; together they are the frames processed. The 3-D session
    is one as any other: its report, counts, events, watchdog and closing are those of `Session`, and an error of one of its
    processors ends the rig.

    A keypoint in space needs `min_views` cameras that see it with `min_confidence`; with three or more, a view that contradicts
    the others is left out. Where the error is above `max_error`, the keypoint is missing. Several animals are matched by their
    ids, if all poses have them, otherwise by the geometry of the views.

    Args:
        calibration: of the cameras, or the path of its file; see `Calibration`.
        sessions: one for each camera, by the camera's name in the calibration, all live or all recordings, whose models have
            the same keypoints.
        processors: of the poses in space, which are `Pose3D`; each declares `dimensions` with a 3.
        sinks: of the poses in space, likewise. The frames are `FrameSet`s, with the poses of the cameras.
        pair_by: "time": live by the time of capture on the computer's clock, corrected by the camera's own, recordings by the
            time in the file; "device": by the cameras' own clocks, which must agree, for example by PTP; "number": by the
            number of the frame, for cameras with a common trigger that all began with the same pulse.
        tolerance: the largest difference in time within a pair, in seconds; less than half the time between two frames.
        offsets: seconds to add to a camera's times, by name, for example for a camera that is late by a constant.
        wait: seconds that a frame of a live reference waits for the others.
        min_views: the fewest cameras in a pair, and for a keypoint; at least 2.
        max_error: the largest reprojection error [px], root mean square over the views used.
        min_confidence: a keypoint below it is not used.
        scale: use the calibration for frames of another size, if the aspect ratio is the same.
        queue_size, deadline: of the 3-D session; see `Session`.
        name: of the 3-D session.

    Attributes:
        session_3d: the 3-D session; the last one of `sessions`.

    Raises:
        UsageError: an option, a name that the calibration does not have, or what `Rig` and `Session` refuse.
        DataError: the calibration.
    """

    def __init__(
        self,
        calibration: Calibration | Path | str,
        sessions: Mapping[str, Session],
        *,
        processors: Sequence[Processor] = (),
        sinks: Sequence[Sink] = (),
        pair_by: PairBy = "time",
        tolerance: float = 0.005,
        offsets: Mapping[str, float] | None = None,
        wait: float = 0.05,
        min_views: int = 2,
        max_error: float = 10.0,
        min_confidence: float = 0.6,
        scale: bool = False,
        queue_size: int | None = None,
        deadline: float = 1.0,
        name: str = "3d",
    ) -> None:
        if not isinstance(sessions, Mapping) or len(sessions) < 2:
            raise UsageError(
                'a MultiViewRig needs two sessions by the names of their cameras: {"left": ..., "right": ...}'
            )
        self.calibration = calibration if isinstance(calibration, Calibration) else Calibration.read(calibration)
        self._cameras = [self.calibration.camera(camera) for camera in sessions]
        self._scale, self._lock = scale, threading.Lock()
        options = ViewOptions(
            pair_by=pair_by,
            tolerance=tolerance,
            offsets=offsets or {},
            wait=wait,
            min_views=min_views,
            max_error=max_error,
            min_confidence=min_confidence,
            scale=scale,
        )
        options.check(tuple(sessions))
        views = list(sessions.values())
        Rig(views)  # refuses what is used twice
        is_live = {session.source.is_live for session in views}
        if len(is_live) > 1:
            raise UsageError("some sources are live and others recordings: their times have nothing in common")
        self._model = TriangulatingModel(_card(sessions), self._cameras, options.limits, self.calibration.unit)
        self._join = ViewJoin(
            tuple(sessions),
            is_live=is_live.pop(),
            fps=lambda: views[0].source.fps,
            options=options.join,
            is_over=lambda camera: views[camera].state in ("closing", "ended"),
            is_read=lambda: self.session_3d.state not in ("closing", "ended"),
        )
        self.session_3d = Session(
            source=self._join,
            model=self._model,
            processors=[TriangulationCounts(self._model), *processors],
            sinks=sinks,
            regions=(),
            queue_size=queue_size,
            deadline=deadline,
            name=name,
        )
        times = [
            FrameTimes(pair_by, is_live=self._join.is_live, offset=options.offsets.get(camera, 0.0))
            for camera in sessions
        ]
        self._slots = AlignedSlots([time.of for time in times], tolerance if pair_by != "number" else 0.0)
        self._collectors = {
            id(session): ViewCollector(self._join, number, times[number], self._check_size)
            for number, session in enumerate(views)
        }
        super().__init__([*views, self.session_3d])

    def run(self) -> tuple[SessionReport, ...]:
        """As `Rig.run`. The report of the 3-D session is the last."""
        return run_together(self.sessions, self._spec)

    def _spec(self, session: Session) -> SessionSpec:
        spec = session.spec()
        collector = self._collectors.get(id(session))
        if collector is None:
            return spec
        spec = replace(spec, processors=(*spec.processors, collector))
        if spec.source.is_live:
            return replace(spec, handoff=partial(self._slots.slot, collector.camera))
        return replace(spec, pace=collector.pace)

    def _check_size(self, number: int, size: tuple[int, int]) -> None:
        """Calibrate a camera for the size of its frames. Raises DataError."""
        camera = self._cameras[number]
        if size != camera.size and not self._scale:
            raise DataError(
                f"camera {camera.name!r} is calibrated for {camera.size[0]}x{camera.size[1]}, and its frames are "
                f"{size[0]}x{size[1]}; if they show the same, smaller or larger, use scale=True"
            )
        with self._lock:  # each camera's session may run in a thread of its own
            self._model.replace_camera(number, camera if size == camera.size else camera.scaled_to(size))


def _card(sessions: Mapping[str, Session]) -> ModelCard:
    """The card of the poses in space. Raises UsageError if the models have different keypoints."""
    (first, reference), *others = [(name, session.model.card) for name, session in sessions.items()]
    card = reference.with_(student=None)  # a position comes from several models, of which each knows its own frames
    for name, other in others:
        if other.skeleton.keypoints != reference.skeleton.keypoints:
            raise UsageError(
                f"the models of {first} and {name} have different keypoints: {', '.join(reference.skeleton.keypoints)}; "
                f"and {', '.join(other.skeleton.keypoints)}"
            )
        if other.unique_keypoints != reference.unique_keypoints:
            card = card.with_(unique_keypoints=())
    return card
