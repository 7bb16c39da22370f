"""The hooks of dlclive: how an installed package says what it offers.

A plugin is a distribution with an entry point in the group `dlclive` that names a module:

    [project.entry-points.dlclive]
    my-lab = "my_lab.plugin"

    # my_lab/plugin.py: imports nothing heavy, because it is loaded to list plugins
    from dlclive_core import ProcessorInfo, hookimpl

    @hookimpl
    def dlclive_register_processors():
        return [ProcessorInfo(name="reward", summary="Opens a valve when the mouse rears", factory="my_lab.reward:Reward")]

Hooks describe, objects run: each hook is called once, and returns frozen descriptions. The class is named by a dotted
string and imported when somebody builds it. A hook that raises makes its plugin "broken" in `dlclive plugins list`; the
other plugins are not touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import pluggy

PROJECT = "dlclive"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentInfo:
    """One thing that a plugin offers.

    Attributes:
        name: kebab-case, unique among the components of its kind.
        summary: one line for `dlclive plugins list`.
        factory: "package.module:Class", imported when somebody builds the component.
        requires: import names of the libraries it needs; looked for, never imported, to tell whether it is ready.
        install_hint: the command that installs them.
    """

    kind: ClassVar[str] = "component"

    name: str
    summary: str
    factory: str
    requires: tuple[str, ...] = ()
    install_hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeInfo(ComponentInfo):
    """A runtime: its factory is called as `factory(path, device=..., precision=..., **options)` and gives a PoseModel.

    Attributes:
        reads: suffixes of the model files that it runs, for example (".onnx",).
        preference: where several ready runtimes read a file, the highest is taken.
        fixed_size: those of `reads` whose files take images of one size only.
        companions: suffixes of the files that belong to one of `reads` and lie beside it under the same name, for example
            {".xml": (".bin",)}.
        libraries: distributions that decide how fast it is; a profile records their versions beside the plugin's own.
        peak: "package.module:function", called as `function(device, seconds)` when a benchmark measures the most that a device
            can do: the best floating-point operations per second that it reached there, by precision (a multiplication and
            an addition are two), and nothing for a device that it cannot measure. For "cpu", only "fp32" counts. It should take
            about `seconds` for each product that it tries. Empty: the runtime measures no device.
    """

    kind: ClassVar[str] = "runtime"

    reads: tuple[str, ...] = ()
    preference: int = 0
    fixed_size: tuple[str, ...] = ()
    companions: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    libraries: tuple[str, ...] = ()
    peak: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExporterInfo(ComponentInfo):
    """An exporter from one suffix to another, for example ".pt" to ".onnx".

    Attributes:
        reads, writes: suffixes.
        precisions: that it can write in. Between the same two suffixes there may be exporters for different precisions.
        converts: whether it makes these precisions of a file in fp32; False where it had better be given a file that is in
            the precision that is asked for.
        fixed_size: whether its files take images of one size only, so that it must be told the size.
    """

    kind: ClassVar[str] = "exporter"

    reads: str
    writes: str
    precisions: tuple[str, ...] = ("fp32",)
    converts: bool = True
    fixed_size: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceInfo(ComponentInfo):
    """A source of frames. `opens` are suffixes of files that it reads; `opens_folders` if it takes a folder."""

    kind: ClassVar[str] = "source"

    opens: tuple[str, ...] = ()
    opens_folders: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessorInfo(ComponentInfo):
    """An inline step on the latency path."""

    kind: ClassVar[str] = "processor"


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkInfo(ComponentInfo):
    """A consumer of estimates."""

    kind: ClassVar[str] = "sink"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryInfo(ComponentInfo):
    """Finishes what a killed run left in a folder: its factory is a function `(folder: Path) -> RecoveryReport`."""

    kind: ClassVar[str] = "recovery"


@hookspec
def dlclive_register_runtimes() -> Iterable[RuntimeInfo]:  # type: ignore[empty-body]
    """Runtimes that load models. Called once, when the catalogue is made; return an empty list for none."""


@hookspec
def dlclive_register_exporters() -> Iterable[ExporterInfo]:  # type: ignore[empty-body]
    """Exporters from one model format to another. Called once, when the catalogue is made."""


@hookspec
def dlclive_register_sources() -> Iterable[SourceInfo]:  # type: ignore[empty-body]
    """Sources of frames: files, cameras, streams. Called once, when the catalogue is made."""


@hookspec
def dlclive_register_processors() -> Iterable[ProcessorInfo]:  # type: ignore[empty-body]
    """Processors: inline steps on the latency path. Called once, when the catalogue is made."""


@hookspec
def dlclive_register_sinks() -> Iterable[SinkInfo]:  # type: ignore[empty-body]
    """Sinks: consumers off the latency path. Called once, when the catalogue is made."""


@hookspec
def dlclive_register_recoveries() -> Iterable[RecoveryInfo]:  # type: ignore[empty-body]
    """Functions that finish what a killed run left. Called once, when the catalogue is made."""
