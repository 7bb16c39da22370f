"""The cameras' calibration and the poses in space of a live run, as values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from dlclive_core.cli.specs import PartSpec

NAME = "3d"
"""Of the 3-D session: in file names, and in run.json."""

LABEL = "calibration"
"""Of its options, in messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewsSpec:
    """The poses in space of a run.

    Attributes:
        calibration: the file and the options of pairing and triangulation; None for a run without poses in space.
        processors, sinks: of the poses in space.
    """

    calibration: PartSpec | None = None
    processors: tuple[PartSpec, ...] = ()
    sinks: tuple[PartSpec, ...] = ()

    @classmethod
    def parse_calibration(cls, text: str, where: str = "") -> PartSpec:
        """Read `FILE,option=value,...`. Raises UsageError, ConfigurationError."""
        part = PartSpec.parse(f"{LABEL}:{text}", where)
        return replace(part, text=text)

    def with_more(self, more: ViewsSpec) -> ViewsSpec:
        """Merge with the command line: its processors and sinks are appended, its calibration overrides."""
        return ViewsSpec(
            calibration=more.calibration or self.calibration,
            processors=self.processors + more.processors,
            sinks=self.sinks + more.sinks,
        )

    def to_dict(self) -> dict[str, Any]:
        """For run.json; empty without a calibration."""
        if self.calibration is None:
            return {}
        return {
            "calibration": self.calibration.text,
            "processors_3d": [part.text for part in self.processors],
            "sinks_3d": [part.text for part in self.sinks],
        }
