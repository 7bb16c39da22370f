"""Copy weights into a network. Names and shapes must match exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor, nn

from dlclive_core import ModelError

_COUNTER = "num_batches_tracked"
"""A batch normalisation's counter of training steps: unused in inference, and missing from some files."""


def check_weights(network: nn.Module, weights: Mapping[str, Tensor], path: Path) -> None:
    """Raise ModelError, as `fill_weights`, if the weights do not fit. The network may be without memory, on "meta"."""
    _matching_entries(network, weights, path)


def fill_weights(network: nn.Module, weights: Mapping[str, Tensor], path: Path) -> None:
    """Copy `weights` into the network, and convert them to its dtype.

    Raises:
        ModelError: an entry is missing, unexpected, or of the wrong shape; the message names the first five.
    """
    network.load_state_dict(_matching_entries(network, weights, path), strict=False)


def _matching_entries(network: nn.Module, weights: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    parameters = {name: value for name, value in network.state_dict().items() if not name.endswith(_COUNTER)}
    entries = {name: value for name, value in weights.items() if not name.endswith(_COUNTER)}
    problems = []
    if missing := [name for name in parameters if name not in entries]:
        problems.append(f"{len(missing)} weights are missing ({_first_five(missing)})")
    if unexpected := [name for name in entries if name not in parameters]:
        problems.append(f"{len(unexpected)} are not part of the network ({_first_five(unexpected)})")
    mismatches = [
        f"{name} is {tuple(entries[name].shape)}, not {tuple(value.shape)}"
        for name, value in parameters.items()
        if name in entries and entries[name].shape != value.shape
    ]
    if mismatches:
        problems.append(f"{len(mismatches)} have the wrong shape ({_first_five(mismatches)})")
    if problems:
        raise ModelError(
            f"the weights in {path} do not match the network of its configuration: {'; '.join(problems)}; "
            "export the model again, or put the configuration of its training beside it"
        )
    return entries


def _first_five(names: Sequence[str]) -> str:
    """Names come from a file: as they are, but without anything that a terminal obeys, and no longer than any."""
    shown = [name[:200] if name.isprintable() else ascii(name[:200]) for name in names[:5]]
    return ", ".join(shown) + (", ..." if len(names) > 5 else "")
