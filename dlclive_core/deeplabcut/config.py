"""DeepLabCut's configuration of a model (`pytorch_config.yaml`, and the same inside an export), as types.

Versions differ: 3.0.0 writes only the keys that are set, 3.0.1 and later write every optional key with None, and model
zoo files write the method in capitals. All are accepted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dlclive_core.data.assembly_rules import AssemblyRules
from dlclive_core.data.card import ModelCard, Normalisation
from dlclive_core.data.preparation import Preparation, Shape
from dlclive_core.data.skeleton import Skeleton
from dlclive_core.deeplabcut.config_file import read_config
from dlclive_core.deeplabcut.config_limits import check_config
from dlclive_core.deeplabcut.inference_options import (
    InferenceOptions,
    check_model_keys,
    read_detector_inference,
    read_inference,
)
from dlclive_core.deeplabcut.project import is_multi_animal
from dlclive_core.errors import DLCLiveError, ModelError, UnsupportedModelError, shown

_UNNAMED = ("animal", "individual_1")
"""What DeepLabCut calls the animal of a single-animal project: up to 3.0.0, and since."""
_CROP_SIDE = 256
"""DeepLabCut's crop where `top_down_crop` gives no size, in pixels."""
_BOX_MARGIN = 20
"""DeepLabCut's `bbox_margin` where none is given."""
LOCREF_STD = 7.2801
"""DeepLabCut's default scale of location refinement, for heads whose predictor does not give one."""

_METHODS: Mapping[str, Literal["bottom-up", "top-down", "conditional"]] = {
    "bu": "bottom-up",
    "td": "top-down",
    "ctd": "conditional",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PoseConfig:
    """A DeepLabCut model's configuration.

    Attributes:
        model: the architecture as DeepLabCut names it: `backbone`, `backbone_output_channels`, `neck`, `heads`.
        detector: the detector's part, None if there is none.
        input_size: (height, width) of the crop that a top-down or conditional network takes. Its layers take precedence: for
            some networks, DeepLabCut 3.0.1 and 3.0.2 write a crop size with which they cannot run.
        project: path of the project, "" if it was removed.
        Other attributes: as in ModelCard.
    """

    net_type: str
    method: Literal["bottom-up", "top-down", "conditional"]
    skeleton: Skeleton
    individuals: tuple[str, ...]
    multi_animal: bool
    unique_keypoints: tuple[str, ...]
    with_identity: bool
    normalisation: Normalisation
    pad_divisor: tuple[int, int]
    preparation: Preparation | None
    input_size: tuple[int, int] | None
    crop_margin: float
    crop_context: bool
    condition_margin: float
    project: str
    model: Mapping[str, Any]
    detector: Mapping[str, Any] | None

    @classmethod
    def read(cls, path: Path) -> PoseConfig:
        """Read a `pytorch_config.yaml`. Raises ModelError if it is not one."""
        return cls.from_mapping(read_config(path), where=str(path), file=path)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], *, where: str, file: Path | None = None) -> PoseConfig:
        """Interpret a configuration that has been read.

        Args:
            values: its content.
            where: names it in error messages.
            file: the file, of the configuration or the model, by which its project is found; None: it is in none.
        """
        model = values.get("model")
        metadata = values.get("metadata")
        if not isinstance(model, Mapping) or not isinstance(metadata, Mapping):
            raise ModelError(f"{where} has no 'model' and 'metadata' parts: it is not a DeepLabCut 3 configuration")
        check_config(values, where)
        keypoints = tuple(str(name) for name in metadata.get("bodyparts") or ())
        if not keypoints:
            raise ModelError(f"{where} names no bodyparts (metadata.bodyparts)")
        method = str(values.get("method") or "bu").lower()
        if method not in _METHODS:
            raise ModelError(f"{where} has method {shown(method)}; valid are {', '.join(_METHODS)}")
        individuals = tuple(str(name) for name in metadata.get("individuals") or ()) or ("individual_1",)
        try:
            return cls._interpreted(values, method, keypoints, individuals, where, file)
        except DLCLiveError:
            raise
        except (AttributeError, KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
            reason = f"{type(error).__name__}: {str(error)[:200]}"
            raise ModelError(f"{where} cannot be understood ({reason}): it is not as DeepLabCut writes it") from None

    @classmethod
    def _interpreted(
        cls,
        values: Mapping[str, Any],
        method: str,
        keypoints: tuple[str, ...],
        individuals: tuple[str, ...],
        where: str,
        file: Path | None,
    ) -> PoseConfig:
        """From the entries whose names and numbers were checked."""
        model, metadata = values["model"], values["metadata"]
        check_model_keys(model, where=where)
        data = values.get("data") or {}
        options = read_inference(data, where=where)
        input_size = _layers_size(model) or _crop_size(options, method)
        return cls(
            net_type=str(values.get("net_type") or _part(model, "backbone").get("model_name") or "unknown"),
            method=_METHODS[method],
            skeleton=Skeleton(keypoints),
            individuals=individuals,
            multi_animal=_is_multi_animal(metadata, file),
            unique_keypoints=tuple(str(name) for name in metadata.get("unique_bodyparts") or ()),
            with_identity=bool(metadata.get("with_identity")),
            normalisation=options.normalisation,
            pad_divisor=options.pad_divisor,
            preparation=_preparation(options, None if method == "bu" else input_size, where),
            input_size=input_size,
            crop_margin=float(options.crop.get("margin", 0)),
            crop_context=bool(options.crop.get("crop_with_context", method != "ctd")),
            condition_margin=float(_or_default(data.get("bbox_margin"), _BOX_MARGIN)),
            project=str(metadata.get("project_path") or ""),
            model=model,
            detector=values.get("detector") or None,
        )

    def head(self, name: str = "bodypart") -> Mapping[str, Any]:
        """The configuration of one head. Raises ModelError if there is none of this name."""
        heads = _part(self.model, "heads")
        if name not in heads:
            raise ModelError(f"the configuration has no head {name!r}; it has {shown(list(heads))}")
        return _part(heads, name)

    def card(
        self,
        *,
        scorer: str,
        format: str,
        stride: float,
        assembly: AssemblyRules | None = None,
        precision: str = "fp32",
        source_sha256: str = "",
    ) -> ModelCard:
        """The card of a model with this configuration; the caller supplies what the configuration does not say.

        Raises:
            ModelError: a name that no table or file name can take, such as a scorer with a slash.
        """
        try:
            return ModelCard(
                net_type=self.net_type,
                skeleton=self.skeleton,
                individuals=self.individuals,
                multi_animal=self.multi_animal,
                unique_keypoints=self.unique_keypoints,
                method=self.method,
                scorer=scorer,
                stride=stride,
                normalisation=self.normalisation,
                pad_divisor=self.pad_divisor,
                preparation=self.preparation,
                input_size=self.input_size,
                crop_margin=self.crop_margin,
                crop_context=self.crop_context,
                condition_margin=self.condition_margin,
                assembly=assembly,
                identity="identity" in _part(self.model, "heads"),
                format=format,
                precision=precision,
                source_sha256=source_sha256,
            )
        except ValueError as error:  # a name that no file or table can take
            raise ModelError(f"the configuration of {ascii(self.net_type)[:60]} has no valid names: {error}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatmapDecoding:
    """How the maps of a heatmap head become keypoints.

    Attributes:
        stride: pixels of the network's input per cell of the heatmap.
        locref_std: pixels per unit of the location refinement maps; None if the head has none.
        apply_sigmoid: the heatmap holds logits.
        clip_scores: confidences are clipped to 0..1.
    """

    stride: float
    locref_std: float | None
    apply_sigmoid: bool = False
    clip_scores: bool = False

    @classmethod
    def from_head(cls, head: Mapping[str, Any], *, stride: float) -> HeatmapDecoding:
        """Read the `predictor` part of a head; missing values are DeepLabCut's defaults.

        Raises:
            ModelError: a `locref_std` that is not a number above 0.
        """
        predictor = _part(head, "predictor")
        refined = bool(predictor.get("location_refinement", True)) and bool(head.get("locref_config"))
        return cls(
            stride=stride,
            locref_std=_locref_std(predictor) if refined else None,
            apply_sigmoid=bool(_or_default(predictor.get("apply_sigmoid"), True)),
            clip_scores=bool(predictor.get("clip_scores")),
        )


def _locref_std(predictor: Mapping[str, Any]) -> float:
    value = predictor.get("locref_std")
    if value is None:
        return LOCREF_STD
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise ModelError(f"predictor.locref_std is {shown(value)}; it is a number of pixels above 0")
    return float(value)


def detector_normalisation(detector: Mapping[str, Any], *, where: str = "the configuration") -> Normalisation:
    """The normalisation of a detector's input, from `detector` of a configuration; `where` names it in error messages.

    Raises:
        UnsupportedModelError, ModelError: an entry of `detector.data.inference`, by name.
    """
    return read_detector_inference(detector.get("data"), where=where)


def scorer_name(config: PoseConfig, file_stem: str, snapshot: str | None = None) -> str:
    """The scorer in DeepLabCut's form, `DLC_<Network>_<Task><date>shuffle<n>_snapshot_<name>`, as far as it is known.

    If the project's path was removed from an export, the file's own name replaces project and snapshot.
    """
    network = "".join(part.capitalize() for part in config.net_type.split("_"))
    return f"DLC_{network}_{file_stem}" + (f"_snapshot_{snapshot}" if snapshot else "")


def padded_size(height: int, width: int, divisor: tuple[int, int]) -> tuple[int, int]:
    """(height, width) after padding up to multiples of `divisor` (height, width)."""
    return math.ceil(height / divisor[0]) * divisor[0], math.ceil(width / divisor[1]) * divisor[1]


def _part(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = values.get(name)
    return part if isinstance(part, Mapping) else {}


def _or_default(value: Any, default: Any) -> Any:
    return default if value is None else value


def _is_multi_animal(metadata: Mapping[str, Any], file: Path | None) -> bool:
    """Whether the project is a multi-animal one, which may have one animal.

    Its own configuration says so. Where that is not at hand, what only multi-animal projects have is taken for it: several
    individuals, one with a name of its own, unique keypoints, or an identity.
    """
    individuals = [str(name) for name in metadata.get("individuals") or ()]
    if len(individuals) > 1:
        return True
    says = None if file is None else is_multi_animal(file)
    if says is not None:
        return says
    named = bool(individuals) and individuals[0] not in _UNNAMED
    return named or bool(metadata.get("unique_bodyparts")) or bool(metadata.get("with_identity"))


def _layers_size(model: Mapping[str, Any]) -> tuple[int, int] | None:
    """The (height, width) of the layers: SimCC heads store (width, height), conditional backbones (height, width)."""
    head = _part(_part(model, "heads"), "bodypart").get("input_size")
    if head:
        return int(head[1]), int(head[0])
    backbone = _part(model, "backbone").get("img_size")
    return (int(backbone[0]), int(backbone[1])) if backbone else None


def _crop_size(options: InferenceOptions, method: str) -> Shape | None:
    """The (height, width) of a top-down or conditional network's crops. Bottom-up ones have none, whatever is written."""
    if method == "bu":
        return None
    return int(options.crop.get("height", _CROP_SIDE)), int(options.crop.get("width", _CROP_SIDE))


def _preparation(options: InferenceOptions, crop: Shape | None, where: str) -> Preparation | None:
    """What is done to whole images. Crops have the size that it would make of them, or are refused."""
    if crop is None or options.preparation is None or options.preparation.prepared(crop) == crop:
        return options.preparation if crop is None else None
    high, wide = options.preparation.prepared(crop)
    raise UnsupportedModelError(
        f"{where}: data.inference makes {wide} x {high} pixels of crops of {crop[1]} x {crop[0]}, by resize, longest_max_size "
        "or auto_padding; that is supported for whole images only: set top_down_crop to the size that it was trained on"
    )
