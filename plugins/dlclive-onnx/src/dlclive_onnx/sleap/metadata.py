"""`export_metadata.json`, in which SLEAP's programs read what a model answers.

The fields are those of Bonsai.Sleap, and no others: its reader refuses a file with a field that it does not know. sleap-nn
knows more, and takes their defaults.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Literal

from dlclive_core import ModelCard
from dlclive_onnx import __version__

METADATA_NAME = "export_metadata.json"

ModelType = Literal["single_instance", "topdown", "bottomup"]

MOST_BATCH = 64
"""Frames in a batch that Bonsai.Sleap may send. The file itself takes any number, unless it finds boxes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """How the outputs are read.

    Attributes:
        model_type: which outputs there are; see `outputs.py`.
        animals: I, the most in a frame.
        candidates: P of each keypoint, for "bottomup".
        edges: of the assembly, for "bottomup"; else of the skeleton.
        most_batch: B.
    """

    model_type: ModelType
    animals: int = 1
    candidates: int | None = None
    edges: Sequence[tuple[int, int]] = ()
    most_batch: int = MOST_BATCH


def metadata_of(card: ModelCard, answers: Answers, *, channels: int) -> dict[str, Any]:
    """The fields of the file.

    Args:
        card: of the model, in the precision of the export.
        channels: of the frames that the program sends.
    """
    several = answers.model_type != "single_instance"
    height, width = card.input_size if card.method == "top-down" and card.input_size is not None else (None, None)
    return {
        "sleap_nn_version": f"none: written by dlclive-onnx {__version__}",
        "export_timestamp": datetime.now(timezone.utc).replace(microsecond=0, tzinfo=None).isoformat(),
        "export_format": "onnx",
        "model_type": answers.model_type,
        "model_name": card.scorer,
        "checkpoint_path": f"sha256:{card.source_sha256}" if card.source_sha256 else "",
        "backbone": card.net_type,
        "n_nodes": len(card.skeleton),
        "n_edges": len(answers.edges),
        "node_names": list(card.skeleton.keypoints),
        "edge_inds": [list(edge) for edge in answers.edges],
        "input_scale": 1.0,
        "input_channels": channels,
        "output_stride": 1,  # positions are in pixels of the picture already
        "crop_size": None if height is None else [height, width],
        "max_instances": answers.animals if several else None,
        "max_peaks_per_node": answers.candidates,
        "max_batch_size": answers.most_batch,
        "precision": card.precision,
        "peak_threshold": 0.0,  # every keypoint is returned, with its confidence
        "input_dtype": "uint8",
        "normalization": "0_to_1",
        "n_classes": None,
        "class_names": None,
        "anchor_part": None,
        "training_config_embedded": False,
        "training_config_hash": "",
    }
