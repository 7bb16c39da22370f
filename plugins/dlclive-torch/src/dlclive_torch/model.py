"""The PyTorch runtime."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from dlclive_core import Pose, PoseModel
from dlclive_core.errors import UsageError
from dlclive_core.frame import as_rgb, check_image
from dlclive_torch.device import check_dtype, describe_device, resolve_device, resolve_dtype
from dlclive_torch.load import load_deeplabcut


class TorchModel(PoseModel):
    """A DeepLabCut 3 export or snapshot on PyTorch.

    "fp32" is strict: on NVIDIA GPUs convolutions do not use TF32, which PyTorch would by default.

    Args:
        path: the `.pt` file; a snapshot has `pytorch_config.yaml` beside it.
        device: "auto", "cpu", "cuda", "cuda:1", ..., "mps".
        precision: "auto" or "fp32", or "fp16": weights and arithmetic of the network in half precision, normalising and
            decoding in float32.
        threads: how many threads PyTorch uses on the CPU, for all models of the process; None leaves it as it is.

    Raises:
        UsageError: the device, precision or threads.
        ModelError, UnsafeFileError, UnsupportedModelError: the file.
    """

    runtime = "torch"

    def __init__(
        self, path: Path, *, device: str = "auto", precision: str = "fp32", threads: int | None = None
    ) -> None:
        if threads is not None and threads < 1:
            raise UsageError(f"threads is at least 1, not {threads}")
        place, dtype = resolve_device(device), resolve_dtype(precision)
        check_dtype(place, dtype)
        loaded = load_deeplabcut(Path(path), dtype=dtype)
        if threads is not None:
            torch.set_num_threads(threads)
        self.card = loaded.card
        self.device = describe_device(place)
        self._place = place
        self._graph = loaded.graph.to(place, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._strict = dtype == torch.float32

    def predict(self, image: NDArray[np.uint8], *, boxes: NDArray[np.float32] | None = None) -> Pose:
        if boxes is not None:
            raise UsageError(f"{self.card.net_type} finds animals in whole images and takes no boxes")
        return self._poses(as_rgb(check_image(image))[None])[0]

    def predict_batch(self, images: Sequence[NDArray[np.uint8]]) -> list[Pose]:
        """Find the animals in several images; those of one shape are run together."""
        pixels = [as_rgb(check_image(image)) for image in images]
        poses: list[Pose | None] = [None] * len(pixels)
        for shape in {image.shape for image in pixels}:
            indices = [index for index, image in enumerate(pixels) if image.shape == shape]
            together = self._poses(np.stack([pixels[index] for index in indices]))
            for index, pose in zip(indices, together, strict=True):
                poses[index] = pose
        return [pose for pose in poses if pose is not None]

    def _poses(self, images: NDArray[np.uint8]) -> list[Pose]:
        """Run (N, H, W, 3) uint8 RGB images."""
        with torch.inference_mode(), _strict_fp32(self._strict and self._place.type == "cuda"):
            batch = torch.from_numpy(_readable(images)).to(self._place)
            keypoints: NDArray[np.float32] = self._graph(batch).cpu().numpy()
        return [Pose(item, self.card.skeleton) for item in keypoints]


def _readable(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same pixels as torch takes them: not read-only (it would warn) and without negative strides."""
    return images if images.flags.writeable and images.flags.c_contiguous else images.copy()


@contextmanager
def _strict_fp32(wanted: bool) -> Iterator[None]:
    """Convolutions in true float32 inside, everything else of cuDNN as the user set it."""
    if not wanted:
        yield
        return
    now = torch.backends.cudnn
    with now.flags(enabled=now.enabled, benchmark=now.benchmark, deterministic=now.deterministic, allow_tf32=False):
        yield
