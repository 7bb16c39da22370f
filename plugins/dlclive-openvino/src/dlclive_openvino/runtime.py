"""A network that OpenVINO runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_core import Detector, ModelError, Network, Setting
from dlclive_core.runtimes import find_detector
from dlclive_openvino import devices
from dlclive_openvino.compiled import Compiled
from dlclive_openvino.detector import OpenVinoDetector
from dlclive_openvino.files import read_file, read_network
from dlclive_openvino.options import Options
from dlclive_openvino.precision import choose, possible


class OpenVinoNetwork(Network):
    """An `.xml` (OpenVINO IR) or `.onnx` file that `dlclive export` wrote, as a Network.

    The network is compiled for a size when the first image of that size arrives; `PoseModel.warmup` compiles it beforehand.

    Args:
        path: the file.
        device: "auto" (the CPU), "cpu", or an Intel GPU, "gpu" or "gpu:<number>".
        precision: "auto" (that of the file: fp32 stays fp32), or "fp32", "bf16", ... if file and device support it.
        threads: threads of one inference on the CPU; None: one per physical core available to the process.
        pinning: whether each of these threads is pinned to its own core; see `Options`.
        cache: a folder for OpenVINO's compiled networks; None: no cache.
        detector: the detector file of a top-down network; None: the one exported with the network.
    """

    runtime = "openvino"

    def __init__(
        self,
        path: Path,
        *,
        device: str = "auto",
        precision: str = "auto",
        threads: int | None = None,
        pinning: bool = False,
        cache: Path | None = None,
        detector: Path | None = None,
    ) -> None:
        self._options = Options(threads=threads, pinning=pinning, cache=cache)
        self._path, self._detector_path = Path(path), detector
        self._core = devices.core()
        self._device = devices.resolve(device, self._core.available_devices)
        model, self.card = read_network(self._path, self._core)
        able = devices.capabilities(self._core, self._device)
        self._arithmetic = choose(precision, self.card.precision, able, name=self._path.name, device=device)
        batch = model.inputs[0].partial_shape[0]
        self._batch = batch.get_length() if batch.is_static else None
        properties = self._options.properties(self._device, self._arithmetic)
        self._compiled: Compiled | None = Compiled(self._core, model, self._device, properties, self._path.name)
        (name,) = devices.device_names([self._device])
        self.device = f"{name} (OpenVINO, {self._arithmetic.hint})"

    @classmethod
    def settings(cls, path: Path) -> Sequence[Setting]:
        """See Network.settings. An fp32 file can also be run in bf16 if the device supports it."""
        core = devices.core()
        card = read_file(Path(path), core).card
        return [
            Setting(name, precision)
            for device in core.available_devices
            for name in devices.device_names([device])
            for precision in (() if card is None else possible(card.precision, devices.capabilities(core, device)))
        ]

    def run(
        self, images: NDArray[np.uint8], conditions: NDArray[np.float32] | None = None
    ) -> dict[str, NDArray[np.float32]]:
        """See Network.run. If the file has a fixed batch of another size, the images are run one by one."""
        if self._compiled is None:
            raise ModelError("the model is closed")
        if self._batch is None or len(images) == self._batch:
            return self._compiled.run(images) if conditions is None else self._compiled.run(images, conditions)
        per_image = [None] * len(images) if conditions is None else [item[None] for item in conditions]
        results = [self.run(image[None], condition) for image, condition in zip(images, per_image, strict=True)]
        return {name: np.concatenate([result[name] for result in results]) for name in self._compiled.outputs}

    def detector(self) -> Detector | None:
        """See Network.detector. It runs in fp32 on the same device, because crops are cut at its boxes."""
        file = find_detector(self._path, self.card, self._detector_path)
        if file is None:
            return None
        able = devices.capabilities(self._core, self._device)
        arithmetic = choose("fp32", "fp32", able, name=file.name, device=self.device)
        properties = self._options.properties(self._device, arithmetic)
        model = read_file(file, self._core).model
        return OpenVinoDetector(Compiled(self._core, model, self._device, properties, file.name), file)

    def close(self) -> None:
        """Free the network's memory."""
        self._compiled = None
