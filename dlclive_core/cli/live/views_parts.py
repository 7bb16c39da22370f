"""The parts of a run's poses in space. Imported only by a run that has some: the cameras' geometry takes time to import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlclive_core.cli.live.views_spec import LABEL, NAME, ViewsSpec
from dlclive_core.cli.parts import build_processor, build_sink
from dlclive_core.cli.specs import located
from dlclive_core.components import Processor, Sink
from dlclive_core.errors import OptionError, UsageError
from dlclive_core.plugins.catalog import PluginCatalog, check_options
from dlclive_core.plugins.specs import ComponentSpec, convert_options
from dlclive_core.session import Session
from dlclive_core.session.dimensions import check_dimensions
from dlclive_core.views import Calibration, MultiViewRig, ViewOptions
from dlclive_core.views.view_join import PairBy


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationOptions:
    """The options of `--calibration`; see `Calibration.read` and `MultiViewRig`.

    Attributes:
        file: the calibration; a list of files for OpenCV.
        offsets: seconds to add to the times of each source, in their order.
    """

    file: list[str] | Path
    unit: str = ""
    size: list[int] | None = None
    names: list[str] | None = None
    offsets: list[float] | None = None
    pair_by: PairBy = "time"
    tolerance: float = ViewOptions.tolerance
    wait: float = ViewOptions.wait
    min_views: int = ViewOptions.min_views
    max_error: float = ViewOptions.max_error
    min_confidence: float = ViewOptions.min_confidence
    scale: bool = False

    @classmethod
    def read(cls, spec: ComponentSpec) -> CalibrationOptions:
        """Convert the options. Raises OptionError, UsageError."""
        options = dict(spec.options)
        if spec.first is not None:
            options = {"file": spec.first, **options}
        for name in options:
            try:
                check_options(cls, (name,), LABEL)
            except UsageError as error:
                raise OptionError(str(error), name) from None
        if "file" not in options:
            raise UsageError("the calibration names no file: --calibration calibration.toml")
        return cls(**convert_options(cls, options, LABEL))

    def calibration(self) -> Calibration:
        """Read the file. Raises UsageError, DataError."""
        if self.size is not None and (len(self.size) != 2 or not all(type(side) is int for side in self.size)):
            raise UsageError(f"size is {self.size}; give [width,height] in pixels")
        files = self.file if isinstance(self.file, list) else [self.file]
        size = None if self.size is None else (self.size[0], self.size[1])
        return Calibration.read(*files, unit=self.unit, size=size, names=self.names or ())

    def rig_options(self, cameras: Sequence[str]) -> ViewOptions:
        """The options of the rig. Raises UsageError."""
        offsets = self.offsets or [0.0] * len(cameras)
        if len(offsets) != len(cameras):
            raise UsageError(
                f"offsets has {len(offsets)} numbers for {len(cameras)} sources: one for each, in their order"
            )
        options = ViewOptions(
            pair_by=self.pair_by,
            tolerance=self.tolerance,
            offsets=dict(zip(cameras, offsets, strict=True)),
            wait=self.wait,
            min_views=self.min_views,
            max_error=self.max_error,
            min_confidence=self.min_confidence,
            scale=self.scale,
        )
        options.check(cameras)
        return options


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewsParts:
    """The parts of the 3-D session, built but not opened."""

    spec: ViewsSpec
    calibration: Calibration
    options: ViewOptions
    processors: tuple[Processor, ...]
    sinks: tuple[Sink, ...]

    @classmethod
    def build(
        cls, spec: ViewsSpec, cameras: Sequence[str], catalog: PluginCatalog, options: Mapping[str, Any]
    ) -> ViewsParts | None:
        """Build the parts; None for a run without poses in space.

        Args:
            spec: what to build.
            cameras: the names of the sources.
            catalog: where components are found.
            options: of `build_processor` and `build_sink`.

        Raises:
            UsageError, ConfigurationError, DataError, PluginError: what cannot run.
        """
        if spec.calibration is None:
            for part in (*spec.processors, *spec.sinks):
                with located(part.where):
                    raise UsageError(
                        f"{part.text}: poses in space need the cameras' calibration: --calibration calibration.toml"
                    )
            return None
        assert spec.calibration.spec is not None
        with located(spec.calibration.where, spec.calibration.lines):
            if len(cameras) < 2:
                raise UsageError(
                    "a calibration is for two sources or more: --source left=camera:0 --source right=camera:1"
                )
            given = CalibrationOptions.read(spec.calibration.spec)
            calibration, rig_options = given.calibration(), given.rig_options(cameras)
            for camera in cameras:
                calibration.camera(camera)
        processors = tuple(build_processor(part, catalog, **options) for part in spec.processors)
        sinks = tuple(build_sink(part, catalog, **options) for part in spec.sinks)
        components: tuple[Processor | Sink, ...] = (*processors, *sinks)
        for part, component in zip((*spec.processors, *spec.sinks), components, strict=True):
            with located(part.where):
                check_dimensions(3, [component])
        return cls(spec=spec, calibration=calibration, options=rig_options, processors=processors, sinks=sinks)

    def rig(self, sessions: dict[str, Session], last: Processor, deadline: float | None) -> MultiViewRig:
        """The rig. `last` is one more processor. Raises UsageError, DataError."""
        more: dict[str, Any] = {} if deadline is None else {"deadline": deadline}
        return MultiViewRig(
            self.calibration,
            sessions,
            processors=[*self.processors, last],
            sinks=self.sinks,
            name=NAME,
            **self.options.to_dict(),
            **more,
        )

    def close(self) -> None:
        """Close components that were never opened."""
        for component in (*self.processors, *self.sinks):
            component.close()
