"""Load a model: find out from the path what it is, which runtime can run it, and how its animals are found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from dlclive_core.components import PoseModel
from dlclive_core.data.known_packages import MODEL_INSTALLS
from dlclive_core.deeplabcut.locate import locate_model
from dlclive_core.errors import DependencyError, DLCLiveError, UnsupportedModelError, UsageError
from dlclive_core.hookspecs import RuntimeInfo
from dlclive_core.models.bottom_up import BottomUpModel
from dlclive_core.models.conditional import ConditionalModel
from dlclive_core.models.detection import DetectionOptions, FollowingBox
from dlclive_core.models.network import Network
from dlclive_core.models.topdown import TopDownModel
from dlclive_core.plugins.catalog import PluginCatalog, check_options, missing_requirements
from dlclive_core.profiles import Profile, profile_of, variant_path

_FINDING = tuple(one.name for one in fields(DetectionOptions))


def load_model(
    path: str | Path,
    runtime: str | None = None,
    *,
    device: str = "auto",
    precision: str = "auto",
    profile: str | Path | Profile | None = "auto",
    catalog: PluginCatalog | None = None,
    **options: Any,
) -> PoseModel:
    """Load a model from a file, a training folder, an export folder, or a DeepLabCut project that holds one model.

    Args:
        path: what to load; see `locate_model`.
        runtime: "torch", "onnx", ...; by default the best one that is installed and reads the file.
        device: "auto", "cpu", "cuda", "cuda:1", ...; a device that is not there is an error, never another device.
        precision: "auto" (as the file says), "fp32", "fp16", ...
        profile: how to run it, as `dlclive tune` found it out. "auto": the profile beside the model, if it was made on this
            machine, and runtime, device and precision are not given; a file or a Profile: this one; None: none. The model's
            `profile` is the one that was used; its `regions()` are what the network is to see of a frame, which a `Session`
            takes by itself.
        catalog: the plugins to choose from; by default those installed.
        options: how a top-down or conditional model finds its animals (the fields of `DetectionOptions`; `follow=True` is
            `follow=FollowingBox()`), and further options of the runtime. An unknown option is an error.

    Raises:
        ModelNotFoundError, UnsupportedModelError, UnsafeFileError, ModelError: the file or folder.
        DependencyError, PluginError: no runtime for it.
        UsageError: an option, or a profile: the model has changed since, for example.
    """
    catalog = catalog or PluginCatalog.installed()
    chosen = choose_loading(path, runtime, device=device, precision=precision, profile=profile, catalog=catalog)
    info, device, options = chosen.runtime, chosen.device, {**chosen.options, **options}
    factory = catalog.factory(info)
    how = {name: options.pop(name) for name in _FINDING if name in options}
    check_options(factory, options, f"runtime {info.name!r}", also=_FINDING)
    detection = _detection(how)
    loaded: Network | PoseModel = factory(chosen.loaded, device=device, precision=chosen.precision, **options)
    try:
        if isinstance(loaded, PoseModel):  # a runtime of a plugin whose models are no DeepLabCut networks
            _takes_no(detection, loaded)
            model = loaded
        else:
            model = _pose_model(loaded, detection, device, catalog)
        model.profile = chosen.profile
        return model
    except BaseException:
        loaded.close()
        raise


@dataclass(frozen=True, slots=True, kw_only=True)
class Loading:
    """How a model will be loaded.

    Attributes:
        file: the model's own, and `loaded` the one that is loaded: the same, or a profile's exported variant of it.
        runtime, device, precision, options: of the loading.
        profile: where they are from; None: from the caller.
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
    """What `load_model` will do with these arguments; nothing is loaded. Raises as it does."""
    file = locate_model(path, model_suffixes(catalog))
    is_given = runtime is not None or device != "auto" or precision != "auto"
    found = profile_of(file, profile, how_is_given=is_given)
    if found is None:
        file, info = choose_runtime(file, runtime, catalog)
        return Loading(file=file, loaded=file, runtime=info, device=device, precision=precision)
    loaded = variant_path(found) or file
    try:
        loaded, info = choose_runtime(loaded, found.runtime, catalog)
        catalog.factory(info)  # raises, naming what is missing
    except DLCLiveError as error:
        name = found.path or "the profile"
        raise type(error)(f"{name} asks for {found.runtime}: {error}; or pass --profile none") from error
    return Loading(
        file=file,
        loaded=loaded,
        runtime=info,
        device=found.device,
        precision=found.precision,
        options=found.options,
        profile=found,
    )


def choose_runtime(path: str | Path, runtime: str | None, catalog: PluginCatalog) -> tuple[Path, RuntimeInfo]:
    """The file that a path leads to and the runtime that will load it; nothing is loaded. Raises as `load_model` does."""
    file = locate_model(path, model_suffixes(catalog))
    info = catalog.find(RuntimeInfo, runtime) if runtime else _best_runtime(catalog, file)
    if file.suffix.lower() not in info.reads:
        raise UnsupportedModelError(
            f"runtime {info.name!r} reads {', '.join(info.reads)}, not {file.name}; {_advice(catalog, file)}"
        )
    return file, info


def _detection(how: dict[str, Any]) -> DetectionOptions:
    if isinstance(how.get("follow"), bool):
        how["follow"] = FollowingBox() if how["follow"] else None
    return DetectionOptions(**how)


def _pose_model(network: Network, detection: DetectionOptions, device: str, catalog: PluginCatalog) -> PoseModel:
    if network.card.method == "bottom-up":
        _takes_no(detection, network)
        return BottomUpModel(network)
    if network.card.method == "top-down":
        return TopDownModel(network, detection)
    search = detection.conditions
    if search is None or isinstance(search, PoseModel):
        return ConditionalModel(network, search, detection)
    return ConditionalModel(
        network, load_model(search, device=device, profile=None, catalog=catalog), detection, owns_search=True
    )


def _takes_no(detection: DetectionOptions, loaded: Network | PoseModel) -> None:
    for name in detection.changed_options():
        raise UsageError(
            f"{loaded.card.net_type} finds animals in whole images and has no option {name!r}: "
            "it is for top-down and conditional networks"
        )


def model_suffixes(catalog: PluginCatalog) -> set[str]:
    """Suffixes of all files that are models, whether a runtime for them is installed or not."""
    return {suffix for info in catalog.components(RuntimeInfo) for suffix in info.reads} | set(MODEL_INSTALLS)


def _best_runtime(catalog: PluginCatalog, file: Path) -> RuntimeInfo:
    fitting = [info for info in catalog.components(RuntimeInfo) if file.suffix.lower() in info.reads]
    ready = [info for info in fitting if not missing_requirements(info)]
    if ready:
        return max(ready, key=lambda info: info.preference)
    if fitting:
        catalog.factory(fitting[0])  # raises, naming what is missing
    raise _nothing_reads(catalog, file)


def _nothing_reads(catalog: PluginCatalog, file: Path) -> Exception:
    install = MODEL_INSTALLS.get(file.suffix.lower())
    if install is None:
        known = ", ".join(sorted(model_suffixes(catalog)))
        return UnsupportedModelError(f"{file.name} is no model file: expected one of {known}")
    broken = "".join(
        f" (plugin {p.name!r} is {p.status}: {p.error})" for p in catalog.plugins if p.error and not p.components
    )
    return DependencyError(f"no installed runtime reads {file.name}; run: {install}{broken}")


def _advice(catalog: PluginCatalog, file: Path) -> str:
    fitting = [info.name for info in catalog.components(RuntimeInfo) if file.suffix.lower() in info.reads]
    if fitting:
        return f"use runtime {fitting[0]!r}, or export the model first: dlclive export {file.name} model.onnx"
    return f"run: {MODEL_INSTALLS.get(file.suffix.lower(), 'dlclive plugins list')}"
