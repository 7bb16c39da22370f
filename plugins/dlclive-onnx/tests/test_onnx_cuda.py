"""CUDA without a GPU: its logic with doubles of what ONNX Runtime would give, its bindings on the CPU, where they run too."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnxruntime as ort
import pytest
from dlclive_onnx import binding, providers, runtime
from dlclive_onnx.binding import BoundRuns
from dlclive_onnx.options import CudaOptions

from dlclive_core import DependencyError, UsageError, load_model

CPU = ["CPUExecutionProvider"]


@dataclass
class Node:
    op_type: str
    name: str = ""


@dataclass
class Part:
    ep_name: str
    nodes: list[Node]

    def get_nodes(self) -> list[Node]:
        return self.nodes


class Session:
    """A session as ONNX Runtime reports it."""

    def __init__(self, active: list[str], *parts: Part) -> None:
        self.active, self.parts = active, parts

    def get_providers(self) -> list[str]:
        return self.active

    def get_provider_graph_assignment_info(self) -> tuple[Part, ...]:
        return self.parts


@pytest.fixture
def cuda_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ort, "get_available_providers", lambda: [providers.CUDA, *CPU])


@pytest.fixture
def cpu_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ort, "get_available_providers", lambda: CPU)


@pytest.mark.usefixtures("cpu_build")
def test_cuda_without_cuda_is_an_error_with_the_command() -> None:
    with pytest.raises(DependencyError, match=r"pip install 'dlclive-onnx\[gpu\]'"):
        providers.choose("cuda", CudaOptions())
    assert providers.choose("auto", CudaOptions()) == CPU


@pytest.mark.usefixtures("cuda_build")
def test_a_device_is_a_provider_with_its_options() -> None:
    options = CudaOptions(graph=True)
    assert providers.choose("auto", options) == [(providers.CUDA, options.provider_options("0")), *CPU]
    assert providers.choose("cuda:3", options)[0] == (providers.CUDA, options.provider_options("3"))
    assert providers.choose("cpu", options) == CPU
    assert providers.device_id(providers.choose("cuda:3", options)) == 3
    with pytest.raises(UsageError, match="no device 'cuda:x'"):
        providers.choose("cuda:x", options)


def wanted() -> list[providers.Provider]:
    return [(providers.CUDA, CudaOptions().provider_options("1")), *CPU]


def test_a_provider_that_did_not_start_is_an_error_unless_allowed(whole) -> None:
    """What ONNX Runtime does when CUDA is built in and does not start: it goes on with the CPU."""
    session = ort.InferenceSession(str(whole()), providers=CPU)
    with pytest.raises(DependencyError, match="could not start CUDAExecutionProvider and fell back to CPU"):
        providers.verify(session, wanted(), allow_fallback=False)
    assert providers.verify(session, wanted(), allow_fallback=True) == "cpu (CPUExecutionProvider)"


def test_decoding_may_be_on_the_cpu_and_convolutions_may_not() -> None:
    there = Part(providers.CUDA, [Node("Conv", "first"), Node("ArgMax")])
    decoding = Part(CPU[0], [Node("Shape"), Node("Gather")])
    session = Session([providers.CUDA, *CPU], there, decoding)
    assert providers.verify(session, wanted(), allow_fallback=False) == "cuda:1 (CUDAExecutionProvider)"
    strayed = Session(
        [providers.CUDA, *CPU], there, decoding, Part(CPU[0], [Node("ConvTranspose", "up"), Node("Conv")])
    )
    with pytest.raises(
        DependencyError, match=r"runs 2 heavy nodes of this network on the CPU \(Conv, ConvTranspose up\)"
    ):
        providers.verify(strayed, wanted(), allow_fallback=False)
    assert providers.verify(strayed, wanted(), allow_fallback=True).startswith("cuda:1")


def test_where_nodes_run_is_told_by_onnx_runtime(bare) -> None:
    """The double above is what it gives."""
    if not hasattr(ort.InferenceSession, "get_provider_graph_assignment_info"):
        pytest.skip("ONNX Runtime tells from 1.24 on")
    options = ort.SessionOptions()
    options.add_session_config_entry(providers.RECORDING, "1")
    session = ort.InferenceSession(str(bare()), options, providers=CPU)
    assert [name.split()[0] for name in providers.heavy_nodes(session, elsewhere_than=providers.CUDA)] == [
        "Conv",
        "Conv",
    ]
    assert providers.heavy_nodes(session, elsewhere_than=CPU[0]) == []


def pictures(count: int, height: int = 9, width: int = 12) -> list[np.ndarray]:
    return list(np.random.default_rng(0).integers(0, 255, (count, 1, height, width, 3), np.uint8))


def test_bound_runs_answer_as_plain_ones_and_leave_their_answers_alone(whole) -> None:
    session = ort.InferenceSession(str(whole()), providers=CPU)
    runs = BoundRuns(session, "cpu")
    images = pictures(5)
    all_keypoints = [runs.run({"image": image})["keypoints"] for image in images]
    for image, keypoints in zip(images, all_keypoints, strict=True):
        np.testing.assert_array_equal(keypoints, session.run(None, {"image": image})[0])


def test_each_shape_has_its_memory_and_its_graph_and_a_ninth_has_none(whole, monkeypatch: pytest.MonkeyPatch) -> None:
    graphs: list[int] = []
    original = binding._run_options
    monkeypatch.setattr(binding, "_run_options", lambda graph: graphs.append(graph) or original(graph))
    session = ort.InferenceSession(str(whole()), providers=CPU)
    runs = BoundRuns(session, "cpu")
    for _ in range(2):
        for width in range(4, 14):
            (image,) = pictures(1, width=width)
            np.testing.assert_array_equal(
                runs.run({"image": image})["keypoints"], session.run(None, {"image": image})[0]
            )
    assert graphs == [-1, 1, 2, 3, 4, 5, 6, 7, 8]


@pytest.mark.usefixtures("cuda_build")
@pytest.mark.parametrize("kind", ["whole", "bare"])
def test_a_network_on_cuda_with_a_graph_runs_through_its_bindings(
    kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider is a double: the session is the CPU's, and says that it is CUDA's."""
    path = request.getfixturevalue(kind)()
    asked: list[list[providers.Provider]] = []

    def open_session(file, wanted, cpu) -> ort.InferenceSession:
        asked.append(wanted)
        return ort.InferenceSession(str(file), providers=CPU)

    monkeypatch.setattr(runtime, "open_session", open_session)
    monkeypatch.setattr(providers, "verify", lambda *_, **__: "cuda:2 (CUDAExecutionProvider)")
    places: list[tuple[str, int]] = []

    def bound(session: ort.InferenceSession, device: str, number: int) -> BoundRuns:
        places.append((device, number))
        return BoundRuns(session, "cpu")

    monkeypatch.setattr(runtime, "BoundRuns", bound)
    image = pictures(1, 24, 32)[0][0]
    with load_model(path, "onnx", device="cuda:2", cuda_graph=True) as model:
        results = [model.predict(image).keypoints for _ in range(3)]
        assert model.device.startswith("cuda:2")
    assert asked[0][0][1]["enable_cuda_graph"] == "1"
    assert places == [("cuda", 2)]
    with load_model(path, "onnx", device="cpu") as model:
        for keypoints in results:
            np.testing.assert_array_equal(keypoints, model.predict(image).keypoints)
    assert len(places) == 1
