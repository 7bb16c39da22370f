"""A network fitted to windows weights a window like the whole frame."""

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
    """Weights the colours by an attention; the keypoints are a fixed position and the means of the weighted colours."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = ChannelAttention(3)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        first, second, third = self.attention(images).mean((2, 3)).unbind(1)
        ones = torch.ones_like(first)
        nose = torch.stack((64 * ones, 48 * ones, ones), 1)
        return {"keypoints": torch.stack((nose, torch.stack((first, second, third), 1)), 1)[:, None]}


@pytest.fixture
def graph() -> KeypointGraph:
    network = Attended()
    network.attention.fc.weight.data = 4 * torch.eye(3).reshape(3, 3, 1, 1)
    network.attention.fc.bias.data.fill_(-2)
    return KeypointGraph(network, normalisation="unit").eval()


def attended_colours(graph: nn.Module, image: Image) -> NDArray[np.float32]:
    with torch.inference_mode():
        return graph(torch.from_numpy(np.ascontiguousarray(image)[None]))["keypoints"][0, 0, 1].numpy()


def scene(brightness: int) -> Image:
    """An image of this brightness around the nose, and of brightness // 2 + 40 elsewhere."""
    image = np.full((96, 128, 3), brightness // 2 + 40, np.uint8)
    image[INSIDE] = brightness
    return image


def test_a_window_has_the_gates_of_the_whole_frame(graph: KeypointGraph) -> None:
    plain = KeypointGraph(Attended(), normalisation="unit").eval()
    plain.load_state_dict(graph.state_dict())
    assert fit_to_windows(graph, SKELETON, [scene(light) for light in range(0, 201, 10)], WINDOW) == 1
    image = scene(181)  # not among the fitted frames
    view = image[INSIDE]
    with torch.inference_mode():
        means = torch.from_numpy(image).float().mean((0, 1)).reshape(1, 3, 1, 1) / 255
        gates = plain.network.attention.gates(means)[0, :, 0, 0].numpy()
    assert attended_colours(graph, view) == pytest.approx(gates * 181 / 255, abs=2e-3)  # half of 181 is 90 here
    assert np.abs(attended_colours(plain, view) - gates * 181 / 255).max() > 0.05


def test_the_output_for_whole_and_larger_frames_does_not_change(
    graph: KeypointGraph, noise: Callable[..., Image]
) -> None:
    images = [noise(96, 128), noise(100, 160)]
    before = [attended_colours(graph, image) for image in images]
    fit_to_windows(graph, SKELETON, [scene(light) for light in range(0, 201, 10)], WINDOW)
    for image, expected in zip(images, before, strict=True):
        assert attended_colours(graph, image) == pytest.approx(expected, abs=1e-6)


def test_the_onnx_file_weights_windows_of_any_size(graph: KeypointGraph, tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    fit_to_windows(graph, SKELETON, [scene(light) for light in range(0, 201, 10)], WINDOW)
    file = tmp_path / "windows.onnx"
    write_onnx(graph, ModelCard(net_type="attended", skeleton=SKELETON, format="torch"), file)
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    for view in (scene(70), scene(70)[INSIDE], scene(120)[0:16, 0:24], np.zeros((60, 60, 3), np.uint8)):
        (keypoints,) = session.run(["keypoints"], {"image": np.ascontiguousarray(view)[None]})
        assert keypoints[0, 0, 1] == pytest.approx(attended_colours(graph, view), abs=1e-5)


def test_a_channel_that_never_changes_is_a_constant(graph: KeypointGraph) -> None:
    fit_to_windows(graph, SKELETON, [scene(100)] * 12, WINDOW)
    part = graph.network.attention
    assert isinstance(part, WindowedAttention)
    assert torch.equal(part.slope, torch.zeros(1, 3, 1, 1))
    assert part.offset.flatten().numpy() == pytest.approx(90 / 255)


def test_too_few_frames_and_a_window_as_large_as_the_frame_are_rejected(graph: KeypointGraph) -> None:
    with pytest.raises(UsageError, match="finds the animal in 11 of 11 frames; fitting windows needs at least 12"):
        fit_to_windows(graph, SKELETON, [scene(100)] * 11, WINDOW)
    with pytest.raises(UsageError, match="a window of 300 x 200 is as large as the frame"):
        fit_to_windows(graph, SKELETON, [scene(100)] * 12, (300, 200))


def test_a_network_without_attention_is_not_changed() -> None:
    graph = KeypointGraph(nn.Conv2d(3, 3, 1), normalisation="unit")
    assert fit_to_windows(graph, SKELETON, [], WINDOW) == 0


def test_a_window_must_be_positive() -> None:
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


def test_a_trained_network_gives_similar_keypoints_in_window_and_frame(openfield) -> None:
    graph, skeleton, frames = openfield
    judged, fitted = frames[:16], frames[16:]
    frame_poses = [_pose(graph, frame, skeleton) for frame in judged]
    before = _windowed(graph, judged, frame_poses)
    assert fit_to_windows(graph, skeleton, fitted, (352, 256)) == 4
    after = _windowed(graph, judged, frame_poses)
    assert before > 0.8
    assert after < 0.5


def _pose(graph: KeypointGraph, image: Image, skeleton: Skeleton) -> Pose:
    with torch.inference_mode():
        return Pose(graph(torch.from_numpy(np.ascontiguousarray(image)[None]))["keypoints"][0].numpy(), skeleton)


def _windowed(graph: KeypointGraph, frames: list[Image], frame_poses: list[Pose]) -> float:
    """Return the 90th percentile of the distances of confident keypoints in window and whole frame, in pixels."""
    errors = []
    for frame, pose in zip(frames, frame_poses, strict=True):
        crop = FollowingCrop(0.5, 0, (352, 256), align=32, rotates=True)
        crop.follow(pose)
        view, transform = crop.cut(frame)
        window_pose = transform.pose_to_outer(_pose(graph, view, pose.skeleton))
        confident = pose.confidence[0] > 0.6
        errors.append(
            np.linalg.norm(window_pose.keypoints[0, confident, :2] - pose.keypoints[0, confident, :2], axis=-1)
        )
    return float(np.percentile(np.concatenate(errors), 90))
