"""Analyses the frames of a camera until Ctrl-C."""

from __future__ import annotations

from dataclasses import dataclass

from dlclive.applications.analysis import Analysis, Run
from dlclive.applications.network_options import NetworkOptions
from dlclive.applications.output_names import OutputNames
from dlclive.applications.progress_line import ProgressLine
from dlclive.applications.run_sinks import Looks, table_sinks, video_sink, window_sink
from dlclive.applications.video_analysis import save_system_info
from dlclive_core import Estimate, FrameSource, PluginCatalog, RunInfo, Sink, SourceInfo, UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveAnalysis:
    """What to do with a camera.

    Attributes:
        camera: number of a webcam, path of its device, or address of a stream.
        network: which network, and what it sees.
        looks: how keypoints are drawn.
        folder, name: where the files go, and how their names begin.
        processor: in deeplabcut-live's style, or None.
        display, save_tables, save_video, save_system: what to show and to write.
        max_frames: of the camera, dropped ones included; None: until Ctrl-C.
    """

    camera: float | str
    network: NetworkOptions
    looks: Looks
    folder: str
    name: str
    processor: object | None = None
    display: bool = True
    save_tables: bool = False
    save_video: bool = False
    save_system: bool = True
    max_frames: int | None = None

    def run(self) -> Analysis:
        """Analyse until Ctrl-C, or so many frames. Raises UsageError, ModelError, SourceError, DataError."""
        catalog = PluginCatalog.installed()
        source = camera_source(self.camera, catalog)
        names = OutputNames.choose(self.folder, self.name)
        with names.removed_on_error():
            sinks: list[Sink] = [ProgressLine(self.max_frames)]
            if self.save_system:
                sinks.append(SystemFile(names))
            if self.save_tables:
                sinks += table_sinks(names, catalog)
            if self.save_video:
                sinks.append(video_sink(names, self.looks, catalog))
            if self.display:
                sinks.append(window_sink(self.looks, catalog))
            return Run(
                source=source,
                network=self.network,
                sinks=sinks,
                processor=self.processor,
                max_frames=self.max_frames,
            ).go()


class SystemFile(Sink):
    """Writes the machine and its packages when the run begins, because its end may be a power cut."""

    def __init__(self, names: OutputNames) -> None:
        self._names = names

    def open(self, run: RunInfo) -> None:
        save_system_info(self._names)

    def write(self, estimate: Estimate) -> None:
        """Nothing: the file is complete."""


def camera_source(camera: float | str, catalog: PluginCatalog) -> FrameSource:
    """The source of a camera, not yet opened. Raises UsageError, DependencyError."""
    if isinstance(camera, float):
        if not camera.is_integer():
            raise UsageError(f"camera is the number of a webcam, such as 0; got {camera}")
        camera = int(camera)
    source: FrameSource = catalog.build(SourceInfo, "camera", camera)
    return source
