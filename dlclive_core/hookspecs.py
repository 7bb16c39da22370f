"""The hooks of dlclive: how an installed package declares what it offers.

A plugin is a distribution with an entry point in the group `dlclive` that names a module:

    [project.entry-points.dlclive]
    my-lab = "my_lab.plugin"

    # my_lab/plugin.py: imports nothing heavy, because it is loaded to list plugins
    from dlclive_core import ProcessorInfo, hookimpl

    @hookimpl
    def dlclive_register_processors():
        return [ProcessorInfo(name="reward", summary="Opens a valve when the mouse rears", factory="my_lab.reward:Reward")]

Each hook is called once and returns frozen descriptions. The class itself is named by a dotted string and imported only when
a component is built. A hook that raises makes its plugin "broken" in `dlclive plugins list`; other plugins are unaffected.
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
        factory: "package.module:Class", imported when the component is built.
        requires: import names of the libraries it needs. To tell whether it is ready they are searched for, never imported.
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
    """A runtime. `factory(path, device=..., precision=..., **options)` returns a Network or a PoseModel.

    Attributes:
        reads: suffixes of the model files that it runs, for example (".quick",).
        preference: of several ready runtimes that read a file, the one with the highest preference is the default.
        fixed_size: those of `reads` whose files take images of a single size.
        companions: for a suffix of `reads`, the suffixes of files that lie beside the model's file under its name and belong
            to it, for example {".xml": (".bin",)}.
        libraries: distributions whose versions decide how fast it is, for profiles; those that are not installed are left out.
        profile_options: options that a profile may set. A profile lies beside a model and may be a stranger's: list only what
            changes nothing but speed, such as "threads"; nothing that names a file, an address, or declares trust.
    """

    kind: ClassVar[str] = "runtime"

    reads: tuple[str, ...] = ()
    preference: int = 0
    fixed_size: tuple[str, ...] = ()
    companions: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    libraries: tuple[str, ...] = ()
    profile_options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExporterInfo(ComponentInfo):
    """An exporter from one format to another.

    Attributes:
        reads, writes: suffixes, for example ".onnx" and ".quick".
        precisions: that it can write in. Between the same two suffixes there may be exporters for different precisions.
        converts: whether it makes these precisions of a file in fp32; False where it had better be given a file that is in
            the precision that is asked for.
        program: the program that it writes for, as in `dlclive export --for NAME`; empty: for the runtimes of dlclive. For a
            program the target is a folder, and the model's file in it is `model` with the suffix `writes`.
    """

    kind: ClassVar[str] = "exporter"

    reads: str
    writes: str
    precisions: tuple[str, ...] = ("fp32",)
    converts: bool = True
    program: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceInfo(ComponentInfo):
    """A source of frames. `opens`: suffixes of the files that it reads; `opens_folders`: whether it reads folders."""

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
class OutputInfo(ComponentInfo):
    """Something that a trigger switches: a line of a device, a message. Its class derives from `Output`."""

    kind: ClassVar[str] = "output"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryInfo(ComponentInfo):
    """Completes the files of a killed run. Its factory is a function `(folder: Path) -> RecoveryReport`."""

    kind: ClassVar[str] = "recovery"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderInfo(ComponentInfo):
    """Reads what a run recorded, for a replay.

    Its factory is a function `(files: Sequence[Path], run: RunInfo) -> RecordedRun | None`. `files` are those that the run
    left; `run` is what `run.json` says of it. The function returns the best that it can read of them, None if it can read
    none, and raises DataError for one that is damaged.
    """

    kind: ClassVar[str] = "reader"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatInfo(ComponentInfo):
    """A format of finished poses, which `dlclive convert` reads and writes. Its class derives from `TableFormat`.

    Attributes:
        suffixes: of its files, with the dot, in the order of preference, for example (".nwb",). A suffix may have two parts:
            ".analysis.h5"; that of a folder begins with "_": "_json". The longest suffix that a name ends in selects the
            format, unless another is named.
        preference: of several formats that have a suffix, the one with the highest preference writes files with it.
        writes: whether it writes; some are only read.
    """

    kind: ClassVar[str] = "format"

    suffixes: tuple[str, ...] = ()
    preference: int = 0
    writes: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationInfo(ComponentInfo):
    """Puts the frames that a run has kept into a project of an annotation program, for `dlclive outliers`.

    Its factory is a function `(folder: Path, project: Path, *, video: str | None, add_video: bool, dry_run: bool) ->
    AnnotationReport | None`. `folder` holds the frames, `video` is the name under which the project files them; None where
    `project` is not one of this program. It never replaces a picture or a label.
    """

    kind: ClassVar[str] = "annotation"


@dataclass(frozen=True, slots=True, kw_only=True)
class DistillerInfo(ComponentInfo):
    """Trains a small network that does the job of a large one on the user's own videos, for `dlclive distill`.

    Its factory is a function `(plan: DistillPlan, report: Callable[[DistillProgress], None]) -> Distilled`. It writes
    `plan.out` only if the network keeps within `plan.max_error` on frames that it has not seen, and leaves what it can
    continue from in `plan.folder`.
    """

    kind: ClassVar[str] = "distiller"


@hookspec
def dlclive_register_runtimes() -> Iterable[RuntimeInfo]:  # type: ignore[empty-body]
    """Runtimes that load models. Called once, when the catalogue is made; return an empty list if there are none."""


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
def dlclive_register_outputs() -> Iterable[OutputInfo]:  # type: ignore[empty-body]
    """Outputs that triggers switch. Called once, when the catalogue is made."""


@hookspec
def dlclive_register_recoveries() -> Iterable[RecoveryInfo]:  # type: ignore[empty-body]
    """Functions that complete the files of a killed run. Called once, when the catalogue is made."""


@hookspec
def dlclive_register_readers() -> Iterable[ReaderInfo]:  # type: ignore[empty-body]
    """Functions that read what a run recorded, for a replay. Called once, when the catalogue is made."""


@hookspec
def dlclive_register_formats() -> Iterable[FormatInfo]:  # type: ignore[empty-body]
    """Formats of finished poses, for `dlclive convert`. Called once, when the catalogue is made."""


@hookspec
def dlclive_register_annotations() -> Iterable[AnnotationInfo]:  # type: ignore[empty-body]
    """Functions that put kept frames into an annotation project. Called once, when the catalogue is made."""


@hookspec
def dlclive_register_distillers() -> Iterable[DistillerInfo]:  # type: ignore[empty-body]
    """Functions that train a small network on what a large one sees. Called once, when the catalogue is made."""
