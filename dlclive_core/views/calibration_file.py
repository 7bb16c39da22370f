"""Reads calibration files: aniposelib's and Pose2Sim's TOML, OpenCV's YAML. Nothing in a file is trusted to be right."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from dlclive_core.errors import DataError, UsageError, shown
from dlclive_core.text.decoding import TextError, read_text
from dlclive_core.text.yaml_1_2 import load
from dlclive_core.views.camera import CalibratedCamera, rotation_from_vector

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TOML, YAML = (".toml",), (".yml", ".yaml")

_MATRIX = ("camera_matrix", "K", "cameraMatrix", "M", "matrix", "mtx", "intrinsic_matrix")
_DISTORTION = ("distortion_coefficients", "D", "distCoeffs", "dist_coeffs", "dist", "distortions")
_ROTATION = ("R", "rotation_matrix", "rvec", "rotation")
_TRANSLATION = ("T", "t", "tvec", "translation", "translation_vector")
_FISHEYE = ("fisheye", "fisheye_model")
_HEAD = re.compile(r"\A\s*%YAML:1\.\d[^\n]*\n")
_MATRIX_TAG = re.compile(r"!!opencv-matrix[ \t]*$", re.MULTILINE)


def read_cameras(
    paths: Sequence[Path], *, size: tuple[int, int] | None, names: tuple[str, ...]
) -> tuple[CalibratedCamera, ...]:
    """Read the cameras of one calibration. Raises as `Calibration.read`."""
    suffixes = {path.suffix.lower() for path in paths}
    if suffixes <= set(TOML):
        cameras = [camera for path in paths for camera in _toml_cameras(path)]
    elif suffixes <= set(YAML):
        contents = {path: _yaml_content(path) for path in paths}
        merged: dict[str, Any] = {}
        for content in contents.values():
            merged |= content
        if _first(merged, _numbered(_MATRIX, 1)) is not None:
            cameras = _stereo_cameras(merged, " and ".join(map(str, paths)), size)
        else:
            cameras = [_yaml_camera(content, path, size) for path, content in contents.items()]
    else:
        known = ", ".join((*TOML, *YAML))
        raise UsageError(
            f"{paths[0]}: calibrations are read from {known}; several files of one calibration are of one kind"
        )
    if names and len(names) != len(cameras):
        raise UsageError(f"{paths[0]} has {len(cameras)} cameras, and names has {len(names)}")
    return (
        tuple(replace(camera, name=name) for camera, name in zip(cameras, names, strict=True))
        if names
        else tuple(cameras)
    )


# ---- TOML


def _toml_cameras(path: Path) -> list[CalibratedCamera]:
    text = _text(path)
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{path} is not valid TOML: {error}") from None
    except (RecursionError, ValueError):  # nested a thousand times, or a number of thousands of digits
        raise DataError(
            f"{path} is not a calibration: it is nested too deep, or has a number of too many digits"
        ) from None
    sections = {name: value for name, value in content.items() if name != "metadata"}
    cameras = []
    for section, values in sections.items():
        where = f"{path}, [{shown(section)[1:-1]}]"
        if not isinstance(values, dict):
            raise DataError(f"{path}: {shown(section)} is not a section of a camera, such as [cam_0]")
        for key in ("size", "matrix", "distortions", "rotation", "translation"):
            if key not in values:
                raise DataError(f"{where} has no {key}{_suggestion(key, values)}")
        name = values.get("name", section)
        if not isinstance(name, str | int):
            raise DataError(f"{where}: name is {shown(name)}, not text")
        rotation = _array(values["rotation"], where, "rotation")
        cameras.append(
            _camera(
                where,
                name=str(name),
                size=_size(values["size"], where),
                matrix=_array(values["matrix"], where, "matrix"),
                distortion=_array(values["distortions"], where, "distortions"),
                rotation=_rotation(rotation, where),
                translation=_array(values["translation"], where, "translation"),
                fisheye=_flag(values.get("fisheye", False), where),
            )
        )
    if not cameras:
        raise DataError(f"{path} has no camera: no section such as [cam_0]")
    return cameras


# ---- OpenCV's YAML


def _yaml_content(path: Path) -> dict[str, Any]:
    """The content as plain values, OpenCV's matrices as arrays. No tag makes an object."""
    text = _MATRIX_TAG.sub("", _HEAD.sub("", _text(path)))
    try:
        content = load(text)
    except TextError as error:
        raise DataError(error.at(path)) from None
    if not isinstance(content, dict):
        raise DataError(f"{path} is not a calibration: it has no keys such as camera_matrix")
    return {str(key): _opencv_matrix(value, f"{path}, {shown(str(key))[1:-1]}") for key, value in content.items()}


def _opencv_matrix(value: Any, where: str) -> Any:
    """A node {rows, cols, dt, data} as an array; any other unchanged."""
    if not (isinstance(value, dict) and {"rows", "cols", "data"} <= set(value)):
        return value
    rows, columns = value["rows"], value["cols"]
    array = _array(value["data"], where, "data")
    if not (type(rows) is int and type(columns) is int and array.shape == (rows * columns,)):
        raise DataError(f"{where}: a matrix of {shown(rows)} x {shown(columns)} has as many numbers in data")
    return array.reshape(rows, columns)


def _yaml_camera(content: Mapping[str, Any], path: Path, size: tuple[int, int] | None) -> CalibratedCamera:
    where = str(path)
    matrix = _first(content, _MATRIX)
    if matrix is None:
        raise DataError(f"{where} has no {_MATRIX[0]} (or M1, D1, M2, D2 of a stereo calibration)")
    rotation, translation = _first(content, _ROTATION), _first(content, _TRANSLATION)
    if rotation is None or translation is None:
        raise DataError(
            f"{where} does not tell where the camera is: it has no R and T. Calibrate the cameras together "
            "(stereoCalibrate, aniposelib), or add the extrinsics R and T"
        )
    return _camera(
        where,
        name=str(content.get("camera_name", path.stem)),
        size=_yaml_size(content, where, size),
        matrix=_array(matrix, where, "camera_matrix"),
        distortion=_distortion(_first(content, _DISTORTION), where),
        rotation=_rotation(_array(rotation, where, "R"), where),
        translation=_array(translation, where, "T"),
        fisheye=_flag(_first(content, _FISHEYE), where),
    )


def _stereo_cameras(content: Mapping[str, Any], where: str, size: tuple[int, int] | None) -> list[CalibratedCamera]:
    """The first camera is the world: X2 = R X1 + T, as `stereoCalibrate` returns them."""
    rotation, translation = _first(content, _ROTATION), _first(content, _TRANSLATION)
    if rotation is None or translation is None:
        raise DataError(f"{where} has no R and T between the two cameras: pass the file of the extrinsics, too")
    places = (
        (np.eye(3), np.zeros(3)),
        (_rotation(_array(rotation, where, "R"), where), _array(translation, where, "T")),
    )
    cameras = []
    for number, (name, (turn, shift)) in enumerate(zip(("left", "right"), places, strict=True), 1):
        matrix = _first(content, _numbered(_MATRIX, number))
        if matrix is None:
            raise DataError(f"{where} has no M{number}")
        cameras.append(
            _camera(
                where,
                name=name,
                size=_yaml_size(content, where, size),
                matrix=_array(matrix, where, f"M{number}"),
                distortion=_distortion(_first(content, _numbered(_DISTORTION, number)), where),
                rotation=turn,
                translation=shift,
                fisheye=_flag(_first(content, _FISHEYE), where),
            )
        )
    return cameras


def _yaml_size(content: Mapping[str, Any], where: str, size: tuple[int, int] | None) -> tuple[int, int]:
    if "image_width" in content and "image_height" in content:
        return _size([content["image_width"], content["image_height"]], where)
    for key in ("image_size", "imageSize", "size"):
        if key in content:
            value = content[key]
            return _size(value.reshape(-1).tolist() if isinstance(value, np.ndarray) else value, where)
    if size is None:
        raise DataError(f"{where} has no image_width and image_height; pass size=(width, height) of the frames")
    return size


# ---- values


def _suggestion(key: str, keys: Iterable[str]) -> str:
    """`: did you mean 'sze'?`, or nothing; keys may have any length."""
    close = get_close_matches(key, [name for name in keys if len(name) <= 40], n=1, cutoff=0.6)
    return f": did you mean {close[0]!r}?" if close else ""


def _camera(where: str, **values: Any) -> CalibratedCamera:
    """A camera; an error names the file."""
    try:
        return CalibratedCamera(**values)
    except DataError as error:
        raise DataError(f"{where}: {error}") from None


def _text(path: Path) -> str:
    try:
        return read_text(path)
    except FileNotFoundError:
        raise UsageError(f"no such calibration file: {path}") from None
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    except TextError as error:
        raise DataError(error.at(path)) from None


def _first(content: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((content[name] for name in names if content.get(name) is not None), None)


def _numbered(names: Sequence[str], number: int) -> tuple[str, ...]:
    return tuple(f"{name}{number}" for name in names)


def _array(value: Any, where: str, what: str) -> Any:
    values = value.tolist() if isinstance(value, np.ndarray) else value
    if not isinstance(values, list) or not _is_numbers(values):
        raise DataError(f"{where}: {what} is {shown(values)}, not numbers in rows of one length")
    try:
        return np.array(values, dtype=np.float64)
    except (ValueError, OverflowError):  # rows of different lengths; an integer larger than any float
        raise DataError(f"{where}: {what} is {shown(values)}, not numbers in rows of one length") from None


def _is_numbers(values: list[Any]) -> bool:
    """Whether it is a list of numbers, or of such lists; two levels are the most."""
    items = [item for row in values for item in (row if isinstance(row, list) else [row])]
    return all(type(item) in (int, float) for item in items)


def _distortion(value: Any, where: str) -> Any:
    return np.zeros(0) if value is None else _array(value, where, "distortion_coefficients").reshape(-1)


def _rotation(array: Any, where: str) -> Any:
    if array.size == 3:
        if not (np.abs(array) < 100).all():  # turns of a rotation vector; NaN, too
            raise DataError(f"{where}: the rotation vector {array.reshape(-1).tolist()} is not one")
        return rotation_from_vector(array)
    return array


def _in_a_line(value: Any) -> str:
    """A value that may hold arrays, whose text has several lines."""
    return " ".join(shown(value).split())


def _size(value: Any, where: str) -> tuple[int, int]:
    if not (isinstance(value, list) and len(value) == 2 and all(type(side) in (int, float) for side in value)):
        raise DataError(f"{where}: size is {_in_a_line(value)}, not [width, height]")
    width, height = value
    if not all(1 <= side <= 1_000_000 and side == int(side) for side in (width, height)):
        raise DataError(f"{where}: size is {shown(value)}, not whole pixels")
    return int(width), int(height)


def _flag(value: Any, where: str) -> bool:
    if value is not None and not (type(value) in (bool, int, float) and value in (0, 1)):
        raise DataError(f"{where}: fisheye is {_in_a_line(value)}, not true or false")
    return bool(value)
