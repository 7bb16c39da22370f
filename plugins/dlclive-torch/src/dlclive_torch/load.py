"""From a DeepLabCut file to a network with its weights, ready to run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from dlclive_core.card import ModelCard
from dlclive_core.deeplabcut import PoseConfig
from dlclive_core.errors import ModelError, UnsupportedModelError
from dlclive_torch.files.checkpoint import Checkpoint, read_checkpoint
from dlclive_torch.folding import fold_batch_norms
from dlclive_torch.graph import KeypointGraph
from dlclive_torch.network import build_network
from dlclive_torch.scorer import deeplabcut_scorer
from dlclive_torch.weights import fill_weights


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model's graph on the CPU, in eval mode, and its card."""

    graph: KeypointGraph
    card: ModelCard


def load_deeplabcut(path: Path, *, dtype: torch.dtype = torch.float32) -> LoadedModel:
    """Read an export or snapshot, build its network, fill in the weights, and fold its batch normalisations.

    Args:
        path: the `.pt` file.
        dtype: of the network's weights and arithmetic, float32 or float16.

    Raises:
        ModelError, UnsafeFileError: the file.
        UnsupportedModelError: the network is not one that this package knows.
    """
    checkpoint = read_checkpoint(path)
    config = _config(checkpoint)
    if config.method != "bottom-up":
        raise UnsupportedModelError(
            f"{config.net_type} is a {config.method} network; this version of dlclive-torch runs bottom-up ones"
        )
    try:
        network = build_network(config)
    except (AttributeError, KeyError, TypeError, ValueError) as error:  # values that no DeepLabCut version writes
        raise ModelError(
            f"the configuration of {path} cannot be understood ({_reason(error)}); export it again"
        ) from None
    fill_weights(network, checkpoint.pose, path)
    network.eval()
    network.backbone.prune()
    fold_batch_norms(network)
    graph = KeypointGraph(network, normalisation=config.normalisation, pad_divisor=config.pad_divisor, dtype=dtype)
    card = config.card(
        scorer=deeplabcut_scorer(config, checkpoint),
        format=checkpoint.format,
        stride=network.stride,
        precision="fp16" if dtype == torch.float16 else "fp32",
        source_sha256=checkpoint.sha256,
    )
    return LoadedModel(graph.eval(), card)


def _config(checkpoint: Checkpoint) -> PoseConfig:
    try:
        return PoseConfig.from_mapping(checkpoint.config, where=str(checkpoint.path))
    except (AttributeError, KeyError, TypeError, ValueError) as error:  # values that no DeepLabCut version writes
        raise ModelError(
            f"the configuration of {checkpoint.path} cannot be understood ({_reason(error)}); export it again"
        ) from None


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
