"""int8 by NNCF: ranges from a clip, for the trunk of a network alone."""

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


def to_int8(model: ov.Model, frames: Sequence[NDArray[np.uint8]], name: str) -> ov.Model:
    """A copy of a network in which the trunk's convolutions are in int8.

    Activations are quantised asymmetrically, because those of today's backbones (SiLU) are mostly positive with a short
    negative tail; the biases are corrected by what the clip shows of the rounding.

    Args:
        model: that takes one image.
        frames: (H, W, 3) uint8 RGB, what the network will see.
        name: of the file, for messages.

    Raises:
        UsageError: no frames.
        ModelError: the network has no trunk, or NNCF cannot do it.
    """
    if not len(frames):
        raise UsageError("int8 is calibrated on frames of the animal: give a clip of it, as --frames CLIP")
    if len(model.inputs) != 1:
        raise ModelError(f"{name} takes more than images, so that frames alone do not calibrate it: export it in bf16")
    if not trunk(model):
        raise ModelError(f"{name} has no convolutions between its first layer and its heads that int8 could be for")
    import nncf

    quiet = logging.getLogger("nncf")
    before = quiet.level
    quiet.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):  # progress bars
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
        quiet.setLevel(before)
