"""Networks in fp64, and exports that are wrong although fp32 leaves something open for their network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from dlclive_torch.load import load_deeplabcut
from torch import Tensor

from dlclive_core import Exporter, ExporterInfo, ModelCard, ModelError, PluginCatalog, export_model, load_model
from dlclive_core.demo.source import MouseSource
from dlclive_core.export.parity import answers
from dlclive_core.export.rounding import measure_rounding
from dlclive_core.plugins.catalog import Plugin
from tests.golden_cases import read_case

HEADS = (
    "animaltokenpose_base",
    "cspnext_s",
    "ctd_coam_w32",
    "ctd_prenet_rtmpose_s",
    "dekr_w18",
    "dlcrnet_stride16_ms5",
    "paf_resnet_50_unique_identity",
    "rtmpose_s",
)
"""Reference networks with every kind of head and of condition."""


@pytest.mark.parametrize("name", HEADS)
def test_every_layer_computes_in_fp64(shared: Path, tmp_path: Path, name: str) -> None:
    """One layer that rounds to float32 would make a network in fp64 as inexact as one in fp32."""
    case = read_case(shared, name, tmp_path)
    graph = load_deeplabcut(case.path, dtype=torch.float64).graph
    rounded: list[str] = []

    def check(part: str) -> Callable[[Any, Any, Any], None]:
        def hook(_module: Any, _arguments: Any, result: Any) -> None:
            values = result.values() if isinstance(result, dict) else result if isinstance(result, tuple) else [result]
            floats = [value for value in values if isinstance(value, Tensor) and value.is_floating_point()]
            rounded.extend(part for value in floats if value.dtype != torch.float64)

        return hook

    for part, module in graph.network.named_modules():
        if not part.endswith("picture"):  # conditions are drawn in whole grey levels
            module.register_forward_hook(check(part))
    images = torch.from_numpy(case.image)[None]
    conditions = () if case.conditions is None else (torch.from_numpy(case.conditions),)
    with torch.inference_mode():
        outputs = graph(images, *conditions)
        expected = load_deeplabcut(case.path).graph(images, *conditions)
    assert rounded == []
    for key, values in expected.items():
        assert outputs[key].dtype == torch.float32
        torch.testing.assert_close(outputs[key], values, atol=0.02, rtol=1e-3, equal_nan=True)


def test_a_model_in_fp64_says_so(small_export: Path, noise: Callable[..., np.ndarray]) -> None:
    with load_model(small_export, "torch", device="cpu", precision="fp64") as model:
        assert model.card.precision == "fp64"
        assert model.predict(noise(96, 128)).keypoints.dtype == np.float32


def test_fp32_leaves_little_open_for_a_small_network(small_export: Path, noise: Callable[..., np.ndarray]) -> None:
    images = [noise(96, 128, seed) for seed in range(3)]
    with load_model(small_export, "torch", device="cpu") as model:
        rounding = measure_rounding(small_export, answers(model, images), images, PluginCatalog.installed())
    assert rounding is not None
    assert rounding.precision == "fp64"
    assert 0 < rounding.p50_px <= rounding.px < 0.01
    assert 0 < rounding.confidence < 1e-4


class Wrong(Exporter):
    """Writes a `.pt` file with an error."""

    damage: Callable[[dict[str, Any]], None]

    def export(self, source: Path, target: Path, **_options: Any) -> ModelCard:
        content = torch.load(source, weights_only=True)
        Wrong.damage(content)
        torch.save(content, target)
        return load_deeplabcut(target).card


def _finals(content: dict[str, Any], head: str) -> list[Tensor]:
    """The last layer of a branch of the head: its weight and bias, a channel of the output along their last but third axis."""
    names = [name for name in content["pose"] if f"bodypart.{head}" in name]
    return [content["pose"][name] for name in names]


def _swaps_keypoints(content: dict[str, Any]) -> None:
    weight, bias = _finals(content, "heatmap_head")
    weight.copy_(weight.roll(1, dims=1).clone())
    bias.copy_(bias.roll(1).clone())


def _shifts_refinements(content: dict[str, Any]) -> None:
    _, bias = _finals(content, "locref_head")
    bias.add_(0.3 / 7.2801)  # 0.3 px


def _scales_refinements(content: dict[str, Any]) -> None:
    content["config"]["model"]["heads"]["bodypart"]["predictor"]["locref_std"] *= 1.01


def _forgets_normalisation(content: dict[str, Any]) -> None:
    content["config"]["data"]["inference"]["normalize_images"] = False
    content["config"]["data"]["colormode"] = "RGB"


def _scales_confidences(content: dict[str, Any]) -> None:
    for values in _finals(content, "heatmap_head"):
        values.mul_(0.01)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_swaps_keypoints, "px over all keypoints"),
        (_shifts_refinements, "px over all keypoints"),
        (_scales_refinements, "px over all keypoints"),
        (_forgets_normalisation, "px over all keypoints"),
        (_scales_confidences, "confidences of the export"),
    ],
)
def test_a_wrong_export_of_a_reference_network_is_refused(
    golden_export: Callable[[str], Path], damage: Callable[[dict[str, Any]], None], message: str
) -> None:
    source = golden_export("cspnext_s")
    target = source.with_name("wrong.pt")
    wrong = ExporterInfo(
        name="wrong", summary="", factory=f"{__name__}:Wrong", reads=".pt", writes=".pt", precisions=("fp32",)
    )
    lab = Plugin(name="lab", distribution="lab", version="1", status="ready", components=(wrong,))
    catalog = PluginCatalog([*PluginCatalog.installed().plugins, lab])
    with MouseSource(seed=1, frames=2, size=(160, 128)) as mice:
        mice.open()
        images = [mice.read(1.0).image for _ in range(2)]
    Wrong.damage = staticmethod(damage)
    with pytest.raises(ModelError, match=rf"{message} .*; fp32 itself leaves 0\.\d+ px"):
        export_model(source, target, frames=images, catalog=catalog)
    assert not target.exists()
    Wrong.damage = staticmethod(lambda _: None)
    assert export_model(source, target, frames=images, catalog=catalog).rounding is None
