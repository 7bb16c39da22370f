"""The model card: the facts about a model that other components need."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from dlclive_core.data.assembly_rules import AssemblyRules
from dlclive_core.data.card_json import read_card_values
from dlclive_core.data.name_checks import check_name, check_names, check_scorer
from dlclive_core.data.preparation import Preparation
from dlclive_core.data.skeleton import Skeleton
from dlclive_core.data.student_facts import StudentFacts
from dlclive_core.errors import ModelError

CARD_VERSION = 3

Normalisation = Literal["imagenet", "unit", "none"]
_LEAST_DLCRNET = 32
"""Pixels. Its 3 x 3 convolutions without padding get nothing out of fewer."""
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """The facts about a model. Names that are not text, empty, repeated or unprintable are a ValueError.

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
        student: of a small network that was trained for one rig by another model: how. Its network has the output `unlike`.
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
    student: StudentFacts | None = None

    def __post_init__(self) -> None:
        check_names(self.individuals, "individuals")
        check_names(self.unique_keypoints, "unique_keypoints")
        check_scorer(self.scorer)
        check_name(self.net_type, "net_type")
        if not self.individuals:
            raise ValueError("individuals is empty; a single-animal project has one")
        if self.assembly is not None and self.method != "bottom-up":
            raise ValueError(f"a {self.method} network has one animal in each crop, and no assembly")
        if self.assembly is not None and any(max(edge) >= len(self.skeleton) for edge in self.assembly.edges):
            raise ValueError(f"assembly has an edge that is out of range for {len(self.skeleton)} keypoints")
        if self.student is not None and self.method != "bottom-up":
            raise ValueError(f"a student finds animals in whole images, and is not {self.method}")

    @property
    def least_image(self) -> tuple[int, int]:
        """(height, width) of the smallest image that the network takes, if its input is not fixed: one cell, or more."""
        side = max(math.ceil(self.stride), _LEAST_DLCRNET if self.net_type.startswith("dlcrnet") else 1)
        return side, side

    def to_json(self) -> str:
        """One line of JSON, for the metadata of an exported file."""
        return json.dumps({"card_version": CARD_VERSION, **asdict(self)}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str, where: str = "the model") -> ModelCard:
        """Read the output of `to_json`, checking every field; `where` names the file in messages.

        Raises:
            ModelError: it is invalid, or newer than this package.
        """
        try:
            return cls(**read_card_values(text, CARD_VERSION, where))
        except ValueError as error:  # of __post_init__
            raise ModelError(f"the card of {where} cannot be read: {error}; export the model again") from None

    def with_(self, **changes: Any) -> ModelCard:
        """A copy with some facts changed."""
        return replace(self, **changes)
