"""Against what errors are measured: the network in fp32 on whole frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from dlclive_core.benchmark.candidate import Candidate
from dlclive_core.benchmark.clip import Clip
from dlclive_core.benchmark.interleaved import MeasurementProgress, measure
from dlclive_core.benchmark.measurement import Measurement
from dlclive_core.data.pose import Pose
from dlclive_core.models.load import choose_runtime
from dlclive_core.models.network import Network
from dlclive_core.plugins.catalog import PluginCatalog

NONE = "no error is known: {name} is in {precision}, and its source was not given with --reference"


def reference_candidate(path: Path, options: dict[str, object], catalog: PluginCatalog) -> Candidate:
    """The model in fp32, on the CPU where it can be, or on the first device of its runtime."""
    file, info = choose_runtime(path, None, catalog)
    factory = catalog.factory(info)
    settings = factory.settings(file) if issubclass(factory, Network) else ()
    devices = [setting.device for setting in settings if setting.precision == "fp32"]
    device = "cpu" if "cpu" in devices else devices[0] if devices else "auto"
    precision = "fp32" if devices else "auto"
    return Candidate(runtime=info.name, precision=precision, device=device, path=file, options=options)


def reference_poses(
    candidate: Candidate,
    measured: Sequence[Measurement],
    clip: Clip,
    catalog: PluginCatalog,
    on_progress: Callable[[MeasurementProgress], None] | None,
) -> tuple[tuple[Pose, ...], str]:
    """The poses of the reference, from the run if it was a part of it, and in words what it is, or why there is none."""
    for one in measured:
        if one.candidate == candidate and one.poses:
            return one.poses, candidate.setting
    alone = measure([candidate], clip.frames, warmup=0, on_progress=on_progress, catalog=catalog)[0]
    if alone.failure:
        return (), f"no error is known: the reference, {candidate.setting}, failed: {alone.failure}"
    return alone.poses, f"{candidate.setting}, run once for this"
