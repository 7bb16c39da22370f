"""A network compiled once per input shape, and the requests that run it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from dlclive_core import ModelError
from dlclive_openvino.library import ov
from dlclive_openvino.signal_stack import kept_signal_stack

MOST_SHAPES = 6
"""The number of shapes with a compiled network of their own; each network holds its own reordered weights and buffers."""

Shapes = tuple[tuple[int, ...], ...]
Arrays = dict[str, NDArray[np.float32]]


class Compiled:
    """Runs a model on arrays. Inputs are not copied; outputs are copies that the caller may keep.

    A network compiled for fixed shapes is faster than one compiled for dynamic shapes, and compiling takes a fraction of a
    second. So the first `MOST_SHAPES` shapes get a network each. All further shapes share one dynamic network, so that crops
    of ever-changing size do not each wait for the compiler.

    Args:
        core: the OpenVINO core that compiles the model.
        model: the model; any of its dimensions may be dynamic.
        device: the device, by OpenVINO's name.
        properties: the properties of the compiled network, by OpenVINO's names.
        name: the file's name, for messages.
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
        """Run the network on arrays in the order of the model's inputs; return new arrays by output name."""
        request = self._requests.get(tuple(array.shape for array in arrays)) or self._request(arrays)
        results = request.infer(dict(enumerate(arrays)), share_inputs=True)
        return dict(zip(self.outputs, results.values(), strict=True))

    def _request(self, arrays: tuple[NDArray[np.generic], ...]) -> ov.InferRequest:
        """The request for new shapes: compiled for them, or the dynamic one once `MOST_SHAPES` are compiled."""
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
            with kept_signal_stack():
                compiled = self._core.compile_model(model, self._device, dict(self._properties))
            self._verify(compiled)
            return compiled.create_infer_request()
        except RuntimeError as error:  # its message has many lines
            reason = " ".join(str(error).split())
            raise ModelError(
                f"OpenVINO cannot compile {self._name} for {shapes or 'any shape'}: {reason[-300:]}"
            ) from None

    def _verify(self, compiled: ov.CompiledModel) -> None:
        """Raise ModelError if the network was compiled for another precision or device than the requested one."""
        requested = str(self._properties["INFERENCE_PRECISION_HINT"])
        actual = compiled.get_property("INFERENCE_PRECISION_HINT").to_string()
        devices = compiled.get_property("EXECUTION_DEVICES")
        if actual != requested or {item.split(".")[0] for item in devices} != {self._device.split(".")[0]}:
            raise ModelError(
                f"OpenVINO runs {self._name} in {actual} on {', '.join(devices)}, not in {requested} on {self._device} "
                f"as requested"
            )
