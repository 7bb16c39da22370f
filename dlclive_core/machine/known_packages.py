"""The project's own packages: what each provides, and how it is installed; no other file of the core names them.

Used only for advice and for the versions in reports, never to select a component. A test compares the tables with what the
plugins register.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from typing import NamedTuple

CORE = "dlclive-core"

PROVIDERS = {
    "runtime": {
        "torch": "dlclive-torch",
        "onnx": "dlclive-onnx",
        "openvino": "dlclive-openvino",
        "tensorrt": "dlclive-tensorrt",
    },
    "source": {
        "camera": "dlclive-cameras",
        "basler": "dlclive-cameras[basler]",
        "genicam": "dlclive-cameras[genicam]",
        "video": "dlclive-io",
        "images": "dlclive-io",
    },
    "processor": {
        "all": "dlclive-processors",
        "angle": "dlclive-processors",
        "any": "dlclive-processors",
        "classifier": "dlclive-processors[classifier]",
        "deeplabcut-live": "dlclive-processors",
        "distance": "dlclive-processors",
        "exponential": "dlclive-processors",
        "freezing": "dlclive-processors",
        "heading": "dlclive-processors",
        "jump-led": "dlclive-processors",
        "kalman": "dlclive-processors",
        "led": "dlclive-processors",
        "lick-led": "dlclive-processors",
        "median": "dlclive-processors",
        "not": "dlclive-processors",
        "one-euro": "dlclive-processors",
        "outliers": "dlclive-processors",
        "region": "dlclive-processors",
        "rule": "dlclive-processors",
        "sequence": "dlclive-processors",
        "speed": "dlclive-processors",
        "stimulate": "dlclive-processors",
        "teensy-laser": "dlclive-processors",
        "track": "dlclive-processors",
    },
    "sink": {
        "tables": "dlclive-io",
        "anipose": "dlclive-io",
        "timestamps": "dlclive-io",
        "video": "dlclive-io",
        "recording": "dlclive-io",
        "outliers": "dlclive-io",
        "replay": "dlclive-io",
        "display": "dlclive-io",
        "web": "dlclive-io",
        "lsl": "dlclive-streams",
        "zmq": "dlclive-streams",
        "osc": "dlclive-streams",
        "mqtt": "dlclive-streams",
        "parquet": "dlclive-formats",
        "coco": "dlclive-formats",
        "openpose": "dlclive-formats",
        "nwb": "dlclive-formats",
        "sleap": "dlclive-formats",
        "sleap-csv": "dlclive-formats",
    },
    "exporter": {
        "torch-onnx": "dlclive-torch",
        "onnx-int8": "dlclive-onnx[int8]",
        "onnx-openvino": "dlclive-openvino",
        "onnx-openvino-int8": "dlclive-openvino[int8]",
        "onnx-tensorrt": "dlclive-tensorrt",
        "bonsai": "dlclive-onnx[bonsai]",
        "sleap-nn": "dlclive-onnx[bonsai]",
    },
    "output": {
        "serial": "dlclive-processors",
        "open-ephys": "dlclive-streams",
        "osc": "dlclive-streams",
        "zmq": "dlclive-streams",
        "mqtt": "dlclive-streams",
        "lsl": "dlclive-streams",
        "sound": "dlclive-streams[sound]",
    },
    "annotation": {"deeplabcut": "dlclive-io"},
    "distiller": {"student": "dlclive-distill"},
    "format": {
        "deeplabcut": "dlclive-io",
        "journal": "dlclive-formats",
        "parquet": "dlclive-formats",
        "coco": "dlclive-formats",
        "openpose": "dlclive-formats",
        "nwb": "dlclive-formats",
        "sleap": "dlclive-formats",
        "sleap-csv": "dlclive-formats",
    },
    "reader": {"files": "dlclive-io"},
    "recovery": {"files": "dlclive-io", "formats": "dlclive-formats"},
}
"""Kind and name of each component -> the package that provides it, with the extra that the component needs."""

MODEL_READERS = {".pt": "torch", ".onnx": "onnx", ".xml": "openvino", ".engine": "tensorrt"}
"""Suffix of a model file -> the runtime to install for it."""


class KnownExporter(NamedTuple):
    """What one of our exporters converts; the fields are those of `ExporterInfo`."""

    name: str
    reads: str
    writes: str
    precisions: tuple[str, ...]
    converts: bool = True
    program: str = ""


EXPORTERS = (
    KnownExporter("torch-onnx", ".pt", ".onnx", ("fp32", "fp16")),
    KnownExporter("onnx-int8", ".onnx", ".onnx", ("int8",)),
    KnownExporter("onnx-openvino", ".onnx", ".xml", ("fp32", "bf16")),
    KnownExporter("onnx-openvino-int8", ".onnx", ".xml", ("int8",)),
    KnownExporter("onnx-tensorrt", ".onnx", ".engine", ("fp32", "fp16"), converts=False),
    KnownExporter("bonsai", ".onnx", ".onnx", ("fp32", "fp16"), converts=False, program="bonsai"),
    KnownExporter("sleap-nn", ".onnx", ".onnx", ("fp32", "fp16"), converts=False, program="sleap-nn"),
)

FORMAT_SUFFIXES = {
    ".h5": ("deeplabcut", "dlclive-io"),
    ".csv": ("deeplabcut", "dlclive-io"),
    ".parquet": ("parquet", "dlclive-formats"),
    ".nwb": ("nwb", "dlclive-formats"),
    ".analysis.h5": ("sleap", "dlclive-formats"),
    ".analysis.csv": ("sleap-csv", "dlclive-formats"),
    ".json": ("coco", "dlclive-formats"),
    "_json": ("openpose", "dlclive-formats"),
}
"""Suffix of a table of poses -> the format that writes it, and the package to install for it."""

COMPAT = "dlclive-compat"
"""The package `dlclive` for programs that were written for deeplabcut-live. It registers no component."""
DISTILL = PROVIDERS["distiller"]["student"]
"""Trains small networks on the user's own videos."""
FILES = PROVIDERS["sink"]["tables"]
"""Provides videos, tables, recordings, and their recovery."""
CAMERAS = PROVIDERS["source"]["camera"]
LIGHTEST_RUNTIME = PROVIDERS["runtime"]["onnx"]
RESIZE = f"{CORE}[resize]"

READ_VIDEO = "source=VideoFile({}), after `from dlclive_io import VideoFile`"
"""How to read a video in Python, with a place for its path."""


def provider(kind: str, name: str) -> str | None:
    """The package of ours, with its extra, that provides a component; None for a component that is not ours."""
    return PROVIDERS.get(kind, {}).get(name)


def model_provider(suffix: str) -> str | None:
    """The package to install for model files with this suffix; None for files of others."""
    runtime = MODEL_READERS.get(suffix.lower())
    return None if runtime is None else PROVIDERS["runtime"][runtime]


def plugin_packages() -> dict[str, str]:
    """Our packages by the names of their plugins: "io" -> "dlclive-io"."""
    packages = {package_name(text) for names in PROVIDERS.values() for text in names.values()}
    return {package.removeprefix("dlclive-"): package for package in sorted(packages)}


def package_name(requirement: str) -> str:
    """The name of a package without its extras: "dlclive-openvino[int8]" -> "dlclive-openvino"."""
    return requirement.partition("[")[0]


def install_command(*requirements: str) -> str:
    """The command that installs packages of ours, such as "dlclive-io" or "dlclive-openvino[int8]"."""
    return runnable("pip install " + " ".join(f"'{text}'" if "[" in text else text for text in requirements))


def runnable(command: str) -> str:
    """A `pip install` command as it works here: from the clone, if the core was installed from one.

    Commands for packages of others are unchanged. Paths are relative to the clone.
    """
    return _OURS.sub(_in_clone, command) if command.startswith("pip install ") and _is_from_clone() else command


_OURS = re.compile(r"(?<=[\s'\"])(dlclive-[a-z]+)(?=[\[\s'\"]|$)")


def _in_clone(match: re.Match[str]) -> str:
    name = match[1]
    known = name == COMPAT or name in plugin_packages().values()
    return f"./plugins/{name}" if known else "./" if name == CORE else name


@cache
def _is_from_clone() -> bool:
    """Whether the core was installed from a folder, or not at all: then the plugins are in the folder beside it."""
    try:
        origin = distribution(CORE).read_text("direct_url.json")
    except PackageNotFoundError:
        return True
    return origin is not None and "dir_info" in json.loads(origin)


REPORTED = (
    CORE,
    "dlclive-torch",
    "dlclive-onnx",
    "dlclive-openvino",
    "dlclive-tensorrt",
    "dlclive-io",
    "dlclive-processors",
    "dlclive-cameras",
    "dlclive-streams",
    "dlclive-formats",
    "dlclive-distill",
    "dlclive-compat",
    "numpy",
    "torch",
    "timm",
    "onnx",
    "onnxruntime",
    "onnxruntime-gpu",
    "openvino",
    "nncf",
    "tensorrt-cu13",
    "cuda-bindings",
    "av",
    "opencv-python-headless",
    "opencv-python",
    "pandas",
    "tables",
    "h5py",
    "pyarrow",
    "pynwb",
    "ndx-pose",
    "pylsl",
    "pyzmq",
    "python-osc",
    "paho-mqtt",
)
"""Distributions whose versions appear in reports if they are installed."""
