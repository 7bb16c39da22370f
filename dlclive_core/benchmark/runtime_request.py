"""Which runtimes and precisions to measure, from text such as `onnx`, `onnx:bf16` or `onnx:fp16:cuda:0`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dlclive_core.errors import UsageError, nearest
from dlclive_core.hookspecs import RuntimeInfo
from dlclive_core.models.network import Setting
from dlclive_core.plugins.catalog import PluginCatalog, missing_requirements

PRECISIONS = ("fp32", "fp16", "bf16", "int8")


@dataclass(frozen=True, slots=True)
class RuntimeRequest:
    """One runtime, and what of it. None: everything that it can. `options` are further ones of its constructor."""

    info: RuntimeInfo
    precisions: tuple[str, ...] | None = None
    device: str | None = None
    named: bool = False
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def takes(self, setting: Setting) -> bool:
        """Whether this setting is meant; "cuda" means all of "cuda:0", "cuda:1"."""
        device = self.device is None or setting.device == self.device or setting.device.startswith(f"{self.device}:")
        return device and (self.precisions is None or setting.precision in self.precisions)

    @property
    def label(self) -> str:
        """As on the command line."""
        return ":".join([self.info.name, ",".join(self.precisions or ("any",)), self.device or "any device"])


def parse_runtime_requests(
    runtimes: Sequence[str], precisions: Sequence[str], device: str | None, catalog: PluginCatalog
) -> list[RuntimeRequest]:
    """The requests of a command line; without runtimes, one for each that is installed whole.

    Raises:
        UsageError: an unknown precision.
        PluginError, DependencyError: a runtime that is not known or whose library is not installed.
    """
    asked = tuple(_precision(name) for name in precisions) or None
    if not runtimes:
        ready = [info for info in catalog.components(RuntimeInfo) if not missing_requirements(info)]
        return [RuntimeRequest(info, asked, device) for info in ready]
    requests = []
    for text in runtimes:
        name, _, rest = text.partition(":")
        precision, _, place = rest.partition(":")
        info = catalog.find(RuntimeInfo, name)
        catalog.factory(info)  # raises, naming what is missing
        requests.append(
            RuntimeRequest(info, (_precision(precision),) if precision else asked, place or device, named=True)
        )
    return requests


def _precision(name: str) -> str:
    if name.lower() not in PRECISIONS:
        raise UsageError(f"no precision {name!r}: {nearest(name.lower(), PRECISIONS)}")
    return name.lower()
