"""The exporters for Bonsai.Sleap and sleap-nn."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from dlclive_core import (
    DataError,
    DetectionOptions,
    Exporter,
    ModelCard,
    ModelError,
    PoseModel,
    UnsupportedModelError,
    UsageError,
)
from dlclive_core.runtimes import CARD_KEY, find_detector, fix_input_size, refuse_other_program
from dlclive_onnx.metadata import read_card
from dlclive_onnx.sleap.graph import Parts, build_graph
from dlclive_onnx.sleap.metadata import METADATA_NAME, metadata_of
from dlclive_onnx.sleap.picture import PictureLayout, grey
from dlclive_onnx.sleap.reader import load_folder


class SleapExporter(Exporter):
    """Writes `model.onnx` and `export_metadata.json`, which the programs for SLEAP's models run.

    The file takes the picture as the program sends it and returns SLEAP's arrays, in pixels of this picture. Detector, crops,
    normalisation, padding and decoding are in the graph. The card of the model is in the file's metadata.

    Args:
        program: the name of the program.
        layout: how it fills the input.
        min_score: of top-down networks: boxes with a lower score of the detector are ignored.
        max_instances: of top-down networks: the most animals in a frame; None: the number of individuals in the project.
    """

    def __init__(self, program: str, layout: PictureLayout, *, min_score: float, max_instances: int | None) -> None:
        if max_instances is not None and not 1 <= max_instances <= 100:
            raise UsageError(f"max_instances must be between 1 and 100 animals; got {max_instances}")
        self._program, self._layout = program, layout
        self._detection = DetectionOptions(min_score=min_score, max_animals=max_instances)
        self.detection = {"min_score": min_score, "max_animals": max_instances}

    def check(self, card: ModelCard, *, precision: str = "fp32", size: tuple[int, int] | None = None) -> None:
        """See Exporter.check.

        Raises:
            UnsupportedModelError: SLEAP's arrays cannot express what the network finds.
            UsageError: its configuration resizes or pads frames, and their size is missing.
        """
        reason = self._reason(card)
        if reason:
            raise UnsupportedModelError(f"{card.net_type} cannot be exported for {self._program}: {reason}")
        if self._detection.max_animals is not None and card.method != "top-down":
            raise UsageError(
                f"max_instances is for top-down networks; {card.net_type} is a {card.method} network: leave max_instances out"
            )
        if card.preparation is not None and size is None:
            raise UsageError(
                f"the configuration of {card.net_type} resizes or pads frames (data.inference), which depends on their size: "
                "pass the size of the frames, for example --size 640x480"
            )

    def shown(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """See Exporter.shown."""
        return grey(image) if self._layout.channels == 1 else image

    def load(self, target: Path) -> PoseModel:
        """See Exporter.load."""
        card = read_card(target)
        assert card is not None  # `export` has written it
        return load_folder(target, card, self._layout)

    def export(
        self,
        source: Path,
        target: Path,
        *,
        precision: str = "fp32",
        size: tuple[int, int] | None = None,
        frames: Sequence[NDArray[np.uint8]] = (),
    ) -> ModelCard:
        """See Exporter.export.

        Raises:
            UsageError: the file is in another precision, or its input is fixed to another size.
            UnsupportedModelError: as `check`; a top-down network without a detector; or an export for another program.
            ModelError: dlclive did not export the file.
            DataError: the files cannot be written.
        """
        card = read_card(source)
        if card is None:
            raise ModelError(f"{source.name} was not exported by dlclive: give DeepLabCut's .pt file")
        refuse_other_program(card, source.name)
        if card.precision != precision:
            advice = f"pass --precision {card.precision}, or" if card.precision in ("fp32", "fp16") else "give"
            raise UsageError(f"{source.name} is in {card.precision}, not {precision}: {advice} the .pt file")
        card = fix_input_size(card, size, source.name)
        self.check(card, precision=precision, size=size)
        parts = Parts(
            network=_read(source),
            card=card,
            detector=self._detector(source, card),
            most=self._detection.max_animals or len(card.individuals),
            min_score=self._detection.min_score,
            size=card.input_size if size is None else (size[1], size[0]),
        )
        model, answers = build_graph(parts, self._layout)
        card = card.with_(format=self._program)
        onnx.helper.set_model_props(model, {CARD_KEY: card.to_json()})
        metadata = metadata_of(card, answers, channels=self._layout.channels)
        try:
            onnx.save_model(model, str(target))
            text = json.dumps(metadata, indent=2, sort_keys=True) + "\n"  # ASCII: both readers differ in their encoding
            target.with_name(METADATA_NAME).write_text(text, encoding="ascii")
        except OSError as error:
            raise DataError(f"cannot write {target.parent}: {error.strerror or error}") from None
        return card

    def _reason(self, card: ModelCard) -> str:
        """Why a network cannot be exported, for a message; empty if it can."""
        if card.method == "conditional":
            return "it takes the keypoints of the last frame besides the picture, which this program does not send"
        if card.unique_keypoints:
            return "it finds keypoints that exist once in the scene, and SLEAP's models find animals only"
        if card.identity:
            return "it tells individuals apart by candidates, and SLEAP's models by classes"
        if card.assembly is not None and card.assembly.individuals > 1 and not card.assembly.edges:
            return "its animals have one keypoint each, and SLEAP's are joined by edges"
        return ""

    def _detector(self, source: Path, card: ModelCard) -> onnx.ModelProto | None:
        if card.method != "top-down":
            return None
        if card.input_size is None:
            raise ModelError(f"{source.name} has no size of its crops: export it again from its .pt file")
        file = find_detector(source, card, None)
        if file is None:
            raise UnsupportedModelError(
                f"{card.net_type} is a top-down network without a detector, and {self._program} gives no boxes: export the "
                "model from a .pt file that holds its detector"
            )
        return _read(file)


class BonsaiExporter(SleapExporter):
    """For Bonsai.Sleap: its nodes PredictSinglePose and PredictPoses.

    Args:
        channels: of the frames in the workflow: 1 (a monochrome camera, or ColorConversion Bgr2Gray) or 3 (blue, green, red, as
            Bonsai has them).
        planar: for 3 channels: the tensor is filled colour by colour. Bonsai.Sleap 0.4 copies frames pixel by pixel, whatever
            the shape of the tensor says; set this when a later one no longer does.
        min_score: of top-down networks: boxes with a lower score of the detector are ignored.
        max_instances: of top-down networks: the most animals in a frame; None: the number of individuals in the project.
    """

    def __init__(
        self, *, channels: int = 1, planar: bool = False, min_score: float = 0.5, max_instances: int | None = None
    ) -> None:
        if channels not in (1, 3):
            raise UsageError(f"channels must be 1 (grey) or 3 (blue, green, red); got {channels}")
        layout = PictureLayout(channels=channels, interleaved=not planar, blue_first=True)
        super().__init__("bonsai", layout, min_score=min_score, max_instances=max_instances)

    def _reason(self, card: ModelCard) -> str:
        rules = card.assembly
        if rules is not None and rules.individuals > 1:
            return (
                "its animals are assembled from candidates, and Bonsai.Sleap has no node for such networks; run it with "
                "dlclive and send Bonsai the poses, --sink osc"
            )
        return super()._reason(card)


class SleapNNExporter(SleapExporter):
    """For `sleap-nn predict`: colour videos in red, green, blue, and grey ones.

    Args:
        min_score: of top-down networks: boxes with a lower score of the detector are ignored.
        max_instances: of top-down networks: the most animals in a frame; None: the number of individuals in the project.
    """

    def __init__(self, *, min_score: float = 0.5, max_instances: int | None = None) -> None:
        layout = PictureLayout(channels=3, interleaved=False, blue_first=False, any_channels=True)
        super().__init__("sleap-nn", layout, min_score=min_score, max_instances=max_instances)


def _read(file: Path) -> onnx.ModelProto:
    try:
        return onnx.load(str(file))
    except Exception as error:  # whatever a damaged file makes protobuf raise
        raise ModelError(f"{file} is not an ONNX model: {' '.join(str(error).split())}") from None
