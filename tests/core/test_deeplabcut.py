"""DeepLabCut's configurations, and decoding with numbers that can be done by hand."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from dlclive_core import ModelError
from dlclive_core.deeplabcut.config import HeatmapDecoding, PoseConfig, padded_size
from dlclive_core.models.decoding import decode_heatmaps, mirrored, normalise, pad

PREDICTOR = {"type": "HeatmapPredictor", "apply_sigmoid": False, "clip_scores": True, "location_refinement": True}
CONFIG = {
    "net_type": "resnet_50",
    "method": "BU",
    "metadata": {
        "bodyparts": ["snout", "tail"],
        "unique_bodyparts": [],
        "individuals": ["animal"],
        "with_identity": None,
    },
    "data": {
        "inference": {
            "normalize_images": True,
            "auto_padding": {"pad_width_divisor": 32, "pad_height_divisor": 16},
            "top_down_crop": None,
        }
    },
    "model": {"backbone": {"type": "ResNet"}, "heads": {"bodypart": {"predictor": PREDICTOR, "locref_config": {}}}},
    "detector": None,
}


def test_a_configuration_is_understood() -> None:
    config = PoseConfig.from_mapping(CONFIG, where="here")
    assert config.skeleton.keypoints == ("snout", "tail")
    assert (config.method, config.normalisation, config.pad_divisor) == ("bottom-up", "imagenet", (16, 32))
    assert not config.multi_animal
    assert config.card(scorer="s", format="f", stride=8).stride == 8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": None}, "no 'model' and 'metadata' parts"),
        ({"metadata": {"bodyparts": []}}, "names no bodyparts"),
        ({"method": "magic"}, "method 'magic'"),
    ],
)
def test_a_configuration_that_is_none_says_why(change: dict, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        PoseConfig.from_mapping({**CONFIG, **change}, where="here")


@pytest.mark.parametrize("text", ["", "- a", "{a: [", "a: !!python/object/apply:os.system ['touch canary']"])
def test_a_file_that_is_no_configuration(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "pytorch_config.yaml"
    path.write_text(text)
    with pytest.raises(ModelError, match=r"pytorch_config\.yaml"):
        PoseConfig.read(path)
    assert not Path("canary").exists()


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "pytorch_config.yaml"
    path.write_text(yaml.safe_dump(CONFIG))
    assert PoseConfig.read(path).net_type == "resnet_50"
    with pytest.raises(ModelError, match="cannot read"):
        PoseConfig.read(tmp_path / "gone.yaml")


def test_a_heatmap_is_decoded_as_by_hand() -> None:
    heatmaps, locref = np.zeros((1, 2, 5, 6), np.float32), np.zeros((1, 4, 5, 6), np.float32)
    heatmaps[0, 0, 3, 4] = 1.25  # above 1: clipped
    locref[0, 0, 3, 4], locref[0, 1, 3, 4] = 0.1, -0.2
    heatmaps[0, 1, 0, 0] = 0.5
    locref[0, 2, 0, 0], locref[0, 3, 0, 0] = 1, 2
    decoding = HeatmapDecoding(stride=8, locref_std=7.2801, clip_scores=True)
    keypoints = decode_heatmaps(heatmaps, locref, decoding)
    assert keypoints.shape == (1, 1, 2, 3)
    # 4 * 8 + 4 + 0.1 * 7.2801 = 36.72801; 3 * 8 + 4 - 0.2 * 7.2801 = 26.54398
    np.testing.assert_allclose(keypoints[0, 0, 0], [36.72801, 26.54398, 1], atol=1e-5)
    np.testing.assert_allclose(keypoints[0, 0, 1], [4 + 7.2801, 4 + 14.5602, 0.5], atol=1e-5)


def test_without_refinement_with_sigmoid_and_on_ties() -> None:
    heatmaps = np.zeros((1, 1, 2, 3), np.float32)
    heatmaps[0, 0, 0, 2] = heatmaps[0, 0, 1, 1] = 2.0  # the first one counts
    decoding = HeatmapDecoding(stride=4, locref_std=None, apply_sigmoid=True)
    np.testing.assert_allclose(
        decode_heatmaps(heatmaps, None, decoding)[0, 0, 0], [2 * 4 + 2, 2, 1 / (1 + np.exp(-2))], rtol=1e-6
    )


def test_refinement_is_on_only_where_the_head_has_it() -> None:
    config = PoseConfig.from_mapping(CONFIG, where="here")
    assert HeatmapDecoding.from_head(config.head(), stride=8).locref_std is None  # its locref_config is empty
    head = {"predictor": PREDICTOR, "locref_config": {"channels": [8, 4]}}
    assert HeatmapDecoding.from_head(head, stride=8).locref_std == 7.2801


def test_padding_mirrors_without_repeating_the_edge() -> None:
    assert mirrored(8, 4).tolist() == [0, 1, 2, 3, 2, 1, 0, 1]
    assert mirrored(4, 1).tolist() == [0, 0, 0, 0]
    image = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(1, 2, 3, 3)
    padded = pad(image, (4, 4))
    assert padded.shape == (1, 4, 4, 3)
    np.testing.assert_array_equal(padded, np.pad(image, ((0, 0), (0, 2), (0, 1), (0, 0)), mode="reflect"))
    assert pad(image, (1, 1)) is image
    assert padded_size(33, 64, (32, 32)) == (64, 64)


def test_normalisation() -> None:
    image = np.full((1, 1, 1, 3), 255, np.uint8)
    np.testing.assert_allclose(
        normalise(image, "imagenet").ravel(), (1 - np.asarray([0.485, 0.456, 0.406])) / [0.229, 0.224, 0.225], rtol=1e-6
    )
    assert normalise(image, "unit").ravel().tolist() == [1, 1, 1]
    assert normalise(image, "none").ravel().tolist() == [255, 255, 255]
