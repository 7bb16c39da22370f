"""RTMPose, DEKR, token pose and top-down heatmaps against the answers of deeplabcut 3.0.2, in PyTorch and as ONNX."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from dlclive_torch.folding import fold_batch_norms
from dlclive_torch.network import PoseNetwork, build_network
from dlclive_torch.weights import fill_weights
from numpy.typing import NDArray
from torch import Tensor

from dlclive_core.card import IMAGENET_MEAN, IMAGENET_STD
from dlclive_core.deeplabcut import PoseConfig

RTMPOSE = ("rtmpose_s", "rtmpose_m", "rtmpose_x", "rtmpose_s_fasterrcnn_mobilenet", "rtmpose_s_fasterrcnn_resnet50")
TOKEN_POSE = ("animaltokenpose_base",)
TOP_DOWN = ("top_down_resnet_50", "top_down_hrnet_w32", "top_down_cspnext_m")
DEKR = ("dekr_w18", "dekr_w32", "dekr_w48")
FREE = "dekr_w18"
"""This one is exported for any size, which takes much longer than for one."""


def reference_network(folder: Path) -> PoseNetwork:
    """The network of a reference case, with its weights, as it is run."""
    manifest = json.loads((folder / "manifest.json").read_text())
    statistics: dict[str, Any] = {}
    if (folder / "statistics.npz").is_file():
        loaded = np.load(folder / "statistics.npz")
        statistics = {name: loaded[name] for name in loaded if not name.startswith("detector/")}
    spec = importlib.util.spec_from_file_location("golden_weights", folder.parents[1] / "weights.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    weights = {
        name: torch.from_numpy(np.array(value)) for name, value in module.fill(manifest["pose"], statistics).items()
    }
    network = build_network(PoseConfig.from_mapping(manifest["config"], where=str(folder)))
    fill_weights(network, weights, folder)
    network.eval()
    network.prepare()
    return network


def normalised(pixels: NDArray[np.uint8]) -> Tensor:
    """(H, W, 3) uint8 RGB to (1, 3, H, W), rounded once, as the reference was: these networks magnify the last bit."""
    values = (pixels / 255 - np.array(IMAGENET_MEAN)) / np.array(IMAGENET_STD)
    return torch.from_numpy(values.astype(np.float32)).permute(2, 0, 1)[None]


def run_onnx(
    network: PoseNetwork, images: Tensor, path: Path, *, free: bool
) -> Callable[[Tensor], NDArray[np.float32]]:
    """Write the network for batches of any length, and if `free` images of any size; return what runs the file."""
    onnxruntime = pytest.importorskip("onnxruntime")
    axes = {0: torch.export.Dim("batch")}
    if free:  # as KeypointGraph pads them
        axes |= {2: 32 * torch.export.Dim("rows"), 3: 32 * torch.export.Dim("columns")}
    with torch.inference_mode():
        program = torch.onnx.export(
            network,
            (images.expand(2, -1, -1, -1),),
            dynamo=True,
            verbose=False,
            input_names=["images"],
            output_names=["keypoints"],
            dynamic_shapes=(axes,),
            opset_version=18,
        )
    assert program is not None
    program.save(path)
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 3
    settings.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
    return lambda given: session.run(["keypoints"], {"images": given.numpy()})[0]  # type: ignore[no-any-return]


def agree(found: NDArray[np.float32], wanted: NDArray[np.float32], *, pixels: float) -> None:
    """The same keypoints; not found is NaN, NaN, 0 here and three times -1 in the reference."""
    missing = (wanted == -1).all(axis=-1, keepdims=True)
    wanted = np.where(missing, np.array([np.nan, np.nan, 0.0], np.float32), wanted)
    np.testing.assert_allclose(found[..., :2], wanted[..., :2], rtol=0, atol=pixels)
    np.testing.assert_allclose(found[..., 2], wanted[..., 2], rtol=0, atol=1e-3)


@pytest.fixture(scope="module")
def frame(shared: Path, rgb: Callable[[Path], NDArray[np.uint8]]) -> NDArray[np.uint8]:
    return rgb(shared / "openfield" / "frames" / "img0000.png")


@pytest.mark.golden
@pytest.mark.slow
@pytest.mark.parametrize("name", [*RTMPOSE, *TOKEN_POSE, *TOP_DOWN])
def test_networks_for_crops(name: str, shared: Path, frame: NDArray[np.uint8], tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    folder = shared / "golden" / "cases" / name
    wanted = np.load(folder / "poses.npz")["bodypart.poses.0"]
    network = reference_network(folder)
    assert (network.input_size is None) == (name in TOP_DOWN)
    height, width = network.input_size or (256, 256)
    images = normalised(cv2.resize(frame, (width, height)))
    with torch.inference_mode():
        agree(network(images)["keypoints"].numpy(), wanted, pixels=0.01)
    exported = run_onnx(network, images, tmp_path / "a.onnx", free=False)
    agree(exported(images), wanted, pixels=0.05)
    agree(exported(images.expand(3, -1, -1, -1)), np.repeat(wanted, 3, axis=0), pixels=0.05)


@pytest.mark.golden
@pytest.mark.slow
@pytest.mark.parametrize("name", DEKR)
def test_dekr(name: str, shared: Path, frame: NDArray[np.uint8], tmp_path: Path) -> None:
    """Without folding: with it, the untrained weights magnify the roundings to 0.03 px."""
    folder = shared / "golden" / "cases" / name
    wanted = np.load(folder / "poses.npz")["bodypart.poses.0"]
    network = reference_network(folder)
    images = normalised(frame[160:320, 240:464])
    with torch.inference_mode():
        agree(network(images)["keypoints"].numpy(), wanted, pixels=0.01)
    fold_batch_norms(network)
    exported = run_onnx(network, images, tmp_path / "a.onnx", free=name == FREE)
    agree(exported(images), wanted, pixels=0.05)
    if name == FREE:
        larger = normalised(frame[:256, :320]).expand(3, -1, -1, -1)
        with torch.inference_mode():
            np.testing.assert_allclose(exported(larger), network(larger)["keypoints"].numpy(), rtol=0, atol=0.05)
