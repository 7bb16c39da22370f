"""Reference networks as folders for Bonsai.Sleap and sleap-nn, read by ONNX Runtime and their contract alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.golden_cases import fill, read_case, read_rgb_frames, write_case

pytest.importorskip("dlclive_torch", reason="reference networks are .pt files")
ort = pytest.importorskip("onnxruntime")
pytest.importorskip("dlclive_onnx", reason="exports for Bonsai and sleap-nn need dlclive-onnx")
torch = pytest.importorskip("torch")

from dlclive_core import UnsupportedModelError, export_model, load_model  # noqa: E402
from tests.golden_exports import onnx_of_case  # noqa: E402

SHARED = Path(__file__).parents[3] / "shared"

pytestmark = [
    pytest.mark.golden,
    pytest.mark.timeout(900),  # an export of a reference network takes a minute, and several on a busy machine
    pytest.mark.skipif(
        not (SHARED / "golden").is_dir(), reason="no reference networks: the folder 'shared' is missing"
    ),
]


def frames(case: str) -> list[NDArray[np.uint8]]:
    """Two frames whose sides are multiples of nothing; smaller ones for networks for several animals, as in the reference."""
    rows, columns = (
        (slice(160, 319), slice(240, 463)) if case.startswith(("paf", "dekr")) else (slice(37, 320), slice(0, 451))
    )
    return [np.ascontiguousarray(image[rows, columns]) for image in read_rgb_frames(SHARED, 2)]


def run(folder: Path, tensor: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
    """The outputs by name, in the order of the file."""
    session = ort.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    names = [item.name for item in session.get_outputs()]
    return dict(zip(names, session.run(None, {"image": tensor}), strict=True))


def from_bonsai(images: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Blue, green, red, row by row, in a tensor of shape (B, 3, H, W)."""
    height, width = images[0].shape[:2]
    memory = b"".join(image[:, :, ::-1].tobytes() for image in images)
    return np.frombuffer(memory, np.uint8).reshape(len(images), 3, height, width)


def planes(images: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """As sleap-nn sends them."""
    return np.ascontiguousarray(np.stack(images).transpose(0, 3, 1, 2))


def test_one_animal(tmp_path: Path) -> None:
    images = frames("cspnext_s")
    write_case(SHARED, "cspnext_s", tmp_path / "model.pt")
    export = export_model(
        tmp_path / "model.pt", tmp_path / "out", program="bonsai", frames=images, options={"channels": 3}
    )
    with load_model(tmp_path / "model.pt", device="cpu") as model:
        poses = [model.predict(image) for image in images]
    for count in (1, 2):
        found = run(tmp_path / "out", from_bonsai(images[:count]))
        assert list(found) == ["peaks", "peak_vals"]
        for index in range(count):
            np.testing.assert_allclose(found["peaks"][index] + 0.5, poses[index].single()[:, :2], atol=export.bound_px)
            np.testing.assert_allclose(found["peak_vals"][index], poses[index].single()[:, 2], atol=0.01)


def test_animals_of_dekr(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """From an ONNX file, which is also exported for Bonsai; the other networks here come from `.pt` files."""
    images = frames("dekr_w18")
    source = onnx_of_case(tmp_path_factory, read_case(SHARED, "dekr_w18", tmp_path))
    export = export_model(source, tmp_path / "out", program="bonsai", frames=images, options={"channels": 3})
    with load_model(source, device="cpu") as model:
        poses = [model.predict(image) for image in images]
    bound = 2 * export.bound_px  # never trained, it amplifies rounding, and a batch of two is rounded in another way
    found = run(tmp_path / "out", from_bonsai(images))
    assert list(found) == ["centroids", "centroid_vals", "peaks", "peak_vals", "instance_valid"]
    for index, pose in enumerate(poses):
        present = np.isfinite(pose.keypoints[..., 0]).any(axis=1)
        np.testing.assert_array_equal(found["instance_valid"][index], present)
        np.testing.assert_allclose(
            found["peaks"][index][present] + 0.5, pose.keypoints[present][..., :2], atol=bound, equal_nan=True
        )
        centres = np.nanmean(pose.keypoints[present][..., :2], axis=1) - 0.5
        np.testing.assert_allclose(found["centroids"][index][present], centres, atol=bound)


def test_candidates_of_part_affinity_fields(tmp_path: Path) -> None:
    """sleap-nn assembles; here dlclive does, when the export is compared."""
    images = frames("paf_resnet_50")
    write_case(SHARED, "paf_resnet_50", tmp_path / "model.pt")
    with pytest.raises(UnsupportedModelError, match=r"Bonsai\.Sleap has no node for such networks"):
        export_model(tmp_path / "model.pt", tmp_path / "bonsai", program="bonsai", frames=images)
    export = export_model(tmp_path / "model.pt", tmp_path / "out", program="sleap-nn", frames=images)
    metadata = json.loads((tmp_path / "out" / "export_metadata.json").read_text())
    assert metadata["model_type"] == "bottomup"
    found = run(tmp_path / "out", planes(images))
    keypoints, edges, count = metadata["n_nodes"], metadata["n_edges"], metadata["max_peaks_per_node"]
    assert export.card.assembly is not None
    assert metadata["edge_inds"] == [list(edge) for edge in export.card.assembly.edges]
    assert found["peaks"].shape == (2, keypoints, count, 2)
    assert found["line_scores"].shape == found["candidate_mask"].shape == (2, edges, count * count)
    assert found["peak_mask"].dtype == found["candidate_mask"].dtype == np.bool_
    assert found["peak_mask"].any()


def test_a_detector_and_its_network_in_one_graph(tmp_path: Path) -> None:
    pytest.importorskip("cv2", reason="dlclive cuts crops with OpenCV")
    images = frames("rtmpose_s")
    path = tmp_path / "model.pt"
    write_case(SHARED, "rtmpose_s", path)
    _add_detector("rtmpose_s", path)
    export = export_model(path, tmp_path / "out", program="sleap-nn", frames=images, options={"min_score": 0.01})
    assert export.parity.boxes > 0
    found = run(tmp_path / "out", planes(images[:1]))
    valid = found["instance_valid"][0]
    assert valid.any()
    with load_model(path, device="cpu", min_score=0.01) as model:
        pose = model.predict(images[0], boxes=found["boxes"][0][valid])
    np.testing.assert_allclose(found["peaks"][0][valid] + 0.5, pose.keypoints[..., :2], atol=0.05)
    np.testing.assert_allclose(found["peak_vals"][0][valid], pose.confidence, atol=0.01)


def _add_detector(name: str, path: Path) -> None:
    """Add the detector of a reference network to its export."""
    case = SHARED / "golden" / "cases" / name
    manifest = json.loads((case / "manifest.json").read_text())
    overrides = {
        key.removeprefix("detector/"): value
        for key, value in dict(np.load(case / "statistics.npz")).items()
        if key.startswith("detector/")
    }
    weights = fill(SHARED)(manifest["detector"], overrides)
    content = torch.load(path, weights_only=True)
    content["detector"] = {key: torch.from_numpy(np.array(value)) for key, value in weights.items()}
    torch.save(content, path)
