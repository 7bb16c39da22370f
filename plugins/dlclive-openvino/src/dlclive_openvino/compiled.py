"""A network compiled once for each shape of its inputs, and the requests that run it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from dlclive_core import ModelError
from dlclive_openvino.library import ov

MOST_SHAPES = 6
"""So many shapes are compiled for; each keeps its own arranged weights and buffers."""

Shapes = tuple[tuple[int, ...], ...]
Arrays = dict[str, NDArray[np.float32]]


class Compiled:
    """Runs a model on arrays, which are not copied; the arrays that it gives are copies, which the caller may keep.

    A network whose shapes are known when it is compiled is faster than one whose shapes are not, and compiling takes a fraction
    of a second. So each of the first shapes that come is compiled for. Those beyond `MOST_SHAPES` share one that was compiled
    for all: crops of ever new sizes should not wait for a compiler each time.

    Args:
        core: OpenVINO.
        model: with free shapes, or some of them fixed.
        device: OpenVINO's name of it.
        properties: of the compiled network, OpenVINO's names.
        name: of the file, for messages.
    """

    def __init__(
        self, core: ov.Core, model: ov.Model, device: str, properties: Mapping[str, object], name: str
    ) -> None:
        self._core, self._model, self._device, self._properties, self._name = core, model, device, properties, name
        self.inputs = [item.any_name for item in model.inputs]
        self.outputs = [item.any_name for item in model.outputs]
        self._requests: dict[Shapes, ov.InferRequest] = {}
        self._any: ov.InferRequest | None = None

    def run(self, *arrays: NDArray[np.generic]) -> Arrays:
        """Arrays in, in the order of the model's inputs; named new arrays out."""
        request = self._requests.get(tuple(array.shape for array in arrays)) or self._request(arrays)
        found = request.infer(dict(enumerate(arrays)), share_inputs=True)
        return dict(zip(self.outputs, found.values(), strict=True))

    def _request(self, arrays: tuple[NDArray[np.generic], ...]) -> ov.InferRequest:
        """For a shape that comes for the first time, or for all that are beyond the first few."""
        shapes = tuple(array.shape for array in arrays)
        if len(self._requests) < MOST_SHAPES:
            self._requests[shapes] = self._compile(shapes)
            return self._requests[shapes]
        if self._any is None:
            self._any = self._compile(None)
        return self._any

    def _compile(self, shapes: Shapes | None) -> ov.InferRequest:
        model = self._model
        try:
            if shapes is not None:
                model = model.clone()
                model.reshape(dict(zip(range(len(shapes)), shapes, strict=True)))
            compiled = self._core.compile_model(model, self._device, dict(self._properties))
            self._verify(compiled)
            return compiled.create_infer_request()
        except RuntimeError as error:  # of many lines
            reason = " ".join(str(error).split())
            raise ModelError(
                f"OpenVINO cannot compile {self._name} for {shapes or 'any shape'}: {reason[-300:]}"
            ) from None

    def _verify(self, compiled: ov.CompiledModel) -> None:
        """ModelError if it was compiled for another precision or device than was asked for."""
        wanted = str(self._properties["INFERENCE_PRECISION_HINT"])
        found = compiled.get_property("INFERENCE_PRECISION_HINT").to_string()
        devices = compiled.get_property("EXECUTION_DEVICES")
        if found != wanted or {item.split(".")[0] for item in devices} != {self._device.split(".")[0]}:
            raise ModelError(
                f"OpenVINO runs {self._name} in {found} on {', '.join(devices)}, where {wanted} on {self._device} was asked for"
            )
