"""Runs with inputs and outputs at fixed addresses, which CUDA graphs need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

_MOST_SHAPES = 8
_NOT_CAPTURED = -1  # 0 is reserved by ONNX Runtime, graphs are numbered from 1

Arrays = dict[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class _Bound:
    """The device memory of one shape, and the options of the run that captures it."""

    inputs: dict[str, ort.OrtValue]
    outputs: dict[str, ort.OrtValue]
    binding: ort.IOBinding
    options: ort.RunOptions


class BoundRuns:
    """Runs a session on host arrays, with device memory of its own for each of the first eight shapes.

    A CUDA graph contains addresses, so the images of a shape are always copied to the same memory, and its outputs are copied
    from the same memory into new arrays, which the caller may keep. Each shape has its own graph. Shapes beyond the eighth run
    without one, as do the first two or three frames of each shape, during which ONNX Runtime captures the graph.

    Args:
        session: one whose provider has `enable_cuda_graph`; with any other, only the memory is fixed.
        device: where the memory is, in ONNX Runtime's terms: "cuda" or "cpu".
        device_id: of the GPU.
    """

    def __init__(self, session: ort.InferenceSession, device: str, device_id: int = 0) -> None:
        self._session, self._device, self._device_id = session, device, device_id
        self._names = [item.name for item in session.get_outputs()]
        self._plain = _run_options(_NOT_CAPTURED)
        self._shapes: dict[tuple[tuple[int, ...], ...], _Bound] = {}

    def run(self, inputs: Mapping[str, NDArray[np.generic]]) -> Arrays:
        """Arrays in, new arrays out, as `session.run`, by name."""
        key = tuple(array.shape for array in inputs.values())
        bound = self._shapes.get(key)
        if bound is None:
            outputs = self._session.run(self._names, dict(inputs), self._plain)
            if len(self._shapes) < _MOST_SHAPES:
                self._shapes[key] = self._bind(inputs, outputs)
            return dict(zip(self._names, outputs, strict=True))
        for name, value in bound.inputs.items():
            value.update_inplace(np.ascontiguousarray(inputs[name]))
        self._session.run_with_iobinding(bound.binding, bound.options)
        return {name: np.array(value.numpy()) for name, value in bound.outputs.items()}

    def _bind(self, inputs: Mapping[str, NDArray[np.generic]], outputs: list[NDArray[np.float32]]) -> _Bound:
        """Reserve memory for these inputs, and for outputs of these shapes."""
        where = (self._device, self._device_id)
        bound_inputs = {
            name: ort.OrtValue.ortvalue_from_numpy(np.array(array), *where) for name, array in inputs.items()
        }
        bound_outputs = {
            name: ort.OrtValue.ortvalue_from_shape_and_type(array.shape, array.dtype.type, *where)
            for name, array in zip(self._names, outputs, strict=True)
        }
        binding = self._session.io_binding()
        for name, value in bound_inputs.items():
            binding.bind_ortvalue_input(name, value)
        for name, value in bound_outputs.items():
            binding.bind_ortvalue_output(name, value)
        return _Bound(bound_inputs, bound_outputs, binding, _run_options(len(self._shapes) + 1))


def _run_options(graph: int) -> ort.RunOptions:
    options = ort.RunOptions()
    options.add_run_config_entry("gpu_graph_id", str(graph))
    return options
