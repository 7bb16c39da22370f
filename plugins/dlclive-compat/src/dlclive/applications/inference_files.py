"""The files of inference times that DeepLabCut's benchmark collects: a pickle of builtin types, and the same as JSON."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from dlclive_core import DataError, OutputExistsError, write_whole

_MOST_FILES = 100_000


def save_inf_times(
    sys_info: Mapping[str, Any],
    inf_times: Any,
    im_size: Any,
    model: str | None = None,
    meta: Mapping[str, Any] | None = None,
    output: str | Path | None = None,
) -> bool:
    """Write `benchmark_<host>_<GPU or CPU>_<number>.pickle`, and the same as `.json`.

    The pickle, which other programs expect, holds only builtin types: it can be read without dlclive and with any numpy. We
    never read it. `stats` is a list of (mean, standard error of the mean), one for each run.

    Args:
        sys_info: of `get_system_info`.
        inf_times: seconds, (runs, frames), or a list of lists of different lengths.
        im_size: (width, height) of each run.
        model: name of the model.
        meta: of `benchmark`.
        output: folder; default: the current one.

    Returns:
        True.

    Raises:
        DataError: the files cannot be written.
    """
    folder = Path(output) if output is not None else Path.cwd()
    runs = _runs(inf_times)
    name = model or ""
    values = {
        "model": model,
        "model_type": next((kind for kind in ("resnet", "mobilenet") if kind in name), None),
        "im_size": plain(im_size),
        "inference_times": runs,
        "stats": [(float(np.mean(run)), float(np.std(run) / np.sqrt(len(run)))) for run in runs if run],
        **plain(dict(sys_info)),
        **plain(dict(meta or {})),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot create the folder {folder}: {error.strerror or error}") from None
    for number in count():
        path = folder / f"benchmark_{values['host_name']}_{values['device_type']}_{number}.pickle"
        try:
            write_whole(path, pickle.dumps(values), overwrite=False)
        except OutputExistsError:
            if number >= _MOST_FILES:
                raise
            continue
        write_whole(path.with_suffix(".json"), json.dumps(values, indent=1) + "\n", overwrite=False)
        return True
    raise AssertionError("count() has no end")


def plain(value: Any) -> Any:
    """The same value of builtin types: arrays and numbers of numpy, and paths, are converted."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(plain(item) for item in value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _runs(inf_times: Any) -> list[list[float]]:
    rows: Sequence[Any] = list(inf_times)
    if rows and np.ndim(rows[0]) == 0:  # one run
        rows = [rows]
    return [[float(value) for value in row] for row in rows]
