"""The reference for errors: the network in fp32 on whole frames."""

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

NONE = "unknown, because {name} is in {precision}; pass its fp32 source with --reference"


def reference_candidate(path: Path, options: dict[str, object], catalog: PluginCatalog) -> Candidate:
    """The model in fp32, on the CPU if possible, else on the first device of its runtime."""
    file, info = choose_runtime(path, None, catalog)
    factory = catalog.factory(info)
    settings = factory.settings(file) if issubclass(factory, Network) else ()
    devices = [setting.device for setting in settings if setting.precision == "fp32"]
    device = "cpu" if "cpu" in devices else devices[0] if devices else "auto"
    precision = "fp32" if devices else "auto"
    return Candidate(runtime=info.name, precision=precision, device=device, path=file, options=options)


def reference_poses(
    candidate: Candidate,
    measurements: Sequence[Measurement],
    clip: Clip,
    catalog: PluginCatalog,
    on_progress: Callable[[MeasurementProgress], None] | None,
) -> tuple[tuple[Pose, ...], str]:
    """The poses of the reference, and its description or why there is none.

    Takes the poses from the measurements if the reference is among them, and otherwise runs it.
    """
    for measurement in measurements:
        if measurement.candidate == candidate and measurement.poses:
            return measurement.poses, candidate.setting
    result = measure([candidate], clip.frames, warmup=0, on_progress=on_progress, catalog=catalog)[0]
    if result.failure:
        return (), f"{candidate.setting}, which failed: {result.failure}"
    return result.poses, f"{candidate.setting}, run separately"
