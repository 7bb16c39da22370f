"""Builds the model, regions, processors and sinks of `analyze` and `run` from their specs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlclive_core.cli.runtime_options import runtime_options
from dlclive_core.cli.specs import ModelSpec, PartSpec, RegionSpec, located
from dlclive_core.components import PoseModel, Processor, Sink
from dlclive_core.errors import ModelNotFoundError, OptionError, nearest
from dlclive_core.hookspecs import ProcessorInfo, SinkInfo
from dlclive_core.models.cascade import check_fallback_limit, errors_of_fallback
from dlclive_core.models.load import Loading, choose_loading, load_model
from dlclive_core.plugins.catalog import PluginCatalog
from dlclive_core.plugins.specs import ComponentSpec, build_component
from dlclive_core.profiles import Profile, choose_regions
from dlclive_core.regions import Region, regions_from_options
from dlclive_core.session.tolerant import ON_ERROR, OnError, Tolerant


@dataclass(frozen=True, slots=True)
class ModelPart:
    """A model that is not loaded yet: its spec, its loading settings, and its runtime options."""

    spec: ModelSpec
    loading: Loading
    options: Mapping[str, Any]

    @classmethod
    def build(cls, spec: ModelSpec, catalog: PluginCatalog) -> ModelPart:
        """Find the model's file, its profile and its runtime. Raises what `load_model` raises."""
        assert spec.path is not None
        with located(spec.where):
            loading = choose_loading(
                spec.path,
                spec.runtime,
                device=spec.device,
                precision=spec.precision,
                profile=spec.profile,
                catalog=catalog,
            )
            if spec.detector is not None and not spec.detector.exists():
                raise ModelNotFoundError(f"no such detector file: {spec.detector}")
            check_fallback_limit(spec.fallback, spec.fallback_limit)
            if spec.fallback is not None:
                with errors_of_fallback():
                    choose_loading(spec.fallback, device=spec.device, catalog=catalog)
        options: dict[str, Any] = {}
        for option in spec.runtime_options:
            with located(option.where):
                options |= runtime_options(loading.runtime, {option.name: option.text}, catalog)
        return cls(spec, loading, options)

    @property
    def file(self) -> Path:
        """The model's file."""
        return self.loading.file

    def load(self, catalog: PluginCatalog) -> PoseModel:
        """Load the model with its profile."""
        spec = self.spec
        detector = {} if spec.detector is None else {"detector": spec.detector}
        assert spec.path is not None
        with located(spec.where):
            return load_model(
                spec.path,
                spec.runtime,
                device=spec.device,
                precision=spec.precision,
                profile=self.loading.profile or spec.profile,  # "auto" and "none" are for the fallback, too
                fallback=spec.fallback,
                fallback_limit=spec.fallback_limit,
                catalog=catalog,
                **spec.detection.changed_options(),
                **self.options,
                **detector,
            )


def build_regions(spec: RegionSpec, profile: Profile | None = None) -> tuple[Region, ...]:
    """The regions of a spec, or by default those of the model's profile. Raises UsageError."""
    own = regions_from_options(cropping=spec.cropping, dynamic=spec.dynamic, resize=spec.resize).regions
    return choose_regions(profile, own)


def build_processor(
    part: PartSpec,
    catalog: PluginCatalog,
    *,
    resolve_path: Callable[[Path], Path] | None = None,
    overwrite: bool = False,
) -> Processor:
    """Build a processor; with the option `on_error`, the session tolerates its failures. See `build_component`."""
    assert part.spec is not None
    with located(part.where, part.lines):
        spec, on_error = _split_tolerance(part.spec)
        processor: Processor = build_component(
            catalog, ProcessorInfo, spec, resolve_path=resolve_path, overwrite=overwrite
        )
        return processor if on_error is None else Tolerant(processor, on_error)


def build_sink(
    part: PartSpec,
    catalog: PluginCatalog,
    *,
    resolve_path: Callable[[Path], Path] | None = None,
    overwrite: bool = False,
) -> Sink:
    """Build a sink. See `build_component`."""
    assert part.spec is not None
    with located(part.where, part.lines):
        sink: Sink = build_component(catalog, SinkInfo, part.spec, resolve_path=resolve_path, overwrite=overwrite)
        return sink


def _split_tolerance(spec: ComponentSpec) -> tuple[ComponentSpec, OnError | None]:
    """Separate `on_error`, which is for the session, from the processor's own options."""
    on_error = dict(spec.options).get("on_error")
    if on_error is None:
        return spec, None
    if on_error not in ON_ERROR:
        raise OptionError(f"on_error cannot be {on_error!r}: {nearest(on_error, ON_ERROR)}", "on_error")
    options = tuple(pair for pair in spec.options if pair[0] != "on_error")
    return ComponentSpec(spec.name, spec.first, options), on_error
