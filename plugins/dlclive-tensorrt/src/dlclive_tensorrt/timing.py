"""TensorRT's timing cache of earlier builds on this GPU. With it, the next build takes seconds instead of minutes."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import tensorrt as trt

from dlclive_tensorrt.cache_folder import cache_folder, make_private, replace_file
from dlclive_tensorrt.cuda import Gpu


def timing_path(gpu: Gpu) -> Path:
    """The cache file for a GPU and the installed TensorRT: timings of another GPU or version would be wrong."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", gpu.name).strip("-")
    return cache_folder() / "timing" / f"{name}-{gpu.capability}-{trt.__version__}.cache"


def attach_timing(config: trt.IBuilderConfig, gpu: Gpu) -> None:
    """Attach the stored timings to a build. A missing or unusable file makes the build slow; it is not an error."""
    config.set_flag(trt.BuilderFlag.EDITABLE_TIMING_CACHE)
    known = b""
    with suppress(OSError):
        known = timing_path(gpu).read_bytes()
    for content in (known, b""):
        cache = config.create_timing_cache(content)
        if cache is not None and config.set_timing_cache(cache, False):
            return


def keep_timing(config: trt.IBuilderConfig, gpu: Gpu) -> None:
    """Store the timings of a build. Write errors are ignored: the engine is unaffected."""
    cache = config.get_timing_cache()
    if cache is None:
        return
    path = timing_path(gpu)
    with suppress(OSError):
        make_private(path.parent)
        replace_file(path, bytes(memoryview(cache.serialize())))
