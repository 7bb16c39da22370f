"""Weights into a network, entry by entry, none missing and none left over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor, nn

from dlclive_core import ModelError

_COUNTER = "num_batches_tracked"
"""How often a batch normalisation was trained: not used after training, and absent from some files."""


def check_weights(network: nn.Module, weights: Mapping[str, Tensor], path: Path) -> None:
    """Raise ModelError, as `fill_weights`, if the weights do not fit. The network may be without memory, on "meta"."""
    _fitting(network, weights, path)


def fill_weights(network: nn.Module, weights: Mapping[str, Tensor], path: Path) -> None:
    """Copy `weights` into the network, converting their type to the network's.

    Raises:
        ModelError: an entry is missing, left over, or of another shape; the first five are named.
    """
    network.load_state_dict(_fitting(network, weights, path), strict=False)


def _fitting(network: nn.Module, weights: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    wanted = {name: value for name, value in network.state_dict().items() if not name.endswith(_COUNTER)}
    given = {name: value for name, value in weights.items() if not name.endswith(_COUNTER)}
    problems = []
    if missing := [name for name in wanted if name not in given]:
        problems.append(f"{len(missing)} weights are missing ({_first(missing)})")
    if extra := [name for name in given if name not in wanted]:
        problems.append(f"{len(extra)} are not part of the network ({_first(extra)})")
    other = [
        f"{name} is {tuple(given[name].shape)}, not {tuple(value.shape)}"
        for name, value in wanted.items()
        if name in given and given[name].shape != value.shape
    ]
    if other:
        problems.append(f"{len(other)} have another shape ({_first(other)})")
    if problems:
        raise ModelError(
            f"the weights in {path} do not fit the network of its configuration: {'; '.join(problems)}; "
            "export the model again, or put the configuration that it was trained with beside it"
        )
    return given


def _first(names: Sequence[str]) -> str:
    """Names come from a file: as they are, but without anything that a terminal obeys, and no longer than any."""
    shown = [name[:200] if name.isprintable() else ascii(name[:200]) for name in names[:5]]
    return ", ".join(shown) + (", ..." if len(names) > 5 else "")
