"""The multi-animal head: heatmaps, location refinements and part affinity fields, refined in stages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from dlclive_core import UnsupportedModelError
from dlclive_core.runtimes import LOCREF_STD, AssemblyRules
from dlclive_torch.affinities import pair_affinities
from dlclive_torch.heads.base import Head
from dlclive_torch.heads.heatmap import Upsampling, build_upsampling
from dlclive_torch.peaks import PeakDecoding, find_peaks

_MIXED = 128
"""Channels of the features that every stage receives in addition to the maps of the previous stage."""


class DLCRNetHead(Head):
    """Heatmaps and part affinity fields, each refined by a chain of convolutions that receives both.

    Lauer et al. 2022, "Multi-animal pose estimation, identification and tracking with DeepLabCut" (Nature Methods 19).
    From the second stage on, the heatmap chain adds the output of the previous stage; the field chain does not.

    Returns candidates and the affinities of their pairs; the maps never leave the device.

    Args:
        heatmap, locref, field: the upsampling at the end of each branch.
        channels: channels of the features.
        counts: numbers of heatmaps, location refinement maps, and field components.
        stages: number of refinement stages.
        decoding: from heatmaps to candidates.
        kept: indices of the fields that belong to the edges of `assembly`, in the order of the edges.
        assembly: the rules that assemble animals from the outputs of this head.
    """

    outputs: ClassVar[tuple[str, ...]] = ("peaks", "affinities")

    def __init__(
        self,
        heatmap: Upsampling,
        locref: Upsampling,
        field: Upsampling,
        *,
        channels: int,
        counts: tuple[int, int, int],
        stages: int,
        decoding: PeakDecoding,
        kept: tuple[int, ...],
        assembly: AssemblyRules,
    ) -> None:
        super().__init__()
        heatmaps, refinements, components = counts
        mixed = heatmaps + components + _MIXED
        self.heatmap_head, self.locref_head, self.paf_head = heatmap, locref, field
        self.convt1, self.convt2, self.convt3, self.convt4 = (
            nn.ConvTranspose2d(channels, out, 3, 2, padding=1, output_padding=1)
            for out in (heatmaps, refinements, components, _MIXED)
        )
        self.hm_ref_layers = nn.ModuleList(nn.Conv2d(mixed, heatmaps, 3, padding=1) for _ in range(stages))
        self.paf_ref_layers = nn.ModuleList(nn.Conv2d(mixed, components, 3, padding=1) for _ in range(stages))
        self.decoding = decoding
        self.edges: Tensor
        self.kept: Tensor
        self.register_buffer("edges", torch.tensor(assembly.edges, dtype=torch.int64).view(-1, 2), persistent=False)
        self.register_buffer("kept", torch.tensor(kept, dtype=torch.int64), persistent=False)
        self.assembly: AssemblyRules = assembly
        self.stride = decoding.stride
        self.keypoints = heatmaps

    def maps(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return heatmaps (N, K, h, w), location refinements (N, 2K, h, w), and all fields (N, 2 * fields, h, w)."""
        mixed = self.convt4(features)
        heatmaps, fields = self.convt1(features), self.convt3(features)
        for stage, (refine, redirect) in enumerate(zip(self.hm_ref_layers, self.paf_ref_layers, strict=True)):
            joined = torch.cat([heatmaps, fields, mixed], dim=1)
            refined = refine(joined)
            heatmaps, fields = refined + heatmaps if stage else refined, redirect(joined)
        joined = torch.cat([heatmaps, fields, mixed], dim=1)
        return self.heatmap_head(joined), self.locref_head(self.convt2(features)), self.paf_head(joined)

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        heatmaps, locref, fields = self.maps(features)
        peaks = find_peaks(heatmaps, locref, self.decoding)
        affinities = pair_affinities(fields, peaks, self.edges, self.kept)
        return {"peaks": peaks.points, "affinities": affinities}


def build_dlcrnet_head(options: Mapping[str, Any], feature_stride: int) -> DLCRNetHead:
    """Build the head from its part of a configuration; `feature_stride` in input pixels per cell."""
    predictor = options.get("predictor") or {}
    if predictor.get("type", "PartAffinityFieldPredictor") != "PartAffinityFieldPredictor":
        raise UnsupportedModelError(
            f"no predictor {predictor['type']!r} for a DLCRNetHead: choose PartAffinityFieldPredictor"
        )
    for option in ("add_discarded", "force_fusion"):
        if predictor.get(option):
            raise UnsupportedModelError(f"a PartAffinityFieldPredictor with {option} is not supported; leave it out")
    names = ("heatmap_config", "locref_config", "paf_config")
    channels = [tuple((options.get(name) or {}).get("channels") or ()) for name in names]
    if not all(channels):
        raise UnsupportedModelError(
            f"a DLCRNetHead needs {', '.join(names)}, each with channels; one of them is missing"
        )
    counts = (int(channels[0][-1]), int(channels[1][-1]), int(channels[2][-1]))
    mixed = counts[0] + counts[2] + _MIXED
    # The configuration gives the channels of the features as input channels; the real input is the maps of a stage.
    heatmap, locref, field = (
        build_upsampling(options[name], name, entry=entry)
        for name, entry in zip(names, (mixed, counts[1], mixed), strict=True)
    )
    assembly, kept = _assembly(predictor, counts)
    stride = feature_stride / (2 * heatmap.scale)
    return DLCRNetHead(
        heatmap,
        locref,
        field,
        channels=int(channels[0][0]),
        counts=counts,
        stages=int(options.get("num_stages") or 0),
        decoding=_decoding(predictor, stride, assembly),
        kept=kept,
        assembly=assembly,
    )


def _assembly(predictor: Mapping[str, Any], counts: tuple[int, int, int]) -> tuple[AssemblyRules, tuple[int, ...]]:
    """Return the assembly rules, and the indices of the fields that they use."""
    graph = [(int(source), int(target)) for source, target in predictor.get("graph") or ()]
    keep = predictor.get("edges_to_keep")
    kept = tuple(range(len(graph)) if keep is None else (int(number) for number in keep))
    ends = [end for edge in graph for end in edge]
    if 2 * len(graph) != counts[2] or not set(kept) <= set(range(len(graph))) or not set(ends) <= set(range(counts[0])):
        raise UnsupportedModelError(
            f"a DLCRNetHead with {counts[0]} heatmaps and {counts[2]} field components does not match its graph of "
            f"{len(graph)} edges, {len(kept)} of them kept"
        )
    affinity = predictor.get("min_affinity")
    rules = AssemblyRules(
        edges=tuple(graph[number] for number in kept),
        individuals=int(predictor["num_animals"]),
        min_affinity=0.05 if affinity is None else float(affinity),
    )
    return rules, kept


def _decoding(predictor: Mapping[str, Any], stride: float, assembly: AssemblyRules) -> PeakDecoding:
    sigmoid = predictor.get("apply_sigmoid")
    radius, sigma = predictor.get("nms_radius"), predictor.get("sigma")
    return PeakDecoding(
        stride=stride,
        locref_std=float(predictor.get("locref_stdev") or LOCREF_STD),
        # Assembly uses at most this many per keypoint, so more would not add an animal; see benchmarks/assembly.md.
        candidates=assembly.individuals,
        radius=5 if radius is None else int(radius),
        sigma=1.0 if sigma is None else float(sigma),
        apply_sigmoid=sigmoid is None or bool(sigmoid),
        clip_scores=bool(predictor.get("clip_scores")),
    )
