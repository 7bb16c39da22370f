"""The sinks of a run: tables, times, a labelled video, a window."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

from dlclive.applications.output_names import OutputNames
from dlclive_core import DataError, PluginCatalog, SessionReport, Sink, SinkInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """How keypoints are drawn, in the window and in the labelled video.

    Attributes:
        pcutoff: keypoints with less confidence are not drawn.
        radius: in pixels.
        cmap: name of a colorcet map.
        names: write the keypoints' names beside them.
    """

    pcutoff: float = 0.5
    radius: int = 3
    cmap: str = "bmy"
    names: bool = False

    def options(self) -> dict[str, Any]:
        """For the sinks of dlclive-io."""
        return {"pcutoff": self.pcutoff, "radius": self.radius, "colormap": self.cmap, "names": self.names}


def table_sinks(names: OutputNames, catalog: PluginCatalog) -> list[Sink]:
    """DeepLabCut's two tables, which survive the death of the process, and the time of each frame."""
    return [
        catalog.build(SinkInfo, "tables", names.path("poses", ".h5")),
        catalog.build(SinkInfo, "tables", names.path("poses", ".csv")),
        catalog.build(SinkInfo, "timestamps", names.path("timestamps", ".csv")),
    ]


def video_sink(names: OutputNames, looks: Looks, catalog: PluginCatalog) -> Sink:
    """The labelled video, with points only, as deeplabcut-live draws it."""
    path = names.path("DLCLIVE_LABELLED", ".mp4")
    sink: Sink = catalog.build(SinkInfo, "video", path, skeleton=False, legend=False, **looks.options())
    return sink


def window_sink(looks: Looks, catalog: PluginCatalog) -> Sink:
    """The window."""
    sink: Sink = catalog.build(SinkInfo, "display", **looks.options())
    return sink


def check_sinks(report: SessionReport) -> None:
    """Raise DataError if a file is incomplete; warn if only the window was lost."""
    for sink in report.sinks:
        if sink.error and sink.outputs:
            raise DataError(f"{sink.outputs[0]} holds {sink.written} frames, and then: {sink.error}")
        if sink.error:
            warnings.warn(f"{sink.sink} was closed after {sink.written} frames: {sink.error}", stacklevel=3)
