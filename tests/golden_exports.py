"""ONNX files of the reference networks, each written once in a run of the tests: writing one takes up to a minute."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from dlclive_torch.export import OnnxExporter

from dlclive_core.machine.file_lock import FileLock
from tests.golden_cases import Case

FIXED = ("dlcrnet_stride16_ms5", "hrnet_w18")
"""Written for the size of their image, which takes a fraction of the time. Networks for crops have a fixed size anyway; all
others are written for any size."""


def onnx_of_case(factory: pytest.TempPathFactory, case: Case) -> Path:
    """The ONNX file of a reference network; see onnx_of."""
    size = (case.image.shape[1], case.image.shape[0]) if case.name in FIXED else None
    return onnx_of(factory, case.name, case.path, size=size)


def onnx_of(factory: pytest.TempPathFactory, name: str, source: Path, *, size: tuple[int, int] | None = None) -> Path:
    """The ONNX file of a `.pt` file in fp32. Its users share it: do not modify it.

    The first test that needs the file writes it. Tests in other processes of pytest-xdist wait until it is complete.

    Args:
        name: stands for the content of the source and the size in this run.
    """
    folder = _folder_of_the_run(factory)
    target = folder / f"{name}.onnx"
    lock = FileLock(folder / f"{name}.lock")
    while not lock.acquire():
        time.sleep(0.2)
    try:
        if not target.exists():
            unfinished = folder / f"{name}.unfinished.onnx"
            OnnxExporter().export(source, unfinished, size=size)
            unfinished.replace(target)
    finally:
        lock.release()
    return target


def _folder_of_the_run(factory: pytest.TempPathFactory) -> Path:
    """Each process of pytest-xdist has its own folder in that of the run; without pytest-xdist, there is one for the run."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "golden-onnx"
    folder.mkdir(exist_ok=True)
    return folder
