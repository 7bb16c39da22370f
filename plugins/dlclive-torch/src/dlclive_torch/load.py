"""Load a DeepLabCut file as a network with its weights, ready to run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor

from dlclive_core import DLCLiveError, ModelCard, ModelError
from dlclive_core.runtimes import PoseConfig, detector_normalisation, detector_snapshots
from dlclive_torch.device import name_dtype
from dlclive_torch.files.checkpoint import Checkpoint, read_checkpoint, read_detector
from dlclive_torch.folding import fold_batch_norms
from dlclive_torch.graph import KeypointGraph
from dlclive_torch.network import BODYPART, UNIQUE, PoseNetwork, build_network
from dlclive_torch.scorer import deeplabcut_scorer
from dlclive_torch.weights import check_weights, fill_weights

if TYPE_CHECKING:
    from dlclive_torch.detectors.graph import DetectorGraph
    from dlclive_torch.heads.base import Head
    from dlclive_torch.necks.transformer import Transformer


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model's graph on the CPU, in eval mode, with its card, configuration and file."""

    graph: KeypointGraph
    card: ModelCard
    config: PoseConfig
    checkpoint: Checkpoint

    def detector(self, given: Path | None = None) -> DetectorGraph | None:
        """Build the detector of a top-down network, on the CPU, in eval mode; None if there is none.

        The weights come from `given`, else from the model's file, else from the best `snapshot-detector-*.pt` beside it.

        Raises:
            DependencyError: torchvision is not installed.
            ModelError, UnsafeFileError, UnsupportedModelError: the detector cannot be loaded.
        """
        path, weights = self._detector_weights(given)
        if weights is None:
            return None
        if self.config.detector is None:
            raise ModelError(f"{path} holds a detector, and the configuration of {self.checkpoint.path} describes none")
        from dlclive_torch.detectors.build import (
            build_detector,
            fill_detector,
        )  # needs torchvision; other models do not

        detector = build_detector(
            self.config.detector, detector_normalisation(self.config.detector, where=str(self.checkpoint.path))
        )
        fill_detector(detector, weights, path)
        return detector

    def _detector_weights(self, given: Path | None) -> tuple[Path, Mapping[str, Tensor] | None]:
        if given is not None:
            return given, read_detector(given)
        path = self.checkpoint.path
        if self.checkpoint.detector is not None:
            return path, self.checkpoint.detector
        beside = _detector_snapshot(self.checkpoint, self.config)
        return (path, None) if beside is None else (beside, read_detector(beside))


def load_deeplabcut(path: Path, *, dtype: torch.dtype = torch.float32, detector: Path | None = None) -> LoadedModel:
    """Read an export or snapshot, build its network, fill in the weights, and fold its batch normalisations.

    Args:
        path: the `.pt` file.
        dtype: dtype of the network's weights and arithmetic: float32, float16, bfloat16 or float64.
        detector: the file that `LoadedModel.detector` will be given, whose name is part of the scorer.

    Raises:
        ModelError, UnsafeFileError: the file cannot be read.
        UnsupportedModelError: this package does not support the network.
    """
    checkpoint = read_checkpoint(path)
    config = _config(checkpoint)
    try:
        with torch.device("meta"):  # takes no memory, whatever the sizes in the configuration
            check_weights(build_network(config), checkpoint.pose, path)
        network = build_network(config)
    except DLCLiveError:
        raise
    except Exception as error:  # values that no DeepLabCut version writes raise nearly anything
        raise ModelError(f"the configuration of {path} is invalid ({_reason(error)}); export it again") from None
    _check_keypoints(config, network, path)
    fill_weights(network, checkpoint.pose, path)
    network.eval()
    if dtype == torch.float64:
        network.to(dtype)  # before weights are folded, which would round them to float32
    network.prepare()
    if not network.exact:
        fold_batch_norms(network)
    graph = KeypointGraph(network, normalisation=config.normalisation, pad_divisor=config.pad_divisor, dtype=dtype)
    card = config.card(
        scorer=deeplabcut_scorer(config, checkpoint, detector or _detector_snapshot(checkpoint, config)),
        format=checkpoint.format,
        stride=network.stride,
        assembly=network.assembly,
        precision=name_dtype(dtype),
        source_sha256=checkpoint.sha256,
    )
    if network.input_size is not None:
        card = card.with_(input_size=network.input_size)
    return LoadedModel(graph.eval(), card, config, checkpoint)


def _check_keypoints(config: PoseConfig, network: PoseNetwork, path: Path) -> None:
    """ModelError if the configuration names another number of keypoints than the network finds."""
    for head, names in ((BODYPART, config.skeleton.keypoints), (UNIQUE, config.unique_keypoints)):
        if head not in network.heads:  # top-down networks of projects with unique keypoints do not find these
            continue
        count = cast("Head", network.heads[head]).keypoints
        if count is None:
            count = cast("Transformer", network.neck).keypoints
        if count != len(names):
            raise ModelError(
                f"the configuration of {path} names {len(names)} keypoints ({head}), and its network finds {count}: it is "
                "another model's; export the model again"
            )


def _detector_snapshot(checkpoint: Checkpoint, config: PoseConfig) -> Path | None:
    """The detector's snapshot that lies beside a top-down network's."""
    if config.method != "top-down" or checkpoint.format != "deeplabcut-snapshot":
        return None
    return next(reversed(detector_snapshots(checkpoint.path)), None)


def _config(checkpoint: Checkpoint) -> PoseConfig:
    try:
        return PoseConfig.from_mapping(checkpoint.config, where=str(checkpoint.path), file=checkpoint.path)
    except DLCLiveError:
        raise
    except Exception as error:  # values that no DeepLabCut version writes raise nearly anything
        raise ModelError(
            f"the configuration of {checkpoint.path} is invalid ({_reason(error)}); export it again"
        ) from None


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
