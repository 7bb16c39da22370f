"""How many steps a training takes, and when it has come to its end."""

from __future__ import annotations

import time

_PROBE = 20  # steps after which the time of one is known
_ROUND = 50


class StepClock:
    """Plans the steps of a training from its time; or keeps to a number of steps, however long they take.

    The rate of learning falls towards the last step, so their number is fixed soon after the start; it is part of what makes
    two trainings the same.

    Args:
        minutes: for all steps together, including those of an earlier run.
        steps: how many; None: as many as fit.
        spent: seconds of an earlier run.
    """

    def __init__(self, minutes: float, steps: int | None, spent: float = 0.0) -> None:
        self._seconds, self._spent = 60 * minutes, spent
        self._began = time.monotonic()
        self.steps = steps
        self._measured: tuple[int, float] | None = None

    @property
    def seconds(self) -> float:
        """Seconds that the training has taken so far."""
        return self._spent + time.monotonic() - self._began

    @property
    def left(self) -> float:
        """Seconds that are left; never below 0."""
        return max(0.0, self._seconds - self.seconds)

    def note_step(self, step: int) -> None:
        """Say that `step` steps are done, of this training. After a few it plans how many will be."""
        if self.steps is not None:
            return
        if self._measured is None:
            self._measured = (step, time.monotonic())
        elif step - self._measured[0] >= _PROBE:
            seconds = (time.monotonic() - self._measured[1]) / (step - self._measured[0])
            self.steps = max(_ROUND, int((step + self.left / seconds) // _ROUND * _ROUND))
