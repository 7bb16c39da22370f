"""Runs with inputs and outputs at fixed addresses: what a CUDA graph is captured with and replayed on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

_MOST_SHAPES = 8
_NOT_CAPTURED = -1  # 0 is ONNX Runtime's own, graphs are numbered from 1

Arrays = dict[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class _Bound:
    """The memory of one shape on the device, and the run that captures on it."""

    inputs: dict[str, ort.OrtValue]
    outputs: dict[str, ort.OrtValue]
    binding: ort.IOBinding
    options: ort.RunOptions


class BoundRuns:
    """Runs a session on arrays of the host, with memory of its own on the device for each of the first eight shapes.

    A CUDA graph holds addresses. So the images of a shape are always copied to the same place, and what comes out is copied
    from the same place into new arrays, which the caller may keep. Each shape has a graph of its own; shapes beyond the
    eighth run without one, as do the two or three first frames of each shape, in which ONNX Runtime captures it.

    Args:
        session: one whose provider has `enable_cuda_graph`, or any other, which then only has its memory fixed.
        device: ONNX Runtime's word for where the memory is, "cuda" or "cpu".
        device_id: of the GPU.
    """

    def __init__(self, session: ort.InferenceSession, device: str, device_id: int = 0) -> None:
        self._session, self._device, self._device_id = session, device, device_id
        self._names = [item.name for item in session.get_outputs()]
        self._plain = _run_options(_NOT_CAPTURED)
        self._shapes: dict[tuple[tuple[int, ...], ...], _Bound] = {}

    def run(self, inputs: Mapping[str, NDArray[np.generic]]) -> Arrays:
        """Arrays in, new arrays out; as `session.run`, with names."""
        key = tuple(array.shape for array in inputs.values())
        bound = self._shapes.get(key)
        if bound is None:
            found = self._session.run(self._names, dict(inputs), self._plain)
            if len(self._shapes) < _MOST_SHAPES:
                self._shapes[key] = self._bind(inputs, found)
            return dict(zip(self._names, found, strict=True))
        for name, value in bound.inputs.items():
            value.update_inplace(np.ascontiguousarray(inputs[name]))
        self._session.run_with_iobinding(bound.binding, bound.options)
        return {name: np.array(value.numpy()) for name, value in bound.outputs.items()}

    def _bind(self, inputs: Mapping[str, NDArray[np.generic]], found: list[NDArray[np.float32]]) -> _Bound:
        """Memory for these inputs, and for outputs as large as those that were found."""
        where = (self._device, self._device_id)
        given = {name: ort.OrtValue.ortvalue_from_numpy(np.array(array), *where) for name, array in inputs.items()}
        taken = {
            name: ort.OrtValue.ortvalue_from_shape_and_type(array.shape, array.dtype.type, *where)
            for name, array in zip(self._names, found, strict=True)
        }
        binding = self._session.io_binding()
        for name, value in given.items():
            binding.bind_ortvalue_input(name, value)
        for name, value in taken.items():
            binding.bind_ortvalue_output(name, value)
        return _Bound(given, taken, binding, _run_options(len(self._shapes) + 1))


def _run_options(graph: int) -> ort.RunOptions:
    options = ort.RunOptions()
    options.add_run_config_entry("gpu_graph_id", str(graph))
    return options
