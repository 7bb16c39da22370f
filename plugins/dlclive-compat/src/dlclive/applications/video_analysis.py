"""Analyses one video."""

from __future__ import annotations

import json
import math
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

from dlclive.applications.analysis import Analysis, Run
from dlclive.applications.network_options import NetworkOptions
from dlclive.applications.output_names import OutputNames
from dlclive.applications.progress_line import ProgressLine
from dlclive.applications.run_sinks import Looks, table_sinks, video_sink, window_sink
from dlclive.applications.system_facts import get_system_info
from dlclive.applications.video_facts import VideoFacts, video_facts
from dlclive_core import PluginCatalog, Sink, SourceInfo, UsageError, write_whole


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoAnalysis:
    """What to do with a video.

    Attributes:
        video: its path.
        network: which network, and what it sees.
        looks: how keypoints are drawn.
        folder: for the files; None: the video's.
        pixels: resize the frames to this number of pixels, instead of `network.resize`.
        n_frames: how many frames; 0 or less: all.
        processor: in deeplabcut-live's style, or None.
        display, save_tables, save_video, save_system: what to show and to write.
        print_rate: show the rate of each frame.
    """

    video: str | Path
    network: NetworkOptions
    looks: Looks
    folder: str | Path | None = None
    pixels: float | None = None
    n_frames: int = 0
    processor: object | None = None
    display: bool = False
    save_tables: bool = False
    save_video: bool = False
    save_system: bool = False
    print_rate: bool = False

    def run(self) -> VideoResult:
        """Analyse the video. Raises UsageError, ModelError, SourceError, DataError."""
        facts = video_facts(self.video)
        network = self.network
        if self.pixels is not None:
            network = replace(network, resize=resize_of(self.pixels, facts.size))
        expected = facts.frame_count
        limit = int(self.n_frames) if self.n_frames > 0 else None
        if limit is not None and (not expected or limit < expected):
            expected = limit
        catalog = PluginCatalog.installed()
        names = OutputNames.choose(facts.path.resolve().parent if self.folder is None else self.folder, facts.path.stem)
        with names.removed_on_error():
            analysis = Run(
                source=catalog.build(SourceInfo, "video", facts.path),
                network=network,
                sinks=self._sinks(names, expected, catalog),
                processor=self.processor,
                max_frames=limit,
            ).go()
        if analysis.report.processed < expected:
            warnings.warn(f"{facts.path} has {analysis.report.processed} frames, not {expected}", stacklevel=3)
        if self.save_system:
            save_system_info(names)
        return VideoResult(analysis, facts, names, network)

    def _sinks(self, names: OutputNames, expected: int, catalog: PluginCatalog) -> list[Sink]:
        sinks: list[Sink] = [ProgressLine(expected or None, each=self.print_rate)]
        if self.save_tables:
            sinks += table_sinks(names, catalog)
        if self.save_video:
            sinks.append(video_sink(names, self.looks, catalog))
        if self.display:
            sinks.append(window_sink(self.looks, catalog))
        return sinks


@dataclass(frozen=True, slots=True)
class VideoResult:
    """Attributes: `network` is the one that ran, with the size that `pixels` gave."""

    analysis: Analysis
    facts: VideoFacts
    names: OutputNames
    network: NetworkOptions

    @property
    def im_size(self) -> tuple[int, int]:
        """(width, height) of the resized frame, without the crop, as deeplabcut-live reports it."""
        factor = self.network.resize
        width, height = self.facts.size
        return (width, height) if factor is None else (int(width * factor), int(height * factor))


def resize_of(pixels: float, size: tuple[int, int]) -> float:
    """The factor that leaves so many pixels of a frame of this size. Raises UsageError."""
    if not (math.isfinite(pixels) and pixels > 0):
        raise UsageError(f"pixels is a number of pixels above 0; got {pixels}")
    return math.sqrt(pixels / (size[0] * size[1]))


def save_system_info(names: OutputNames) -> Path:
    """Write the machine and its packages beside the other files. Raises DataError."""
    path = names.path("system", ".json")
    write_whole(path, json.dumps(get_system_info(), indent=1) + "\n", overwrite=False)
    return path
