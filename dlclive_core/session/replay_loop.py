"""A recorded run goes through processors again, at the recorded times."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import replace

from dlclive_core.components import Processor
from dlclive_core.data.estimate import RunInfo
from dlclive_core.data.pose import Pose
from dlclive_core.data.recorded_run import RecordedFrame, RecordedRun
from dlclive_core.data.run_clock import ReplayClock
from dlclive_core.errors import DLCLiveError, PluginError, UsageError
from dlclive_core.session.array_processor import DeepLabCutLiveProcessor, as_processor
from dlclive_core.session.component_calls import checked_pose, errors_named
from dlclive_core.session.tolerant import processor_name


def not_replayable(name: str) -> UsageError:
    """The error for a processor that does not say that it may run in a replay."""
    return UsageError(
        f"processor {name} does not say that it can be replayed, and might drive a device: replay the run with other "
        "processors, without it; or, in a class of dlclive's own kind that takes the time from RunInfo.clock and drives "
        "nothing where RunInfo.is_replay, set replays = True"
    )


class ReplayLoop:
    """Calls processors as the loop of a session does, with times that were recorded. Used by one thread.

    The processors are opened with the description of the recorded run, `is_replay` set: a live one stays live. Its clock
    stands at the moment at which the model returned the frame's pose, so that nobody asks the computer's.

    Args:
        processors: in order; objects in DeepLabCut-live's style are accepted. `Tolerant` is honoured.
        run: the recorded run.

    Raises:
        UsageError: a processor does not say that it may run in a replay (`Processor.replays`).
    """

    def __init__(self, processors: Sequence[Processor | DeepLabCutLiveProcessor], run: RunInfo) -> None:
        self.processors = tuple(as_processor(processor) for processor in processors)
        for processor in self.processors:
            if not processor.replays:
                raise not_replayable(processor_name(processor))
        self._clock = ReplayClock(run.started_clock)
        self._run = replace(run, clock=self._clock, is_replay=True, progress=None)

    def open(self) -> None:
        """Open all processors. Raises what they raise."""
        for processor in self.processors:
            name = processor_name(processor)
            with errors_named(PluginError, f"processor {name} could not be opened"):
                processor.open(self._run)

    def process(self, recorded: RecordedFrame) -> Pose:
        """The pose after all processors. Raises what they raise, as a session does."""
        self._clock.posed_at = recorded.posed_at
        pose, frame = recorded.pose, recorded.frame
        for processor in self.processors:
            name, where = processor_name(processor), f"frame {frame.index}"
            with errors_named(PluginError, f"processor {name} failed at {where}"):
                result = processor.process(pose, frame)
            pose = checked_pose(result, pose, name, where)
        return pose

    def close(self) -> None:
        """Close all processors, even if some raise; the first error is raised at the end."""
        first: DLCLiveError | None = None
        for processor in self.processors:
            try:
                with errors_named(PluginError, f"processor {processor_name(processor)} could not be closed"):
                    processor.close()
            except DLCLiveError as error:
                first = first or error
        if first is not None:
            raise first


def replay(
    recorded: RecordedRun, processors: Sequence[Processor | DeepLabCutLiveProcessor]
) -> Generator[tuple[RecordedFrame, Pose], None, None]:
    """Send a recorded run through processors; yields each frame with the pose after them.

    The processors are opened with the first frame and closed after the last one, or when the generator is closed.

    Raises:
        UsageError: a processor does not say that it may run in a replay; see `ReplayLoop`.
        DataError: the record cannot be read.
    """
    loop = ReplayLoop(processors, recorded.run)
    try:
        loop.open()
        for frame in recorded.frames():
            yield frame, loop.process(frame)
    except BaseException:
        with suppress(DLCLiveError):  # the first error counts
            loop.close()
        raise
    loop.close()
