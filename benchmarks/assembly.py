"""Time and memory of decoding candidates and affinities, and of assembling animals.

    python benchmarks/assembly.py [--rounds 7] [--threads 1]

Every case runs in its own process, so that its peak memory is measured separately. A case has maps as from a network for a frame of
1280 x 1024 pixels, decoded by torch into candidates and affinities, and assembled by numpy:

- crowd: animals side by side with all parts visible, assembled from candidates and affinities of all pairs of parts;
- noise: maps of pure noise;
- flat: constant maps, so that every cell is a peak.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import statistics
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlclive_core.data.assembly_rules import AssemblyRules
from dlclive_core.models.assembly import assemble

WIDTH, HEIGHT = 1280, 1024


@dataclass(frozen=True)
class Case:
    """The maps and the project of a measurement."""

    kind: str
    individuals: int
    keypoints: int
    stride: int

    @property
    def rules(self) -> AssemblyRules:
        edges = tuple(itertools.combinations(range(self.keypoints), 2))
        return AssemblyRules(edges=edges, individuals=self.individuals)


CASES = (
    Case("crowd", 3, 10, 4),
    Case("crowd", 50, 20, 4),
    Case("noise", 3, 10, 8),
    Case("noise", 3, 10, 4),
    Case("noise", 10, 20, 4),
    Case("noise", 50, 20, 4),
    Case("flat", 50, 20, 4),
    Case("noise", 3, 10, 1),
)


def crowd(case: Case) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Candidates (K, P, 3), and affinities (L, P, P): strong ones inside animals, weak ones between them."""
    rng = np.random.default_rng(0)
    count = case.individuals
    order = np.array([rng.permutation(count) for _ in range(case.keypoints)])
    peaks = np.empty((case.keypoints, count, 3), dtype=np.float32)
    shape = rng.uniform(0, 40, (case.keypoints, 2))
    affinities = rng.uniform(0, 0.2, (len(case.rules.edges), count, count)).astype(np.float32)
    for animal in range(count):
        position = np.array([animal % 8, animal // 8]) * 150
        peaks[np.arange(case.keypoints), order[:, animal], :2] = shape + position
        for edge, (source, target) in enumerate(case.rules.edges):
            affinities[edge, order[source, animal], order[target, animal]] = rng.uniform(0.6, 1.0)
    peaks[..., 2] = rng.uniform(0.5, 1.0, peaks.shape[:2])
    return peaks, affinities.round(3)


def resident(field: str) -> float:
    """Resident memory of this process in MB: the field VmRSS is the current value, VmHWM the peak."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field))


def measure(step: Callable[[], Any], rounds: int) -> tuple[float, float]:
    """The median milliseconds, and the growth of the process in MB at its peak."""
    Path("/proc/self/clear_refs").write_text("5")  # reset the peak
    before = resident("VmRSS")
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        step()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times), resident("VmHWM") - before


def run_crowd(case: Case, rounds: int) -> str:
    peaks, affinities = crowd(case)
    _, animals = assemble(peaks, affinities, case.rules)
    assert len({tuple(row) for row in animals}) == case.individuals
    assert (animals >= 0).all()
    tracemalloc.start()
    assemble(peaks, affinities, case.rules)
    traced = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    milliseconds, growth = measure(lambda: assemble(peaks, affinities, case.rules), rounds)
    input_mb = (peaks.nbytes + affinities.nbytes) / 1e6
    return f"{input_mb:.1f} | - | {milliseconds:.0f} | {max(traced, growth):.0f}"


def run_maps(case: Case, rounds: int, threads: int) -> str:
    import torch
    from dlclive_torch.affinities import pair_affinities
    from dlclive_torch.peaks import PeakDecoding, find_peaks

    torch.set_num_threads(threads)
    rows, columns = HEIGHT // case.stride + 1, WIDTH // case.stride + 1
    edges = case.rules.edges
    decoding = PeakDecoding(stride=case.stride, locref_std=7.2801, candidates=case.individuals)
    generator = torch.Generator().manual_seed(0)

    def maps(channels: int) -> torch.Tensor:
        if case.kind == "flat":
            return torch.full((1, channels, rows, columns), 0.5)
        return torch.randn((1, channels, rows, columns), generator=generator)

    heatmap, locref, fields = maps(case.keypoints), maps(2 * case.keypoints), maps(2 * len(edges))

    def decode() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        with torch.inference_mode():
            peaks = find_peaks(heatmap, locref, decoding)
            affinities = pair_affinities(fields, peaks, edges, tuple(range(len(edges))))
        return peaks.points[0].numpy(), affinities[0].numpy()

    decoded = decode()
    assembly = measure(lambda: assemble(*decoded, case.rules), rounds)
    both = measure(lambda: assemble(*decode(), case.rules), rounds)
    input_mb = sum(item.numel() for item in (heatmap, locref, fields)) * 4 / 1e6
    return f"{input_mb:.0f} | {both[0] - assembly[0]:.0f} | {assembly[0]:.0f} | {both[1]:.0f}"


def run(case: Case, rounds: int, threads: int) -> str:
    return run_crowd(case, rounds) if case.kind == "crowd" else run_maps(case, rounds, threads)


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    print(
        "| maps | animals | keypoints | edges | stride | input, MB | decoding, ms | assembly, ms | memory on top, MB |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        for case in CASES:
            result = pool.apply(run, (case, options.rounds, options.threads))
            columns = (case.kind, case.individuals, case.keypoints, len(case.rules.edges), case.stride)
            print("| " + " | ".join(str(fact) for fact in columns) + f" | {result} |", flush=True)


if __name__ == "__main__":
    main()
