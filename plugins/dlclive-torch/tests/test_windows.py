"""Windows that a network weights as it weights the whole frame."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from dlclive_torch.backbones.cspnext import ChannelAttention
from dlclive_torch.export import OnnxExporter
from dlclive_torch.graph import KeypointGraph
from dlclive_torch.load import load_deeplabcut
from dlclive_torch.onnx_file import write_onnx
from dlclive_torch.windows import WindowedAttention, fit_to_windows
from numpy.typing import NDArray
from torch import Tensor, nn

from dlclive_core import FollowingCrop, ModelCard, Pose, Skeleton, UsageError

SKELETON = Skeleton(("nose", "tail"))
SHARED = Path(__file__).parents[3].parent / "shared"
WINDOW, INSIDE = (64, 32), np.s_[32:64, 32:96]
Image = NDArray[np.uint8]


class Attended(nn.Module):
    """Weights the colours by an attention; the keypoints are a place that does not move, and the mean of what is left."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = ChannelAttention(3)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        first, second, third = self.attention(images).mean((2, 3)).unbind(1)
        there = torch.ones_like(first)
        nose = torch.stack((64 * there, 48 * there, there), 1)
        return {"keypoints": torch.stack((nose, torch.stack((first, second, third), 1)), 1)[:, None]}


@pytest.fixture
def graph() -> KeypointGraph:
    network = Attended()
    network.attention.fc.weight.data = 4 * torch.eye(3).reshape(3, 3, 1, 1)
    network.attention.fc.bias.data.fill_(-2)
    return KeypointGraph(network, normalisation="unit").eval()


def answer(graph: nn.Module, image: Image) -> NDArray[np.float32]:
    with torch.inference_mode():
        return graph(torch.from_numpy(np.ascontiguousarray(image)[None]))["keypoints"][0, 0, 1].numpy()


def scene(brightness: int) -> Image:
    """Around the nose it is as bright as this, and everywhere else half as bright and 40 more."""
    image = np.full((96, 128, 3), brightness // 2 + 40, np.uint8)
    image[INSIDE] = brightness
    return image


def test_a_window_gets_the_gates_of_the_whole_frame(graph: KeypointGraph) -> None:
    plain = KeypointGraph(Attended(), normalisation="unit").eval()
    plain.load_state_dict(graph.state_dict())
    assert fit_to_windows(graph, SKELETON, [scene(light) for light in range(0, 201, 10)], WINDOW) == 1
    image = scene(181)  # another one than those that it was fitted to
    view = image[INSIDE]
    with torch.inference_mode():
        means = torch.from_numpy(image).float().mean((0, 1)).reshape(1, 3, 1, 1) / 255
        gates = plain.network.attention.gates(means)[0, :, 0, 0].numpy()
    assert answer(graph, view) == pytest.approx(gates * 181 / 255, abs=2e-3)  # half of 181 is 90 here
    assert np.abs(answer(plain, view) - gates * 181 / 255).max() > 0.05


def test_a_whole_frame_and_a_larger_one_give_what_they_gave(graph: KeypointGraph, noise: Callable[..., Image]) -> None:
    images = [noise(96, 128), noise(100, 160)]
    before = [answer(graph, image) for image in images]
    fit_to_windows(graph, SKELETON, [scene(light) for light in range(0, 201, 10)], WINDOW)
    for image, wanted in zip(images, before, strict=True):
        assert answer(graph, image) == pytest.approx(wanted, abs=1e-6)


def test_the_onnx_file_weights_windows_of_any_size(graph: KeypointGraph, tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    fit_to_windows(graph, SKELETON, [scene(light) for light in range(0, 201, 10)], WINDOW)
    file = tmp_path / "windows.onnx"
    write_onnx(graph, ModelCard(net_type="attended", skeleton=SKELETON, format="torch"), file)
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    for view in (scene(70), scene(70)[INSIDE], scene(120)[0:16, 0:24], np.zeros((60, 60, 3), np.uint8)):
        (found,) = session.run(["keypoints"], {"image": np.ascontiguousarray(view)[None]})
        assert found[0, 0, 1] == pytest.approx(answer(graph, view), abs=1e-5)


def test_a_channel_that_never_changes_is_a_constant(graph: KeypointGraph) -> None:
    fit_to_windows(graph, SKELETON, [scene(100)] * 12, WINDOW)
    part = graph.network.attention
    assert isinstance(part, WindowedAttention)
    assert torch.equal(part.slope, torch.zeros(1, 3, 1, 1))
    assert part.offset.flatten().numpy() == pytest.approx(90 / 255)


def test_too_few_frames_and_a_window_as_large_as_the_frame(graph: KeypointGraph) -> None:
    with pytest.raises(UsageError, match="finds the animal in 11 of 11 frames; fitting windows needs at least 12"):
        fit_to_windows(graph, SKELETON, [scene(100)] * 11, WINDOW)
    with pytest.raises(UsageError, match="a window of 300 x 200 is as large as the frame"):
        fit_to_windows(graph, SKELETON, [scene(100)] * 12, (300, 200))


def test_a_network_without_attention_is_left_alone() -> None:
    graph = KeypointGraph(nn.Conv2d(3, 3, 1), normalisation="unit")
    assert fit_to_windows(graph, SKELETON, [], WINDOW) == 0


def test_a_window_is_two_numbers() -> None:
    with pytest.raises(UsageError, match=r"window is \[width,height\] in pixels"):
        OnnxExporter(window=(0, 64))


@pytest.fixture(scope="module")
def openfield() -> tuple[KeypointGraph, Skeleton, list[Image]]:
    """The trained network, and every 40th frame of its video."""
    model, video = SHARED / "models" / "openfield_cspnext_s.pt", SHARED / "openfield" / "m3v1mp4.mp4"
    if not model.exists() or not video.exists():
        pytest.skip("needs the trained network and the video of shared/")
    io = pytest.importorskip("dlclive_io", reason="needs dlclive-io")
    with io.VideoFile(video) as source:
        source.open()
        frames = [source.read(1.0).image for _ in range(1600)][::40]
    loaded = load_deeplabcut(model)
    return loaded.graph.eval(), loaded.card.skeleton, frames


def test_a_trained_network_sees_in_a_window_nearly_what_it_sees_in_the_frame(openfield) -> None:
    graph, skeleton, frames = openfield
    judged, fitted = frames[:16], frames[16:]
    whole = [_pose(graph, frame, skeleton) for frame in judged]
    before = _windowed(graph, judged, whole)
    assert fit_to_windows(graph, skeleton, fitted, (352, 256)) == 4
    after = _windowed(graph, judged, whole)
    assert before > 0.8
    assert after < 0.5


def _pose(graph: KeypointGraph, image: Image, skeleton: Skeleton) -> Pose:
    with torch.inference_mode():
        return Pose(graph(torch.from_numpy(np.ascontiguousarray(image)[None]))["keypoints"][0].numpy(), skeleton)


def _windowed(graph: KeypointGraph, frames: list[Image], whole: list[Pose]) -> float:
    """Pixels that 9 of 10 confident keypoints are nearer to those of the whole frame than."""
    errors = []
    for frame, pose in zip(frames, whole, strict=True):
        crop = FollowingCrop(0.5, 0, (352, 256), align=32, rotates=True)
        crop.follow(pose)
        view, transform = crop.cut(frame)
        found = transform.pose_to_outer(_pose(graph, view, pose.skeleton))
        sure = pose.confidence[0] > 0.6
        errors.append(np.linalg.norm(found.keypoints[0, sure, :2] - pose.keypoints[0, sure, :2], axis=-1))
    return float(np.percentile(np.concatenate(errors), 90))
