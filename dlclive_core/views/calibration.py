"""The calibration of several cameras: of one file, or of a few that belong together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from dlclive_core.errors import DataError, UsageError, nearest, shown
from dlclive_core.views.calibration_file import read_cameras
from dlclive_core.views.camera import CalibratedCamera

MOST_CAMERAS = 64


class Calibration:
    """Cameras in one system of coordinates.

    Args:
        cameras: with different names, at different places.
        unit: of the translations, and so of the poses: "mm", for example. Files do not tell; aniposelib uses that of the
            board's squares, Pose2Sim metres.
        name: in messages.

    Raises:
        DataError: two cameras with one name, or at one place: no position follows from two views of one place.
    """

    def __init__(self, cameras: Iterable[CalibratedCamera], *, unit: str = "", name: str = "the calibration") -> None:
        self.cameras = tuple(cameras)
        self.unit = unit
        self.name = name
        if len(self.cameras) > MOST_CAMERAS:
            raise DataError(f"{name} has {len(self.cameras)} cameras; {MOST_CAMERAS} is the most")
        names: set[str] = set()
        for camera in self.cameras:
            if camera.name in names:
                raise DataError(f"{name} has two cameras called {shown(camera.name)}")
            names.add(camera.name)
        for number, camera in enumerate(self.cameras):
            for other in self.cameras[:number]:
                distance = float(np.linalg.norm(camera.position - other.position))
                if distance <= 1e-6 * max(1e-3, float(np.abs(camera.position).max())):
                    raise DataError(
                        f"{name}: cameras {shown(other.name)} and {shown(camera.name)} are at the same place"
                    )

    @classmethod
    def read(
        cls, *paths: Path | str, unit: str = "", size: tuple[int, int] | None = None, names: Sequence[str] = ()
    ) -> Calibration:
        """Read a calibration: `.toml` of aniposelib, Anipose or Pose2Sim, or `.yml`, `.yaml` of OpenCV.

        OpenCV's own sample of a stereo calibration writes two files, one with M1, D1, M2, D2, the other with R and T: pass
        both. A file with one camera's matrix, distortion, R and T is one camera, named as the file.

        Args:
            paths: files of one calibration.
            unit: see the class.
            size: (width, height) of the frames, for OpenCV files without it.
            names: of the cameras, instead of those in the files, in their order; "left" and "right" for a stereo file.

        Raises:
            UsageError: no such file, or of another kind.
            DataError: the content cannot be right; the message names the file and the camera.
        """
        if not paths:
            raise UsageError("no calibration file; write Calibration.read('calibration.toml')")
        files = [Path(path) for path in paths]
        return cls(read_cameras(files, size=size, names=tuple(names)), unit=unit, name=" and ".join(map(str, files)))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the cameras."""
        return tuple(camera.name for camera in self.cameras)

    def camera(self, name: str) -> CalibratedCamera:
        """The camera of this name. Raises UsageError, with the nearest one."""
        for camera in self.cameras:
            if camera.name == name:
                return camera
        raise UsageError(f"{self.name} has no camera {name!r}: {nearest(name, self.names)}")
