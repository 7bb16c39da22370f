"""int8 with NNCF, for the trunk of a network only: the value ranges come from a clip."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dlclive_core import ModelError, UsageError
from dlclive_openvino.int8_trunk import in_float, trunk
from dlclive_openvino.library import ov
from dlclive_openvino.signal_stack import kept_signal_stack


def to_int8(model: ov.Model, frames: Sequence[NDArray[np.uint8]], name: str) -> ov.Model:
    """A copy of a network with the trunk's convolutions in int8.

    Activations are quantised asymmetrically, because those of today's backbones (SiLU) are mostly positive with a short
    negative tail. The biases are corrected for the rounding errors measured on the clip.

    Args:
        model: a network whose only input is the image.
        frames: (H, W, 3) uint8 RGB, typical of what the network will see.
        name: the file's name, for messages.

    Raises:
        UsageError: there are no frames.
        ModelError: the network has other inputs or no trunk, or NNCF cannot quantise it.
    """
    if not len(frames):
        raise UsageError("int8 is calibrated on frames of the animal: pass a clip with --video CLIP")
    if len(model.inputs) != 1:
        raise ModelError(f"{name} takes more than images and cannot be calibrated on frames: export it in bf16")
    if not trunk(model):
        raise ModelError(f"{name} has no convolutions between its first layers and its heads to convert to int8")
    import nncf

    logger = logging.getLogger("nncf")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with (
            kept_signal_stack(),
            contextlib.redirect_stdout(io.StringIO()),  # progress bars
            contextlib.redirect_stderr(io.StringIO()),
        ):
            return nncf.quantize(
                model.clone(),
                nncf.Dataset([frame[None] for frame in frames]),
                preset=nncf.QuantizationPreset.MIXED,
                target_device=nncf.TargetDevice.CPU,
                subset_size=len(frames),
                ignored_scope=nncf.IgnoredScope(names=in_float(model), validate=False),
            )
    except (nncf.errors.InternalError, nncf.errors.ValidationError, RuntimeError) as error:
        raise ModelError(f"NNCF cannot quantise {name}: {' '.join(str(error).split())[-300:]}") from None
    finally:
        logger.setLevel(level)
