"""ONNX files of both kinds, with answers that can be done by hand, and files that are neither."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from dlclive_onnx import runtime

from dlclive_core import (
    FrameError,
    ModelCard,
    ModelError,
    PoseModel,
    Skeleton,
    UnsupportedModelError,
    UsageError,
    load_model,
)
from dlclive_core.testing import PoseModelContract


def picture() -> np.ndarray:
    image = np.zeros((37, 50, 3), np.uint8)
    image[20, 33] = (200, 0, 0)
    image[5, 7] = (0, 100, 0)
    return image


class TestWholeGraph(PoseModelContract):
    @pytest.fixture
    def model(self, whole) -> PoseModel:
        return load_model(whole(), "onnx", device="cpu")


class TestBareNetwork(PoseModelContract):
    @pytest.fixture
    def model(self, bare) -> PoseModel:
        return load_model(bare(), "onnx", device="cpu")


def test_a_whole_graph_gives_its_keypoints(whole) -> None:
    with load_model(whole(), "onnx", device="cpu") as model:
        pose = model.predict(picture())
        assert model.card.scorer == "DLC_two"
        assert model.runtime == "onnx"
        assert model.device == "cpu (CPUExecutionProvider)"
    np.testing.assert_allclose(pose.keypoints[0], [[33.5, 20.5, 200 / 255], [7.5, 5.5, 100 / 255]], atol=1e-5)


def test_a_bare_network_is_normalised_padded_and_decoded(bare) -> None:
    with load_model(bare(), "onnx", device="cpu") as model:
        pose = model.predict(picture())
        assert model.card.stride == 8
        assert model.card.skeleton.keypoints == ("red", "green")
    # red in the cell (row 2, column 4): x = 4 * 8 + 4 + 0.25 * 2, y = 2 * 8 + 4 - 0.5 * 2; green in (0, 0): x = 4 + 1 * 2
    np.testing.assert_allclose(pose.keypoints[0], [[36.5, 19, 200 / 255 / 64], [6, 4, 100 / 255 / 64]], atol=1e-5)


def test_padding_is_a_mirror_at_the_bottom_and_right(bare) -> None:
    """37 rows become 40: row 37 mirrors row 35, so a red row 35 counts twice in the last cell."""
    image = np.zeros((37, 48, 3), np.uint8)
    image[35, :8] = (255, 0, 0)
    with load_model(bare(), "onnx", device="cpu") as model:
        keypoint = model.predict(image).keypoints[0, 0]
    np.testing.assert_allclose(keypoint, [4.5, 35, 16 / 64], atol=1e-5)


def test_batches_of_one_shape_go_in_together_and_others_one_by_one(whole) -> None:
    with load_model(whole(), "onnx", device="cpu") as model:
        small, large = picture(), np.zeros((60, 70, 3), np.uint8)
        large[1, 2] = 255
        together = model.predict_batch([small, large, small])
        assert [pose.keypoints[0, 0, 0] for pose in together] == [33.5, 2.5, 33.5]
        assert model.predict_batch([]) == []


def test_large_images_go_through_a_cpu_one_by_one_and_small_ones_together(
    whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes out is the same, in order."""
    monkeypatch.setattr(runtime, "PIXELS_AT_ONCE", 3 * 37 * 50)
    batch_sizes: list[int] = []

    class Counting(ort.InferenceSession):
        def run(self, names, inputs, *words):
            batch_sizes.append(len(inputs["image"]))
            return super().run(names, inputs, *words)

    monkeypatch.setattr(ort, "InferenceSession", Counting)
    network = runtime.OnnxNetwork(whole(), device="cpu")
    images = np.stack([np.roll(picture(), shift, axis=1) for shift in range(7)])
    keypoints = network.run(images)["keypoints"]
    assert batch_sizes == [3, 3, 1]
    assert keypoints[:, 0, 0, 0].tolist() == [33.5 + shift for shift in range(7)]
    batch_sizes.clear()
    network.run(np.repeat(images[:2], 2, axis=2))
    assert batch_sizes == [1, 1]


@pytest.mark.parametrize("kind", ["whole", "bare"])
def test_a_graph_for_one_image_takes_batches(kind: str, request: pytest.FixtureRequest) -> None:
    path = request.getfixturevalue(kind)(n="1")
    with load_model(path, "onnx", device="cpu") as model:
        expected = model.predict(picture()).keypoints
        for pose in model.predict_batch([picture()] * 3):
            np.testing.assert_array_equal(pose.keypoints, expected)


@pytest.mark.parametrize("content", ["bare", "whole"])
def test_a_fixed_input_takes_an_image_that_padding_brings_to_it(content: str, request: pytest.FixtureRequest) -> None:
    """37 x 50 becomes 40 x 56 by the network's own rule, so the answer is that of the network with a free size."""
    write = request.getfixturevalue(content)
    colours = ModelCard(net_type="two-colours", skeleton=Skeleton(("red", "green")), pad_divisor=(8, 8))
    card = {"card": colours.to_json()} if content == "whole" else {}
    with (
        load_model(write("free.onnx", **card), "onnx", device="cpu") as free,
        load_model(write("fixed.onnx", h="40", w="56", **card), "onnx", device="cpu") as fixed,
    ):
        assert fixed.card.input_size == (40, 56)
        np.testing.assert_array_equal(fixed.predict(picture()).keypoints, free.predict(picture()).keypoints)


@pytest.mark.parametrize("kind", ["whole", "bare"])
def test_a_fixed_input_says_its_size(kind: str, request: pytest.FixtureRequest) -> None:
    path = request.getfixturevalue(kind)(h="40", w="56")
    with load_model(path, "onnx", device="cpu") as model:
        model.predict(np.zeros((40, 56, 3), np.uint8))
        with pytest.raises(FrameError, match=r"fixed to 56 x 40 pixels \(width x height\); the image is 64 x 64"):
            model.predict(np.zeros((64, 64, 3), np.uint8))


def test_without_card_and_config_the_message_says_what_is_missing(bare) -> None:
    path = bare(config=None)
    with pytest.raises(ModelError, match=r"no dlclive card and no pytorch_config\.yaml beside it"):
        load_model(path, device="cpu")


def test_a_card_of_the_future_or_of_nobody(whole) -> None:
    with pytest.raises(ModelError, match="update dlclive-core"):
        load_model(whole(card='{"card_version": 99}'), "onnx", device="cpu")
    with pytest.raises(ModelError, match="cannot be read"):
        load_model(whole(card="not json"), "onnx", device="cpu")


def test_a_config_for_another_network(bare, with_metadata) -> None:
    with pytest.raises(ModelError, match=r"names 3 bodyparts: it needs exactly one heatmap with 3 channels"):
        load_model(bare(config=with_metadata(bodyparts=["a", "b", "c"])), "onnx", device="cpu")
    with pytest.raises(UnsupportedModelError, match="single animal only"):
        load_model(bare(config=with_metadata(individuals=["one", "two"])), "onnx", device="cpu")


@pytest.mark.parametrize("content", [b"", b"no onnx at all", b"\x08\x0a" * 50])
def test_a_file_that_is_no_model(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="is not an ONNX model") as caught:
        load_model(path, device="cpu")
    assert "\n" not in str(caught.value)


def test_a_truncated_model(whole) -> None:
    path = whole()
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ModelError, match=r"whole\.onnx"):
        load_model(path, device="cpu")


@pytest.mark.skipif(
    tuple(map(int, ort.__version__.split(".")[:2])) < (1, 24), reason="ONNX Runtime checks such paths from 1.24 on"
)
@pytest.mark.parametrize("location", ["../secret.bin", "/etc/passwd"])
def test_weights_outside_the_models_folder_are_refused(tmp_path: Path, bare, location: str) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    path = bare("models/bare.onnx", config=None)
    (tmp_path / "secret.bin").write_bytes(bytes(2 * 3 * 64 * 4))
    model = onnx.load(path)
    tensor = next(item for item in model.graph.initializer if item.name == "hw")
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", str(2 * 3 * 64 * 4))):
        tensor.external_data.add(key=key, value=value)
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match="is not an ONNX model"):
        load_model(path, device="cpu")


def test_the_precision_is_the_files(whole) -> None:
    path = whole()
    load_model(path, "onnx", device="cpu", precision="fp32").close()
    with pytest.raises(UsageError, match="is in fp32, not fp16; export it again"):
        load_model(path, "onnx", device="cpu", precision="fp16")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "gpu"}, "no device 'gpu'"),
        ({"device": "cpu", "threads": 0}, "threads"),
        ({"device": "cpu", "spinning": "often"}, "spinning must be one of never, frame, always; got 'often'"),
        (
            {"device": "cpu", "cuda_search": "best"},
            "cuda_search must be one of exhaustive, heuristic, default; got 'best'",
        ),
        ({"thread": 1}, "no option 'thread': did you mean 'threads'"),
    ],
)
def test_bad_options(whole, options: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_model(whole(), "onnx", **options)


def test_boxes_are_refused(whole) -> None:
    with load_model(whole(), "onnx", device="cpu") as model, pytest.raises(UsageError, match="takes no boxes"):
        model.predict(picture(), boxes=np.zeros((1, 4), np.float32))


def test_a_closed_model_says_so(whole) -> None:
    model = load_model(whole(), "onnx", device="cpu")
    model.close()
    with pytest.raises(ModelError, match="closed"):
        model.predict(picture())
