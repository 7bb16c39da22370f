"""Weights must match the network's entries exactly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from dlclive_torch.network import PoseNetwork, build_network
from dlclive_torch.weights import fill_weights

from dlclive_core import ModelError
from dlclive_core.runtimes import PoseConfig

FILE = Path("mouse.pt")


@pytest.fixture
def network(config: dict[str, Any]) -> PoseNetwork:
    return build_network(PoseConfig.from_mapping(config, where="a test"))


def test_every_entry_is_filled(network: PoseNetwork, small_weights: dict[str, torch.Tensor]) -> None:
    fill_weights(network, small_weights, FILE)
    for name, value in network.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            torch.testing.assert_close(value, small_weights[name], rtol=0, atol=0)


def test_half_precision_weights_are_converted_to_the_networks_dtype(
    network: PoseNetwork, small_weights: dict[str, torch.Tensor]
) -> None:
    halves = {name: value.half() if value.is_floating_point() else value for name, value in small_weights.items()}
    fill_weights(network, halves, FILE)
    assert all(value.dtype == torch.float32 for value in network.parameters())


def test_counters_of_batch_norms_may_be_absent(network: PoseNetwork, small_weights: dict[str, torch.Tensor]) -> None:
    without = {name: value for name, value in small_weights.items() if "num_batches" not in name}
    for weights in (without, {**small_weights, "backbone.old.num_batches_tracked": torch.tensor(3)}):
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.zero_()
        fill_weights(network, weights, FILE)
        for name, parameter in network.named_parameters():
            torch.testing.assert_close(parameter, small_weights[name], rtol=0, atol=0)


def test_the_error_names_the_first_five_missing_entries(
    network: PoseNetwork, small_weights: dict[str, torch.Tensor]
) -> None:
    kept = {name: value for name, value in small_weights.items() if not name.startswith("backbone.stem")}
    with pytest.raises(ModelError, match=r"mouse\.pt.*15 weights are missing \(backbone\.stem\.0\.conv\.weight, ") as e:
        fill_weights(network, kept, FILE)
    assert str(e.value).count("backbone.stem") == 5


def test_the_error_names_unexpected_entries(network: PoseNetwork, small_weights: dict[str, torch.Tensor]) -> None:
    more = {f"heads.identity.{index}": torch.zeros(1) for index in range(7)}
    with pytest.raises(ModelError, match=r"7 are not part of the network \(heads\.identity\.0.*\.4, \.\.\.\)"):
        fill_weights(network, {**small_weights, **more}, FILE)


def test_the_error_names_entries_of_the_wrong_shape(
    network: PoseNetwork, small_weights: dict[str, torch.Tensor]
) -> None:
    name = "heads.bodypart.heatmap_head.deconv_layers.0.bias"
    with pytest.raises(ModelError, match=r"heatmap_head\.deconv_layers\.0\.bias is \(4,\), not \(3,\)"):
        fill_weights(network, {**small_weights, name: torch.zeros(4)}, FILE)
