"""The runtimes and precisions to measure, from text such as `onnx`, `onnx:bf16` or `onnx:fp16:cuda:0`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dlclive_core.data.precision import PRECISIONS
from dlclive_core.errors import UsageError, nearest
from dlclive_core.hookspecs import RuntimeInfo
from dlclive_core.models.network import Setting
from dlclive_core.plugins.catalog import PluginCatalog, missing_requirements


@dataclass(frozen=True, slots=True)
class RuntimeRequest:
    """A runtime to measure.

    Attributes:
        precisions, device: None for all that the runtime supports.
        is_explicit: the user named this runtime.
        options: further options of its constructor.
    """

    info: RuntimeInfo
    precisions: tuple[str, ...] | None = None
    device: str | None = None
    is_explicit: bool = False
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def matches(self, setting: Setting) -> bool:
        """Whether the request includes a setting; "cuda" includes "cuda:0" and "cuda:1"."""
        device = self.device is None or setting.device == self.device or setting.device.startswith(f"{self.device}:")
        return device and (self.precisions is None or setting.precision in self.precisions)

    @property
    def label(self) -> str:
        """The request in command line syntax."""
        return ":".join([self.info.name, ",".join(self.precisions or ("any",)), self.device or "any device"])


def parse_runtime_requests(
    runtimes: Sequence[str], precisions: Sequence[str], device: str | None, catalog: PluginCatalog
) -> list[RuntimeRequest]:
    """The requests of a command line; without runtimes, one for each runtime whose requirements are installed.

    Raises:
        UsageError: an unknown precision.
        PluginError, DependencyError: an unknown runtime, or one whose library is not installed.
    """
    common = tuple(_precision(name) for name in precisions) or None
    if not runtimes:
        ready = [info for info in catalog.components(RuntimeInfo) if not missing_requirements(info)]
        return [RuntimeRequest(info, common, device) for info in ready]
    requests = []
    for text in runtimes:
        name, _, rest = text.partition(":")
        precision, _, own_device = rest.partition(":")
        info = catalog.find(RuntimeInfo, name)
        catalog.factory(info)  # raises, naming what is missing
        requests.append(
            RuntimeRequest(
                info, (_precision(precision),) if precision else common, own_device or device, is_explicit=True
            )
        )
    return requests


def _precision(name: str) -> str:
    if name.lower() not in PRECISIONS:
        raise UsageError(f"no precision {name!r}: {nearest(name.lower(), PRECISIONS)}")
    return name.lower()
