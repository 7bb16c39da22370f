"""Inference on a GPU: copies, captures, replays and synchronisation, with doubles of CUDA and, if available, on a GPU."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from dlclive_torch import cuda_graph
from dlclive_torch.cuda_graph import CudaRuns
from dlclive_torch.packing import Layout, pack
from dlclive_torch.strict import convolutions
from numpy.typing import NDArray
from torch import Tensor, nn

from dlclive_core import load_model


class Graph:
    """A captured graph: replaying it repeats the captured computation, into the same memory."""

    def __init__(self, done: list[str]) -> None:
        self.done = done
        self.flat: Tensor | None = None
        self.compute: Callable[[], Tensor] | None = None

    def replay(self) -> None:
        assert self.flat is not None
        assert self.compute is not None
        self.done.append("replay")
        self.flat.copy_(self.compute())


class Recorder:
    """A double of CUDA: a stream that records operations in order."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.refuses = ""
        self.capturing: Graph | None = None

    def wait_stream(self, other: Any) -> None:
        self.done.append("wait for weights")

    def synchronize(self) -> None:
        assert self.capturing is None
        self.done.append("synchronise")

    @contextlib.contextmanager
    def graph(self, graph: Graph, *, stream: Any, capture_error_mode: str) -> Iterator[None]:
        assert (stream, capture_error_mode) == (self, "thread_local")
        self.done.append("capture")
        if self.refuses:
            raise RuntimeError(self.refuses)
        self.capturing = graph
        yield
        self.capturing = None


class Sums(nn.Module):
    """A module with two outputs that counts its calls."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder, self.calls = recorder, 0

    def forward(self, *inputs: Tensor) -> dict[str, Tensor]:
        self.calls += 1
        if self.recorder.capturing is not None:
            self.recorder.capturing.compute = lambda: pack(self.compute(*inputs))
        return self.compute(*inputs)

    @staticmethod
    def compute(images: Tensor, *conditions: Tensor) -> dict[str, Tensor]:
        sums = images.to(torch.float32).sum(dim=(1, 2))
        return {"sums": sums, "more": sum((c.sum(dim=(1, 2)) for c in conditions), sums.amax(dim=1))}


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    double = Recorder()
    monkeypatch.setattr(torch.cuda, "Stream", lambda place: double)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda place: None)
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: contextlib.nullcontext())
    monkeypatch.setattr(torch.cuda, "CUDAGraph", lambda: Graph(double.done))
    monkeypatch.setattr(torch.cuda, "graph", double.graph)
    monkeypatch.setattr(cuda_graph, "_pinned_like", torch.empty_like)
    return double


def make(recorder: Recorder, monkeypatch: pytest.MonkeyPatch, **options: Any) -> tuple[CudaRuns, Sums]:
    def packed(tensors: Any) -> Tensor:
        flat = pack(tensors)
        if recorder.capturing is not None:
            recorder.capturing.flat = flat
        return flat

    monkeypatch.setattr(cuda_graph, "pack", packed)
    module = Sums(recorder)
    return CudaRuns(module, torch.device("cpu"), **{"graphs": True, "strict": True, **options}), module


def check(results: dict[str, NDArray[np.float32]], image: NDArray[np.uint8]) -> None:
    sums = image.astype(np.float32).sum(axis=(1, 2))
    np.testing.assert_array_equal(results["sums"], sums)
    np.testing.assert_array_equal(results["more"], sums.max(axis=1))


def test_a_repeated_shape_is_captured_once_and_replayed(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch, noise: Callable[..., NDArray[np.uint8]]
) -> None:
    runs, module = make(recorder, monkeypatch)
    images = [noise(6, 8, seed)[None] for seed in range(5)]
    results = [runs.run([image]) for image in images]
    for arrays, image in zip(results, images, strict=True):  # checked at the end: results do not share memory
        check(arrays, image)
    once = ["replay", "synchronise"]
    assert recorder.done == ["wait for weights", "synchronise", "capture", *once * 4]
    assert module.calls == 1 + 3 + 1  # first run, warm-up, capture


def test_each_shape_has_its_own_graph_and_receives_conditions(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch, noise: Callable[..., NDArray[np.uint8]]
) -> None:
    runs, _ = make(recorder, monkeypatch)
    image, conditions = noise(6, 8)[None], np.ones((1, 2, 3), np.float32)
    for _ in range(3):
        alone, both = runs.run([image]), runs.run([np.stack([image[0]] * 2), np.concatenate([conditions] * 2)])
    assert recorder.done.count("capture") == 2
    assert both["more"].tolist() == [alone["more"][0] + 6] * 2


@pytest.mark.parametrize("graphs", [True, False])
def test_the_network_runs_without_a_graph(
    recorder: Recorder,
    monkeypatch: pytest.MonkeyPatch,
    noise: Callable[..., NDArray[np.uint8]],
    caplog: pytest.LogCaptureFixture,
    graphs: bool,
) -> None:
    """Graphs are disabled, or the capture fails, which is logged once."""
    recorder.refuses = "operation not permitted\nwhen stream is capturing"
    runs, _ = make(recorder, monkeypatch, graphs=graphs)
    with caplog.at_level(logging.WARNING):
        for shape in ((6, 8), (4, 4)):
            for seed in range(3):
                image = noise(*shape, seed)[None]
                check(runs.run([image]), image)
    assert recorder.done.count("capture") == int(graphs)
    assert "replay" not in recorder.done
    assert [record.levelname for record in caplog.records] == ["WARNING"] * int(graphs)
    if graphs:
        assert "operation not permitted when stream is capturing" in caplog.text


def test_read_only_images_and_negative_strides(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch, noise: Callable[..., NDArray[np.uint8]]
) -> None:
    runs, _ = make(recorder, monkeypatch)
    image = noise(6, 8)[None, :, ::-1]
    image.flags.writeable = False
    for _ in range(3):
        check(runs.run([image]), image)


def test_packing_keeps_names_shapes_and_order() -> None:
    tensors = {"b": torch.arange(6.0).view(1, 2, 3), "a": torch.tensor(7.0), "none": torch.zeros(1, 0, 3)}
    arrays = Layout.of(tensors).unpack(pack(tensors).numpy())
    assert list(arrays) == ["b", "a", "none"]
    for name, tensor in tensors.items():
        assert arrays[name].shape == tensor.shape
        np.testing.assert_array_equal(arrays[name], tensor.numpy())


def test_strict_convolutions_restore_the_users_settings() -> None:
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    try:
        flags = (torch.backends.cudnn.allow_tf32, torch.backends.cudnn.benchmark)
        with convolutions(strict=True, search=True):
            assert (torch.backends.cudnn.allow_tf32, torch.backends.cudnn.benchmark) == (False, True)
            assert torch.get_float32_matmul_precision() == "highest"
        assert (torch.backends.cudnn.allow_tf32, torch.backends.cudnn.benchmark) == flags
        assert torch.get_float32_matmul_precision() == "high"
        with convolutions(strict=False):
            assert torch.backends.cudnn.allow_tf32 == flags[0]
    finally:
        torch.set_float32_matmul_precision(before)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU here")
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_a_replayed_graph_gives_the_networks_output(
    small_export: Path, noise: Callable[..., NDArray[np.uint8]], precision: str, caplog: pytest.LogCaptureFixture
) -> None:
    graphed = load_model(small_export, "torch", device="cuda", precision=precision)
    plain = load_model(small_export, "torch", device="cuda", precision=precision, cuda_graph=False)
    with caplog.at_level(logging.WARNING):
        for seed in range(4):
            for shape in ((96, 128), (64, 80)):
                image = noise(*shape, seed)
                np.testing.assert_allclose(
                    graphed.predict(image).keypoints,
                    plain.predict(image).keypoints,
                    atol=0.02 if precision == "fp32" else 0.25,
                )
    assert caplog.messages == []
