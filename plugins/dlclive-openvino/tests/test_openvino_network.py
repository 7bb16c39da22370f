"""Networks on OpenVINO: results, sizes, batches and invalid files."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from dlclive_openvino import compiled
from dlclive_openvino.compiled import Compiled
from dlclive_openvino.export import OpenVinoExporter
from dlclive_openvino.library import ov
from dlclive_openvino.runtime import OpenVinoNetwork

from dlclive_core import (
    DataError,
    ModelCard,
    ModelError,
    ModelNotFoundError,
    PoseModel,
    UnsupportedModelError,
    UsageError,
    load_model,
)
from dlclive_core.runtimes import CARD_KEY
from dlclive_core.testing import PoseModelContract

Load = Callable[..., PoseModel]
Pictures = Callable[..., list[np.ndarray]]


@pytest.fixture
def ir(mouse: Path, tmp_path: Path) -> Path:
    """The mouse network in OpenVINO's own format."""
    OpenVinoExporter().export(mouse, tmp_path / "mouse.xml")
    return tmp_path / "mouse.xml"


class TestOnnxFile(PoseModelContract):
    @pytest.fixture
    def model(self, mouse: Path, openvino: Load) -> PoseModel:
        return openvino(mouse)


class TestIr(PoseModelContract):
    @pytest.fixture
    def model(self, ir: Path, openvino: Load) -> PoseModel:
        return openvino(ir)


@pytest.mark.parametrize("size", [(160, 128), (161, 127), (75, 230)], ids=["whole cells", "padded", "tall"])
def test_agrees_with_onnx_runtime(
    mouse: Path, ir: Path, openvino: Load, pictures: Pictures, size: tuple[int, int]
) -> None:
    """Includes a padded picture: mirror padding needs `Abs` of values that become constant at a fixed size."""
    pytest.importorskip("dlclive_onnx", reason="ONNX Runtime is the reference")
    images = pictures(4, size)
    with load_model(mouse, "onnx", device="cpu", threads=1) as other:
        expected = [other.predict(image).keypoints for image in images]
    for path in (mouse, ir):
        with openvino(path) as model:
            assert model.device == "cpu (OpenVINO, f32)"
            for image, pose in zip(images, expected, strict=True):
                np.testing.assert_allclose(model.predict(image).keypoints, pose, rtol=0, atol=0.01)


def test_sizes_beyond_the_limit_share_one_dynamic_network(
    mouse: Path, openvino: Load, pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first sizes get a network each; the others share one. No size is compiled twice."""
    compiled_for: list[object] = []
    original = Compiled._compile
    monkeypatch.setattr(
        Compiled, "_compile", lambda self, shapes: compiled_for.append(shapes) or original(self, shapes)
    )
    monkeypatch.setattr(compiled, "MOST_SHAPES", 2)
    sizes = [(80, 64), (96, 64), (64, 96), (100, 70)]
    with openvino(mouse) as model:
        keypoints = {size: model.predict(pictures(1, size)[0]).keypoints for size in sizes}
        for size in reversed(sizes):
            np.testing.assert_array_equal(model.predict(pictures(1, size)[0]).keypoints, keypoints[size])
    assert compiled_for == [((1, 64, 80, 3),), ((1, 64, 96, 3),), None]
    for size in sizes:
        with openvino(mouse) as alone:
            np.testing.assert_allclose(alone.predict(pictures(1, size)[0]).keypoints, keypoints[size], atol=0.01)


def test_inputs_are_not_copied_and_outputs_are(mouse: Path, pictures: Pictures) -> None:
    network = OpenVinoNetwork(mouse, threads=1)
    image, other = (picture[None] for picture in pictures(2))
    first = network.run(image)["keypoints"]
    first_copy = first.copy()
    assert network._compiled is not None
    (request,) = network._compiled._requests.values()
    assert np.shares_memory(request.get_input_tensor(0).data, image)
    assert not np.shares_memory(request.get_output_tensor(0).data, first)
    second = network.run(other)["keypoints"]
    assert np.abs(second - first_copy).max() > 1  # another picture gives another result
    np.testing.assert_array_equal(first, first_copy)  # the first result was not overwritten
    assert first.flags.writeable


def test_a_read_only_image_is_accepted(mouse: Path, openvino: Load, pictures: Pictures) -> None:
    (image,) = pictures(1)
    with openvino(mouse) as model:
        expected = model.predict(image.copy()).keypoints
        image.flags.writeable = False
        np.testing.assert_array_equal(model.predict(image).keypoints, expected)


def test_a_file_with_a_batch_of_one_accepts_batches(
    mouse: Path, tmp_path: Path, openvino: Load, pictures: Pictures
) -> None:
    model = onnx.load(mouse)
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    onnx.save(model, tmp_path / "one.onnx")
    images = pictures(3)
    with openvino(tmp_path / "one.onnx") as fixed, openvino(mouse) as free:
        for pose, expected in zip(fixed.predict_batch(images), free.predict_batch(images), strict=True):
            np.testing.assert_allclose(pose.keypoints, expected.keypoints, atol=0.01)


def test_a_network_exported_for_a_fixed_size(mouse: Path, tmp_path: Path, openvino: Load, pictures: Pictures) -> None:
    card = OpenVinoExporter().export(mouse, tmp_path / "fixed.xml", size=(160, 128))
    assert card.input_size == (128, 160)
    images = pictures(2)
    with openvino(tmp_path / "fixed.xml") as fixed, openvino(mouse) as free:
        assert fixed.card == card
        for pose, expected in zip(fixed.predict_batch(images), free.predict_batch(images), strict=True):
            np.testing.assert_allclose(pose.keypoints, expected.keypoints, atol=0.01)


def test_the_options_become_openvino_properties(mouse: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    compiled_with: list[dict[str, object]] = []
    original = ov.Core.compile_model

    def compile_model(self, model, device, properties):
        compiled_with.append(properties)
        return original(self, model, device, properties)

    monkeypatch.setattr(ov.Core, "compile_model", compile_model)
    image = np.zeros((1, 64, 64, 3), np.uint8)
    OpenVinoNetwork(mouse, threads=1).run(image)
    OpenVinoNetwork(mouse, threads=2, pinning=True, cache=tmp_path).run(image)
    always = {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32"}
    assert compiled_with[0] == {**always, "INFERENCE_NUM_THREADS": 1, "ENABLE_CPU_PINNING": False}
    assert compiled_with[1] == {
        **always,
        "INFERENCE_NUM_THREADS": 2,
        "ENABLE_CPU_PINNING": True,
        "CACHE_DIR": str(tmp_path),
    }
    assert list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a.onnx", "a.xml"])
@pytest.mark.parametrize("content", [b"", b"no model at all", b"\x08\x0a" * 50, b"<net>"])
def test_an_invalid_file_is_a_one_line_error(tmp_path: Path, openvino: Load, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    (tmp_path / "a.bin").write_bytes(b"")
    with pytest.raises(ModelError, match="is not a model that OpenVINO can read") as caught:
        openvino(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_file_without_a_card_is_rejected(mouse: Path, tmp_path: Path, openvino: Load) -> None:
    model = onnx.load(mouse)
    del model.metadata_props[:]
    onnx.save(model, tmp_path / "bare.onnx")
    with pytest.raises(ModelError, match=r"no dlclive card inside.*runtime 'onnx'"):
        openvino(tmp_path / "bare.onnx")
    assert OpenVinoNetwork.settings(tmp_path / "bare.onnx") == []


def test_an_export_for_another_program_is_rejected(mouse: Path, tmp_path: Path, openvino: Load) -> None:
    model = onnx.load(mouse)
    (entry,) = (item for item in model.metadata_props if item.key == CARD_KEY)
    entry.value = ModelCard.from_json(entry.value).with_(format="sleap-nn").to_json()
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(UnsupportedModelError, match=r"export for sleap-nn.*use the model that it was made from"):
        openvino(tmp_path / "model.onnx")


@pytest.mark.parametrize("location", ["../secret.bin", "/etc/passwd"])
def test_weights_outside_the_models_folder_are_refused(
    mouse: Path, tmp_path: Path, openvino: Load, location: str
) -> None:
    model = onnx.load(mouse)
    tensor = next(item for item in model.graph.initializer if len(item.dims) == 4)
    (tmp_path / "secret.bin").write_bytes(tensor.raw_data)
    size = str(len(tensor.raw_data))
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", size)):
        tensor.external_data.add(key=key, value=value)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "a.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match=r"is not a model that OpenVINO can read: .*outside"):
        openvino(tmp_path / "models" / "a.onnx")


def test_a_card_with_an_unexpected_input_is_rejected(mouse: Path, tmp_path: Path, openvino: Load) -> None:
    image = ov.opset13.parameter([1, 3, 8, 8], np.float32, name="image")
    image.output(0).tensor.set_names({"image"})
    model = ov.Model([ov.opset13.relu(image).output(0)], [image])
    model.set_rt_info(ModelCard.to_json(OpenVinoNetwork(mouse).card), ["dlclive", "card"])
    ov.save_model(model, tmp_path / "a.xml")
    with pytest.raises(ModelError, match="export it again"):
        openvino(tmp_path / "a.xml")


def test_missing_or_foreign_weights_are_rejected(ir: Path, openvino: Load, tmp_path: Path) -> None:
    weights = ir.with_suffix(".bin")
    original = weights.read_bytes()
    weights.write_bytes(original[:-4] + b"\x00\x00\x80\x3f")
    with pytest.raises(ModelError, match=r"mouse\.bin does not belong to mouse\.xml"):
        openvino(ir)
    weights.unlink()
    with pytest.raises(ModelNotFoundError, match=r"copy mouse\.bin, too"):
        openvino(ir)
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(ir, other)
    (other / "mouse.bin").write_bytes(original)
    openvino(other).close()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "cuda"}, "no device 'cuda' here; choose auto, cpu"),
        ({"device": "gpu:7"}, "no device 'gpu:7'"),
        ({"device": "npu"}, "no device 'npu'"),
        ({"precision": "fp16"}, r"mouse\.onnx is in fp32 and cannot be run in fp16"),
        ({"precision": "int8"}, "cannot be run in int8"),
        ({"threads": 0}, "threads"),
        ({"thread": 1}, "no option 'thread': did you mean 'threads'"),
    ],
)
def test_invalid_options_are_rejected(mouse: Path, options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_model(mouse, "openvino", **options)  # type: ignore[arg-type]


def test_a_missing_cache_folder_is_an_error(mouse: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        OpenVinoNetwork(mouse, cache=tmp_path / "none")


def test_running_a_closed_network_is_an_error(mouse: Path, pictures: Pictures) -> None:
    network = OpenVinoNetwork(mouse, threads=1)
    network.close()
    network.close()
    with pytest.raises(ModelError, match="closed"):
        network.run(pictures(1)[0][None])


def test_onnx_runtime_is_the_default_for_onnx_files(mouse: Path, ir: Path) -> None:
    pytest.importorskip("dlclive_onnx")
    with load_model(mouse, device="cpu") as by_default, load_model(ir) as own:
        assert (by_default.runtime, own.runtime) == ("onnx", "openvino")
