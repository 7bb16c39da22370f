"""The model card: the facts about a model that other components need."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

from dlclive_core.data.assembly_rules import AssemblyRules
from dlclive_core.data.preparation import Preparation
from dlclive_core.data.skeleton import Skeleton
from dlclive_core.errors import ModelError

CARD_VERSION = 3

Normalisation = Literal["imagenet", "unit", "none"]
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """The facts about a model.

    Attributes:
        net_type: DeepLabCut's name for the network, for example "resnet_50".
        skeleton: the keypoints of each individual.
        individuals: the names of the individuals, as in the project; a single-animal project has one.
        multi_animal: whether the project is a multi-animal project; its tables then have a level of individuals.
        unique_keypoints: names of the keypoints that exist once in the scene.
        method: how the network finds animals: "bottom-up", "top-down" (needs boxes) or "conditional" (needs poses).
        scorer: the name in the first header row of DeepLabCut's tables.
        stride: input pixels per heatmap cell.
        normalisation: the network's first step for a pixel v in 0..255: "imagenet" ((v / 255 - mean) / std),
            "unit" (v / 255) or "none".
        pad_divisor: (height, width); the input is padded by reflection, at the bottom and right, to a multiple of these.
        preparation: how whole images are resized and padded before that, and before `input_size` applies; None: not at all.
        input_size: (height, width) of the network's fixed input; None for any size.
        crop_margin: pixels added around a box before a top-down network's crop is cut.
        crop_context: whether a crop includes the surroundings of a box whose aspect ratio differs from the input's.
        condition_margin: pixels added around the keypoints of a condition to form a conditional network's box.
        assembly: the rules for assembling animals, for networks that output candidates; None for all others.
        identity: whether the network distinguishes the individuals, so that each has its own row.
        detector_sha256: checksum of the detector's file, if the detector has its own file.
        format: the file format: "deeplabcut-export", "deeplabcut-snapshot", "onnx", ...
        precision: precision of the weights: "fp32", "fp16", ...
        source_sha256: checksum of the file that DeepLabCut wrote, kept through every export.
    """

    net_type: str
    skeleton: Skeleton
    individuals: tuple[str, ...] = ("individual_1",)
    multi_animal: bool = False
    unique_keypoints: tuple[str, ...] = ()
    method: Literal["bottom-up", "top-down", "conditional"] = "bottom-up"
    scorer: str = "dlclive"
    stride: float = 1.0
    normalisation: Normalisation = "imagenet"
    pad_divisor: tuple[int, int] = (1, 1)
    preparation: Preparation | None = None
    input_size: tuple[int, int] | None = None
    crop_margin: float = 0.0
    crop_context: bool = True
    condition_margin: float = 20.0
    assembly: AssemblyRules | None = None
    identity: bool = False
    detector_sha256: str = ""
    format: str = ""
    precision: str = "fp32"
    source_sha256: str = ""

    def to_json(self) -> str:
        """One line of JSON, for the metadata of an exported file."""
        return json.dumps({"card_version": CARD_VERSION, **asdict(self)}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> ModelCard:
        """Read the output of `to_json`. Raises ModelError if it is invalid, or newer than this package."""
        try:
            values: dict[str, Any] = json.loads(text)
            version = int(values.pop("card_version"))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ModelError(f"the model's card cannot be read: {error}") from None
        if version > CARD_VERSION:
            raise ModelError(
                f"the model's card has version {version}, newer than this dlclive-core: update dlclive-core"
            )
        known = {field.name for field in fields(cls)}
        try:
            skeleton = values.pop("skeleton")
            values["skeleton"] = Skeleton(
                tuple(skeleton["keypoints"]), tuple((int(a), int(b)) for a, b in skeleton.get("edges", ()))
            )
            if values.get("assembly") is not None:
                values["assembly"] = AssemblyRules.from_dict(values["assembly"])
            if values.get("preparation") is not None:
                values["preparation"] = Preparation.from_dict(values["preparation"])
            for name in ("individuals", "unique_keypoints", "pad_divisor", "input_size"):
                if values.get(name) is not None:
                    values[name] = tuple(values[name])
            return cls(**{name: value for name, value in values.items() if name in known})
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"the model's card cannot be read: {error!r}") from None

    def with_(self, **changes: Any) -> ModelCard:
        """A copy with some facts changed."""
        return replace(self, **changes)
