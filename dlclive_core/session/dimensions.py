"""Refuses processors and sinks that do not take the poses of a session: those in pixels, or those in space."""

from __future__ import annotations

from collections.abc import Iterable

from dlclive_core.components import Processor, Sink
from dlclive_core.errors import UsageError
from dlclive_core.session.tolerant import processor_name


def check_dimensions(dimensions: int, parts: Iterable[Processor | Sink]) -> None:
    """Raise UsageError for a part whose `dimensions` lack those of the poses."""
    for part in parts:
        if dimensions in part.dimensions:
            continue
        is_processor = isinstance(part, Processor)
        name = f"processor {processor_name(part)}" if is_processor else f"sink {type(part).__name__}"  # type: ignore[arg-type]
        if dimensions == 2:
            raise UsageError(
                f"{name} takes poses in space only: pass it to a MultiViewRig, not to a session of one camera"
            )
        raise UsageError(
            f"{name} takes poses in pixels, not in space: pass it to the session of a camera, or, if it works with "
            "pose.positions of any number of coordinates, declare dimensions = (2, 3) in its class"
        )
