"""Checks what components raise and return; errors name the component."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from dlclive_core.components import PoseModel, Processor, Sink
from dlclive_core.data.frame import Frame
from dlclive_core.data.pose import Pose
from dlclive_core.data.skeleton import Skeleton
from dlclive_core.errors import DLCLiveError, ModelError, PluginError, SourceError, one_line


@contextmanager
def errors_named(kind: type[DLCLiveError], text: str) -> Iterator[None]:
    """Turn what a component raises in this block into `kind`, with `text` before the message.

    This includes exceptions that are not an `Exception`: sys.exit() in a library, a cancelled task, a panic in Rust.
    DLCLiveError and KeyboardInterrupt pass unchanged.
    """
    try:
        yield
    except (DLCLiveError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise kind(f"{text}: {one_line(error)}") from error


def checked_frame(result: object, name: str) -> Frame:
    """A source's frame. Raises SourceError if it is something else; the model rejects images of the wrong type."""
    if not isinstance(result, Frame):
        raise SourceError(f"{name} returned {_described(result)} from read, not a Frame")
    if not isinstance(result.image, np.ndarray):
        raise SourceError(f"{name} returned a frame whose image is {_described(result.image)}, not an array")
    if isinstance(result.index, bool) or not isinstance(result.index, int | np.integer):
        raise SourceError(f"{name} returned a frame whose index is {result.index!r:.60}, not an integer")
    if not isinstance(result.captured_at, float | int | np.floating) or not math.isfinite(result.captured_at):
        raise SourceError(
            f"{name} returned a frame whose captured_at is {result.captured_at!r:.60}, not seconds from time.perf_counter()"
        )
    return result


def checked_poses(results: object, count: int, model: PoseModel, where: str) -> list[Pose]:
    """A model's poses for `count` images. Raises ModelError if they are something else."""
    if not isinstance(results, list | tuple) or len(results) < count:
        raise ModelError(f"the model returned {_described(results)} at {where}, not {count} poses")
    skeleton, dimensions = model.card.skeleton, model.dimensions
    return [_checked(pose, skeleton, dimensions, "the model", where, ModelError) for pose in results[:count]]


def checked_pose(result: object, pose: Pose, name: str, where: str) -> Pose:
    """What a processor made of a pose. Raises PluginError if it is something else, for example because `process` has no
    return statement.
    """
    return _checked(result, pose.skeleton, pose.dimensions, f"processor {name}", where, PluginError)


def close_limit(processor: Processor) -> float:
    """Seconds to wait for its `close`; the default, if it has a wrong one."""
    try:
        limit = float(processor.close_limit)
    except Exception:
        return Processor().close_limit
    return limit if 0 <= limit < math.inf else Processor().close_limit


def finish_limit(sink: Sink) -> float:
    """Seconds to wait at least for its `finish`; 0, if it has a wrong limit."""
    try:
        limit = float(sink.finish_limit)
    except Exception:
        return 0.0
    return limit if 0 <= limit < math.inf else 0.0


def _checked(
    result: object, skeleton: Skeleton, dimensions: int, who: str, where: str, kind: type[DLCLiveError]
) -> Pose:
    if not isinstance(result, Pose):
        raise kind(
            f"{who} returned {_described(result)} at {where}, not a Pose: return the pose it was given, or a new one"
        )
    if result.dimensions != dimensions:
        raise kind(
            f"{who} returned a pose of {result.dimensions} dimensions at {where}, not of {dimensions}: use "
            "dataclasses.replace on the pose it was given"
        )
    if result.skeleton is not skeleton and result.skeleton.keypoints != skeleton.keypoints:
        raise kind(
            f"{who} returned a pose with the keypoints {', '.join(result.skeleton.keypoints)} at {where}, not those of the "
            f"model: {', '.join(skeleton.keypoints)}"
        )
    return result


def _described(value: object) -> str:
    return "None" if value is None else f"a value of type {type(value).__name__}"
