"""One calibrated camera, checked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlclive_core.errors import DataError, shown
from dlclive_core.views.lens import Floats, Lenses

PIXEL_CENTRE = 0.5
"""The centre of the first pixel is at 0 for OpenCV, whose calibrations we read, and at 0.5 in our poses."""

_COUNTS = (0, 4, 5, 8)
_FAR = 1e9  # larger numbers are no distances, in any unit
_LARGEST_SIDE = 1_000_000


@dataclass(frozen=True)
class CalibratedCamera:
    """What is known about a camera: its pixels, its lens, and where it is.

    A point X of the world is R X + t in the camera's axes: x to the right, y down, z ahead.

    Args:
        name: as in the calibration.
        size: (width, height) of the frames for which it was calibrated [px].
        matrix: (3, 3) camera matrix [px] with OpenCV's origin, the centre of the first pixel: fx, 0, cx; 0, fy, cy; 0, 0, 1.
        distortion: k1, k2, p1, p2[, k3[, k4, k5, k6]], the model of Brown and Conrady as in OpenCV, or none; of a fisheye lens
            k1, k2, k3, k4 of Kannala and Brandt.
        rotation: (3, 3) R, from the world's axes to the camera's.
        translation: (3,) t, in the unit of the calibration.
        fisheye: whether the distortion is that of a fisheye lens.

    Raises:
        DataError: a value cannot be right; the message names the camera.
    """

    name: str
    size: tuple[int, int]
    matrix: NDArray[np.float64]
    distortion: NDArray[np.float64]
    rotation: NDArray[np.float64]
    translation: NDArray[np.float64]
    fisheye: bool = False

    def __post_init__(self) -> None:
        for name, shape in (("matrix", (3, 3)), ("rotation", (3, 3)), ("translation", (3,)), ("distortion", None)):
            array = np.array(getattr(self, name), dtype=np.float64)
            array = array.reshape(-1) if shape in (None, (3,)) else array
            if shape is not None and array.shape != shape:
                raise self._error(f"its {name} has shape {array.shape}, not {shape}")
            if not (np.abs(array) < _FAR).all():  # NaN, too
                raise self._error(f"its {name} has a value that is not a number, or too large: {shown(array.tolist())}")
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        width, height = self.size
        if not (1 <= width <= _LARGEST_SIDE and 1 <= height <= _LARGEST_SIDE):
            raise self._error(f"its size is {width}x{height}")
        self._check_matrix()
        self._check_distortion()
        if np.abs(self.rotation @ self.rotation.T - np.eye(3)).max() > 1e-3:
            raise self._error("its rotation is not one: the rows are not at right angles, or not of length 1")
        if np.linalg.det(self.rotation) < 0:
            raise self._error("its rotation is a reflection: the determinant is -1")

    def _check_matrix(self) -> None:
        (fx, skew, cx), (zero, fy, cy), last = self.matrix.tolist()
        width, height = self.size
        if not (fx > 0 and fy > 0):
            raise self._error(f"its focal lengths are {fx:g} and {fy:g} px; both must be above 0")
        if zero or last != [0.0, 0.0, 1.0]:
            raise self._error(f"its matrix is not one of a camera: {shown(self.matrix.tolist())}")
        if abs(skew) > 1e-6 * fx:
            raise self._error(
                f"its matrix has a skew of {skew:g}, which the models of OpenCV do not have; calibrate without"
            )
        if not (-width < cx < 2 * width and -height < cy < 2 * height):
            raise self._error(f"its centre is at {cx:g}, {cy:g} px, far outside a frame of {width}x{height}")

    def _check_distortion(self) -> None:
        count = len(self.distortion)
        if self.fisheye and count != 4:
            raise self._error(f"a fisheye lens has 4 coefficients (Kannala-Brandt); it has {count}")
        if count not in _COUNTS:
            raise self._error(
                f"it has {count} distortion coefficients; 0, 4, 5 or 8 are supported (Brown-Conrady, with rational terms). "
                "Thin prisms and tilted sensors (12 and 14) are not: calibrate without CALIB_THIN_PRISM_MODEL, "
                "CALIB_TILTED_MODEL"
            )

    def _error(self, text: str) -> DataError:
        return DataError(f"camera {shown(self.name)}: {text}")

    @cached_property
    def position(self) -> Floats:
        """(3,) where the camera is, in the world."""
        place: Floats = -self.rotation.T @ self.translation
        return place

    @cached_property
    def lens(self) -> Lenses:
        """The lens."""
        return Lenses([self.distortion.tolist()], [self.fisheye])

    def project(self, points: ArrayLike) -> Floats:
        """(..., 2) pixels, as in poses, of (..., 3) points of the world; NaN for those that are not in front of the camera."""
        world = np.asarray(points, dtype=np.float64)
        x, y, z = np.moveaxis(world.reshape(-1, 3) @ self.rotation.T + self.translation, -1, 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            z = np.where(z > 0, z, np.nan)
            bent = self.lens.bend((x / z)[None], (y / z)[None])
        pixels = np.stack([bent.x[0], bent.y[0]], axis=-1) * self.matrix[[0, 1], [0, 1]] + self.matrix[:2, 2]
        return (pixels + PIXEL_CENTRE).reshape(*world.shape[:-1], 2)

    def undistort(self, pixels: ArrayLike) -> Floats:
        """(..., 2) normalised coordinates (X / Z, Y / Z in the camera's axes) of (..., 2) pixels, as in poses.

        NaN for pixels that no ray through the lens reaches, and for those that are NaN.
        """
        seen = np.asarray(pixels, dtype=np.float64)
        bent = (seen.reshape(-1, 2) - PIXEL_CENTRE - self.matrix[:2, 2]) / self.matrix[[0, 1], [0, 1]]
        x, y = self.lens.straighten(bent[None, :, 0], bent[None, :, 1])
        return np.stack([x[0], y[0]], axis=-1).reshape(seen.shape)

    def scaled_to(self, size: tuple[int, int]) -> CalibratedCamera:
        """The camera for frames of another size that show the same, smaller or larger.

        Raises DataError if the aspect ratio is another one.
        """
        (width, height), (old_width, old_height) = size, self.size
        if abs(width * old_height - height * old_width) > max(old_width, old_height):  # more than one pixel
            raise self._error(
                f"it was calibrated for {old_width}x{old_height}, and frames of {width}x{height} have another aspect ratio: "
                "a crop of the frame, or another mode of the sensor; calibrate in this mode"
            )
        scale = np.array([width / old_width, height / old_height])
        matrix = self.matrix.copy()
        matrix[:2, :2] *= scale[:, None]
        matrix[:2, 2] = (matrix[:2, 2] + PIXEL_CENTRE) * scale - PIXEL_CENTRE
        return replace(self, size=size, matrix=matrix)


def rotation_from_vector(vector: ArrayLike) -> Floats:
    """(3, 3) rotation of a rotation vector: its direction is the axis, its length the angle [rad] (Rodrigues' formula)."""
    axis = np.asarray(vector, dtype=np.float64).reshape(3)
    angle = float(np.linalg.norm(axis))
    if angle < 1e-12:
        return np.eye(3)
    x, y, z = axis / angle
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    rotation: Floats = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)
    return rotation
