"""Tables of poses in the two layouts of deeplabcut-live 1.1.0, for scripts that read them.

DeepLabCut's own tools read the tables of `analyze_video` and `analyze_live_video`, which come from dlclive-io.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlclive_core import DataError, OutputExistsError, draft_beside, take_name

_COORDS = ("x", "y", "likelihood")
_MOST_VALUES = 500_000_000  # 4 GB: more is a wrong frame number


def pose_block(n_individuals: int, keypoints: int, poses: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
    """(T, N, K, 3) of a list of {"frame": number, "pose": (K, 3) or (N, K, 3)}: row n is frame n, NaN where there is none.

    Raises:
        DataError: there are no poses, or a frame's number is beyond what a table holds.
    """
    if not poses:
        raise DataError("there are no poses to save: no frame was analysed")
    last = max(int(entry["frame"]) for entry in poses)
    if (last + 1) * n_individuals * keypoints * 3 > _MOST_VALUES:
        raise DataError(f"a table of {last + 1} frames is too large; is frame number {last} right?")
    block = np.full((last + 1, n_individuals, keypoints, 3), np.nan)
    for entry in poses:
        pose = np.asarray(entry["pose"], dtype=np.float64)
        pose = pose[None] if pose.ndim == 2 else pose
        animals, points = min(len(pose), n_individuals), min(pose.shape[1], keypoints)
        block[int(entry["frame"]), :animals, :points] = pose[:animals, :points, :3]
    return block


def write_multiindex_tables(
    stem: Path, n_individuals: int, bodyparts: Sequence[str], poses: Sequence[Mapping[str, Any]]
) -> None:
    """Write `<stem>.h5` (key `df_with_missing`) and `<stem>.csv`, as `dlclive.benchmark.save_poses_to_files` does.

    Raises:
        OutputExistsError: one of them exists.
        DataError: they cannot be written.
    """
    import pandas

    block = pose_block(n_individuals, len(bodyparts), poses)
    if n_individuals == 1:
        columns = pandas.MultiIndex.from_product([bodyparts, _COORDS], names=["bodyparts", "coords"])
    else:
        individuals = [f"individual_{number}" for number in range(n_individuals)]
        columns = pandas.MultiIndex.from_product(
            [individuals, bodyparts, _COORDS], names=["individuals", "bodyparts", "coords"]
        )
    table = pandas.DataFrame(block.reshape(len(block), -1), columns=columns)
    _write(stem.with_name(stem.name + ".h5"), lambda draft: table.to_hdf(draft, key="df_with_missing", mode="w"))
    _write(stem.with_name(stem.name + ".csv"), lambda draft: table.to_csv(draft, index=False))


def write_flat_tables(stem: Path, bodyparts: Sequence[str], poses: Sequence[Mapping[str, Any]]) -> None:
    """Write `<stem>.csv` and `<stem>.h5` with a column and a dataset `<bodypart>_x`, `_y`, `_confidence` each.

    Raises as `write_multiindex_tables`.
    """
    import tables

    names = [f"{bodypart}_{axis}" for bodypart in bodyparts for axis in ("x", "y", "confidence")]
    frames = [int(entry["frame"]) for entry in poses]
    rows = pose_block(1, len(bodyparts), poses)[frames, 0].reshape(len(frames), -1)

    def write_csv(draft: Path) -> None:
        with draft.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["frame", *names])
            writer.writerows([frame, *map(float, row)] for frame, row in zip(frames, rows, strict=True))

    def write_hdf5(draft: Path) -> None:
        with tables.open_file(str(draft), "w") as file:
            file.create_array("/", "frames", np.asarray(frames, np.int64))
            for place, name in enumerate(names):
                file.create_array("/", name, rows[:, place])

    _write(stem.with_name(stem.name + ".csv"), write_csv)
    _write(stem.with_name(stem.name + ".h5"), write_hdf5)


def _write(path: Path, write: Any) -> None:
    """Give a file its name once it is complete."""
    draft: Path | None = None
    try:
        draft = draft_beside(path)
        write(draft)
        take_name(draft, path)
    except FileExistsError:
        raise OutputExistsError(f"{path} already exists; choose another folder") from None
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from None
    finally:
        if draft is not None:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
