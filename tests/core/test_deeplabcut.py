"""DeepLabCut's configurations, and the padding that they ask for."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from dlclive_core import ModelError
from dlclive_core.deeplabcut.config import HeatmapDecoding, PoseConfig, padded_size
from dlclive_core.models.padding import mirrored_indices, pad

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


def test_refinement_is_on_only_where_the_head_has_it() -> None:
    config = PoseConfig.from_mapping(CONFIG, where="here")
    assert HeatmapDecoding.from_head(config.head(), stride=8).locref_std is None  # its locref_config is empty
    head = {"predictor": PREDICTOR, "locref_config": {"channels": [8, 4]}}
    assert HeatmapDecoding.from_head(head, stride=8).locref_std == 7.2801


def test_padding_mirrors_without_repeating_the_edge() -> None:
    assert mirrored_indices(8, 4).tolist() == [0, 1, 2, 3, 2, 1, 0, 1]
    assert mirrored_indices(4, 1).tolist() == [0, 0, 0, 0]
    image = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(1, 2, 3, 3)
    padded = pad(image, (4, 4))
    assert padded.shape == (1, 4, 4, 3)
    np.testing.assert_array_equal(padded, np.pad(image, ((0, 0), (0, 2), (0, 1), (0, 0)), mode="reflect"))
    assert pad(image, (1, 1)) is image
    assert padded_size(33, 64, (32, 32)) == (64, 64)
