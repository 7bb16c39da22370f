"""Load a model: locate its file, choose the runtime, and decide how its animals are found."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from dlclive_core.components import PoseModel
from dlclive_core.deeplabcut.locate import locate_model
from dlclive_core.errors import DependencyError, DLCLiveError, PluginError, UnsupportedModelError, UsageError
from dlclive_core.hookspecs import RuntimeInfo
from dlclive_core.machine.known_packages import MODEL_READERS, install_command, model_provider
from dlclive_core.models.bottom_up import BottomUpModel
from dlclive_core.models.cascade import Cascade, check_fallback_limit, check_student, errors_of_fallback
from dlclive_core.models.conditional import ConditionalModel
from dlclive_core.models.detection import DetectionOptions, FollowingBox
from dlclive_core.models.network import Network
from dlclive_core.models.topdown import TopDownModel
from dlclive_core.plugins.catalog import PluginCatalog, check_options, construct, missing_requirements
from dlclive_core.profiles import Profile, find_profile, variant_path

_log = logging.getLogger(__name__)

_DETECTION_OPTIONS = tuple(field.name for field in fields(DetectionOptions))


def load_model(
    path: str | Path,
    runtime: str | None = None,
    *,
    device: str = "auto",
    precision: str = "auto",
    profile: str | Path | Profile | None = "auto",
    fallback: str | Path | PoseModel | None = None,
    fallback_limit: float = 1.0,
    catalog: PluginCatalog | None = None,
    **options: Any,
) -> PoseModel:
    """Load a model from a file, a training folder, an export folder, or a DeepLabCut project that holds one model.

    Args:
        path: what to load; see `locate_model`.
        runtime: its name, as `dlclive plugins list` shows it. Default: the preferred one that is installed and reads the file.
        device: "auto", "cpu", "cuda", "cuda:1", ...; a missing device is an error, never replaced by another.
        precision: "auto" (as the file says), "fp32", "fp16", ...
        profile: how to run it, as `dlclive tune` determined. "auto": the profile beside the model, if it was made on this
            machine and runtime, device and precision are left at their defaults; a file or a Profile: that one; None: none.
            The model's `profile` is the one in use; its `regions()`, which a `Session` applies by itself, define what the
            network sees of a frame.
        fallback: of a student, its teacher, which answers the frames that are unlike the student's training; see `Cascade`.
            A path is loaded on the same device, with its own profile, if any, but not that profile's regions: it sees what
            the student sees. A loaded model stays its caller's to close.
            A warning is logged if it is not the file that trained the student.
        fallback_limit: the largest `Pose.unlike` that the student answers itself.
        catalog: the plugins to choose from. Default: those installed.
        options: the fields of `DetectionOptions` for a top-down or conditional model (`follow=True` means
            `follow=FollowingBox()`), and options of the runtime. An unknown option is an error.

    Raises:
        ModelNotFoundError, UnsupportedModelError, UnsafeFileError, ModelError: the file or folder cannot be used.
        DependencyError, PluginError: no runtime for it is ready.
        UsageError: a wrong option; a profile that does not fit, for example because the model has changed; a fallback for
            a model that is not a student, or with other keypoints than it.
    """
    catalog = catalog or PluginCatalog.installed()
    check_fallback_limit(fallback, fallback_limit)
    model = _load(path, runtime, device=device, precision=precision, profile=profile, catalog=catalog, **options)
    if fallback is None:
        return model
    try:
        return _with_fallback(model, fallback, fallback_limit, device=device, profile=profile, catalog=catalog)
    except BaseException:
        model.close()
        raise


def _load(
    path: str | Path,
    runtime: str | None,
    *,
    device: str,
    precision: str,
    profile: str | Path | Profile | None,
    catalog: PluginCatalog,
    **options: Any,
) -> PoseModel:
    loading = choose_loading(path, runtime, device=device, precision=precision, profile=profile, catalog=catalog)
    info, device, options = loading.runtime, loading.device, {**loading.options, **options}
    factory = catalog.factory(info)
    detection_options = {name: options.pop(name) for name in _DETECTION_OPTIONS if name in options}
    check_options(factory, options, f"runtime {info.name!r}", also=(*_DETECTION_OPTIONS, "fallback"))
    detection = _make_detection_options(detection_options)
    loaded: Network | PoseModel = construct(
        factory, f"runtime {info.name!r}", loading.loaded, device=device, precision=loading.precision, **options
    )
    if not isinstance(loaded, Network | PoseModel):
        raise PluginError(f"runtime {info.name!r} made {type(loaded).__name__}, not a Network or a PoseModel")
    try:
        if isinstance(loaded, PoseModel):  # of a plugin whose models are not DeepLabCut networks
            _refuse_detection_options(detection, loaded)
            model = loaded
        else:
            model = _pose_model(loaded, detection, device, catalog)
        model.profile, model.file, model.loaded_file = loading.profile, loading.file, loading.loaded
        model.notices = (*_student_notices(loading), *model.notices)
        return model
    except BaseException:
        loaded.close()
        raise


def _with_fallback(
    student: PoseModel,
    fallback: str | Path | PoseModel,
    limit: float,
    *,
    device: str,
    profile: str | Path | Profile | None,
    catalog: PluginCatalog,
) -> Cascade:
    check_student(student)  # before the teacher is loaded, which may take long
    if isinstance(fallback, PoseModel):
        return Cascade(student, fallback, limit, owns_teacher=False)
    own_profile = None if profile is None or profile == "none" else "auto"
    with errors_of_fallback():
        loading = choose_loading(fallback, device=device, profile=own_profile, catalog=catalog)
        if loading.profile is not None and loading.profile.student:
            own_profile = None  # a student would answer for itself
        teacher = load_model(fallback, device=device, profile=own_profile, catalog=catalog)
    try:
        cascade = Cascade(student, teacher, limit)
    except BaseException:
        teacher.close()
        raise
    for notice in cascade.notices:
        _log.warning("%s", notice)
    return cascade


@dataclass(frozen=True, slots=True, kw_only=True)
class Loading:
    """How a model will be loaded.

    Attributes:
        file: the model's own file.
        loaded: the file that is loaded: the same one, or an exported variant that the profile names.
        runtime, device, precision, options: how it is loaded.
        profile: the profile that these settings come from; None: the caller passed them.
    """

    file: Path
    loaded: Path
    runtime: RuntimeInfo
    device: str
    precision: str
    options: Mapping[str, Any] = field(default_factory=dict)
    profile: Profile | None = None


def choose_loading(
    path: str | Path,
    runtime: str | None = None,
    *,
    device: str = "auto",
    precision: str = "auto",
    profile: str | Path | Profile | None = "auto",
    catalog: PluginCatalog,
) -> Loading:
    """What `load_model` would do with these arguments. Loads nothing; raises the same errors."""
    file, precision = locate_model(path, model_suffixes(catalog)), precision.lower()
    is_given = runtime is not None or device != "auto" or precision != "auto"
    active_profile = find_profile(file, profile, settings_given=is_given)
    if active_profile is None:
        file, info = choose_runtime(file, runtime, catalog)
        return Loading(file=file, loaded=file, runtime=info, device=device, precision=precision)
    loaded = variant_path(active_profile) or file
    try:
        loaded, info = choose_runtime(loaded, active_profile.runtime, catalog)
        catalog.factory(info)  # raises, naming what is missing
    except DLCLiveError as error:
        name = active_profile.path or "the profile"
        raise type(error)(f"{name} asks for {active_profile.runtime}: {error}; or pass --profile none") from error
    _check_profile_options(active_profile, info)
    return Loading(
        file=file,
        loaded=loaded,
        runtime=info,
        device=active_profile.device,
        precision=active_profile.precision,
        options=active_profile.options,
        profile=active_profile,
    )


def _student_notices(loading: Loading) -> tuple[str, ...]:
    profile = loading.profile
    if profile is None or not profile.student:
        return ()
    return (
        f"a student, {profile.student}, answers in place of {loading.file.name}, as {profile.path or 'the profile'} says; "
        "--profile none has the model itself answer",
    )


def _check_profile_options(profile: Profile, info: RuntimeInfo) -> None:
    """Refuse options that the runtime does not let a profile set: a file must not vouch for itself."""
    for option in profile.options:
        if option not in info.profile_options:
            settable = ", ".join(info.profile_options) or "nothing"
            raise UsageError(
                f"{profile.path or 'the profile'} sets {option!r}, which no profile may set for runtime {info.name!r} "
                f"(it may set {settable}): pass the option yourself with --profile none, or tune again"
            )


def choose_runtime(path: str | Path, runtime: str | None, catalog: PluginCatalog) -> tuple[Path, RuntimeInfo]:
    """The file that a path means and the runtime that would load it. Loads nothing; raises as `load_model` does."""
    file = locate_model(path, model_suffixes(catalog))
    info = catalog.find(RuntimeInfo, runtime) if runtime else _best_runtime(catalog, file)
    if file.suffix.lower() not in info.reads:
        raise UnsupportedModelError(
            f"runtime {info.name!r} reads {', '.join(info.reads)}, not {file.name}; {_advice(catalog, file, info)}"
        )
    return file, info


def _make_detection_options(options: dict[str, Any]) -> DetectionOptions:
    if isinstance(options.get("follow"), bool):
        options["follow"] = FollowingBox() if options["follow"] else None
    return DetectionOptions(**options)


def _pose_model(network: Network, detection: DetectionOptions, device: str, catalog: PluginCatalog) -> PoseModel:
    if network.card.method == "bottom-up":
        _refuse_detection_options(detection, network)
        return BottomUpModel(network)
    if network.card.method == "top-down":
        return TopDownModel(network, detection)
    search = detection.conditions
    if search is None or isinstance(search, PoseModel):
        return ConditionalModel(network, search, detection)
    return ConditionalModel(
        network, load_model(search, device=device, profile=None, catalog=catalog), detection, owns_search=True
    )


def _refuse_detection_options(detection: DetectionOptions, loaded: Network | PoseModel) -> None:
    for name in detection.changed_options():
        raise UsageError(
            f"{loaded.card.net_type} finds animals in whole images and has no option {name!r}: "
            "only top-down and conditional networks have it"
        )


def model_suffixes(catalog: PluginCatalog) -> set[str]:
    """Suffixes of all model files, whether or not a runtime for them is installed."""
    return {suffix for info in catalog.components(RuntimeInfo) for suffix in info.reads} | set(MODEL_READERS)


def _best_runtime(catalog: PluginCatalog, file: Path) -> RuntimeInfo:
    readers = [info for info in catalog.components(RuntimeInfo) if file.suffix.lower() in info.reads]
    ready = [info for info in readers if not missing_requirements(info)]
    if ready:
        return max(ready, key=lambda info: info.preference)
    if readers:
        catalog.factory(readers[0])  # raises, naming what is missing
    raise _nothing_reads(catalog, file)


def _nothing_reads(catalog: PluginCatalog, file: Path) -> Exception:
    package = model_provider(file.suffix)
    if package is None:
        known = ", ".join(sorted(model_suffixes(catalog)))
        return UnsupportedModelError(f"{file.name} is not a model file: expected one of {known}")
    broken = "".join(
        f" (plugin {p.name!r} is {p.status}: {p.error})" for p in catalog.plugins if p.error and not p.components
    )
    return DependencyError(f"no installed runtime reads {file.name}; run: {install_command(package)}{broken}")


def _advice(catalog: PluginCatalog, file: Path, runtime: RuntimeInfo) -> str:
    readers = [info.name for info in catalog.components(RuntimeInfo) if file.suffix.lower() in info.reads]
    if readers:
        target = f"model{runtime.reads[0]}" if runtime.reads else "TARGET"
        return f"use runtime {readers[0]!r}, or export the model first: dlclive export {file.name} {target}"
    package = model_provider(file.suffix)
    return f"run: {install_command(package) if package else 'dlclive plugins list'}"
