"""The objects of an NWB file for one animal; its arrays are empty, to be filled in parts."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from hdmf.backends.hdf5 import H5DataIO
from ndx_pose import PoseEstimation, PoseEstimationSeries, Skeleton, Skeletons
from pynwb import NWBFile
from pynwb.file import Subject
from pynwb.image import ImageSeries

from dlclive_core import RecordingInfo, __version__
from dlclive_formats.nwb.no_pose import LABELS
from dlclive_formats.nwb.options import NwbOptions
from dlclive_formats.nwb.read_nwb import ONE_ANIMAL
from dlclive_formats.nwb.series_names import series_names
from dlclive_formats.nwb.timing import Timing
from dlclive_formats.slabs import slab_rows

MODULE, CONTAINER, UNIQUE = "behavior", "PoseEstimation", "UniqueKeypoints"
"""movement reads the container `PoseEstimation` of the module `behavior`."""

PIXELS = (
    "Pixels of the full video frame: x to the right, y down. (0, 0) is the outer corner of the top left pixel, whose centre is "
    "(0.5, 0.5), as in DeepLabCut."
)
SPACE = "The calibration's: its origin, axes and unit."

_UNITS = {"px": "pixels", "m": "meters", "cm": "centimeters", "mm": "millimeters", "um": "micrometers", "": "n.a."}
_UNITS["µm"] = "micrometers"


class AnimalFile:
    """One animal's file before it is written.

    Attributes:
        file: the NWBFile.
        keypoints, unique: series of the animal, and of the keypoints that exist once in the scene, in the card's order.
    """

    def __init__(self, info: RecordingInfo, options: NwbOptions, timing: Timing, animal: str, folder: Path) -> None:
        self._info, self._options, self._timing = info, options, timing
        started = options.started_at(info)
        self.file = NWBFile(
            session_description=options.session_description or "Behaviour, with poses estimated from video",
            identifier=options.identifier or f"{_plain(animal)}_{started:%Y%m%dT%H%M%S}_{secrets.token_hex(4)}",
            session_start_time=started,
            experimenter=options.experimenters() or None,
            institution=options.institution or None,
            lab=options.lab or None,
            experiment_description=options.experiment_description or None,
            keywords=options.keyword_list(),
        )
        self.file.subject = Subject(
            subject_id=options.subject_id or _plain(animal),
            description=options.subject_description or f"The animal that is called {animal!r} in the video's poses",
            species=options.species or None,
            sex=options.sex,
            age=options.age or None,
        )
        self._times: dict[str, Any] = {}
        self._linked: Any = None
        self._device = self._camera()
        skeletons = Skeletons(name="Skeletons")
        module = self.file.create_processing_module(
            name=MODULE, description="Poses of the animal, estimated from video"
        )
        module.add(skeletons)
        card = info.card
        edges = card.skeleton.edges
        self.keypoints = self._series(card.skeleton.keypoints, f"of the animal {animal!r}")
        video = self._video(folder)
        skeleton = _skeleton("skeleton", card.skeleton.keypoints, edges, self.file.subject)
        skeletons.add_skeletons(skeleton)
        what = f"Keypoints of the animal {animal!r}" if card.multi_animal else ONE_ANIMAL
        module.add(self._container(CONTAINER, what, self.keypoints, skeleton, video))
        self.unique: list[Any] = []
        if card.unique_keypoints:
            self.unique = self._series(card.unique_keypoints, "that exists once in the scene")
            skeleton = _skeleton("unique_keypoints", card.unique_keypoints, (), None)
            skeletons.add_skeletons(skeleton)
            what = "Keypoints that exist once in the scene, and belong to no animal; the same in each animal's file"
            module.add(self._container(UNIQUE, what, self.unique, skeleton, video))

    @property
    def timestamps(self) -> Any:
        """The array of times to fill; None where there is a rate, or no frame."""
        first = (self.keypoints or self.unique)[0]
        return first.fields.get("timestamps") if self._timing.rate is None else None

    def _series(self, keypoints: Sequence[str], what: str) -> list[Any]:
        count, columns, rows = len(self._timing), self._info.dimensions, slab_rows(self._info)
        made = []
        more: dict[str, Any] = {}
        if self._timing.missing.any():
            more["control"] = self._timing.missing.astype(np.uint8)
            more["control_description"] = list(LABELS)
        for keypoint, name in zip(keypoints, series_names(keypoints), strict=True):
            series = PoseEstimationSeries(
                name=name,
                description=f"Keypoint {keypoint!r} {what}",
                data=_empty((count, columns), np.nan, rows),
                unit=_UNITS.get(self._info.unit, self._info.unit),
                reference_frame=PIXELS if columns == 2 else SPACE,
                confidence=_empty((count,), 0.0, rows),
                confidence_definition="Confidence of the network, from 0 to 1; 0 where the keypoint is missing",
                **self._timing_arguments(),
                **more,
            )
            if self._linked is None and self._timing.rate is None:
                self._linked = series
            made.append(series)
        return made

    def _timing_arguments(self) -> dict[str, Any]:
        timing = self._timing
        if timing.rate is not None:
            return {"starting_time": float(timing.seconds[0]) if len(timing) else 0.0, "rate": timing.rate}
        return {
            "timestamps": self._linked
            if self._linked is not None
            else _empty((len(timing),), np.nan, slab_rows(self._info))
        }

    def _container(self, name: str, what: str, series: list[Any], skeleton: Any, video: Any) -> Any:
        source = Path(self._info.source).name
        return PoseEstimation(
            name=name,
            pose_estimation_series=series,
            description=what + (f"; estimated in {source}" if source else "") + ". NaN: the keypoint is missing.",
            scorer=self._info.card.scorer or None,
            source_software="dlclive",
            source_software_version=__version__,
            skeleton=skeleton,
            device=self._device,
            source_video=video,
        )

    def _camera(self) -> Any:
        if self._info.dimensions == 3 or not (self._info.source or self._options.source_video):
            return None
        return self.file.create_device(name="camera", description="The camera that filmed the animal")

    def _video(self, folder: Path) -> Any:
        """The video as a file beside the NWB file's final place; None if there is none."""
        path = self._options.source_video or Path(self._info.source)
        try:
            if not path.name or not path.is_file():
                return None
            # The files are written in a folder of their own, and move to its parent.
            relative = Path(os.path.relpath(path.resolve(), folder.resolve().parent)).as_posix()
        except (OSError, ValueError):
            return None  # no name that a file can have; or on another drive of Windows: there is no relative path
        timing: dict[str, Any] = self._timing_arguments()
        size = self._info.frame_size
        video = ImageSeries(
            name="source_video",
            description="The video in which the poses were estimated",
            external_file=[relative],
            format="external",
            starting_frame=[0],
            dimension=list(size) if size else None,
            unit="n.a.",
            device=self._device,
            num_samples=len(self._timing) if "rate" in timing else None,
            **timing,
        )
        self.file.add_acquisition(video)
        return video


def _skeleton(name: str, nodes: Sequence[str], edges: Sequence[tuple[int, int]], subject: Any) -> Any:
    # The specification's uint8 is the least that a reader expects, not the most: see the tests.
    kind = np.uint8 if len(nodes) <= 256 else np.uint16
    pairs = np.asarray(edges, kind) if edges else None
    return Skeleton(name=name, nodes=list(nodes), edges=pairs, subject=subject)


def _empty(shape: tuple[int, ...], fill: float, rows: int) -> Any:
    """An array to be filled later. float64, because float32 has an error of 3e-5 pixels at 640.

    Args:
        rows: of a chunk; as many as are written at once.
    """
    if shape[0] == 0:
        return np.empty(shape, np.float64)
    return H5DataIO(
        shape=shape,
        dtype=np.dtype(np.float64),
        chunks=(min(rows, shape[0]), *shape[1:]),
        compression="gzip",
        compression_opts=4,
        shuffle=True,
        fillvalue=fill,
    )


def _plain(name: str) -> str:
    """DANDI takes no slashes in the name of a subject, because it makes a file name of it."""
    return re.sub(r"[/\\]", "_", name)
