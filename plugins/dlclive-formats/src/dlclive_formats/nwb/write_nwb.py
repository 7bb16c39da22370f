"""Writes NWB files, one for each animal, in parts."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray
from pynwb import NWBHDF5IO

from dlclive_core import PoseRecording, PoseRows
from dlclive_formats.nwb.build_nwb import AnimalFile
from dlclive_formats.nwb.options import NwbOptions
from dlclive_formats.nwb.timing import Timing, timing_of
from dlclive_formats.slabs import slab_rows, slabs

_TOGETHER = 8  # files that are open at once
_CACHE = 1 << 16  # bytes of chunks that HDF5 keeps of each array; every chunk is written once, as a whole


def write_nwb(recording: PoseRecording, options: NwbOptions, paths: Sequence[Path]) -> None:
    """Write one file for each animal of a recording. Raises DataError, UsageError, OSError."""
    timing = timing_of(recording, options.rate(recording.info))
    for first in range(0, len(paths), _TOGETHER):
        _write_some(recording, options, timing, paths[first : first + _TOGETHER], first)


def _write_some(
    recording: PoseRecording, options: NwbOptions, timing: Timing, paths: Sequence[Path], first: int
) -> None:
    info = recording.info
    with ExitStack() as files:
        animals = []
        for place, path in enumerate(paths, first):
            animal = AnimalFile(info, options, timing, info.card.individuals[place], path.parent)
            raw = files.enter_context(h5py.File(path, "w", rdcc_nbytes=_CACHE))
            files.enter_context(NWBHDF5IO(file=raw, mode="w")).write(animal.file)
            if animal.timestamps is not None and len(timing):
                animal.timestamps.dataset[:] = timing.seconds
            animals.append(animal)
        for start, rows in slabs(recording, slab_rows(info)):
            for place, animal in enumerate(animals, first):
                _fill(animal, start, rows, rows.keypoints[:, place])


def _fill(animal: AnimalFile, start: int, rows: PoseRows, keypoints: NDArray[np.float64]) -> None:
    stop = start + len(rows)
    for all_series, values in ((animal.keypoints, keypoints), (animal.unique, rows.unique)):
        for at, series in enumerate(all_series):
            series.fields["data"].dataset[start:stop] = values[:, at, :-1]
            series.fields["confidence"].dataset[start:stop] = values[:, at, -1]
