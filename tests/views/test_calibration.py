"""Calibration files of aniposelib, Pose2Sim and OpenCV; what cannot be right is refused with its place."""

from pathlib import Path

import numpy as np
import pytest

from dlclive_core import Calibration, DataError, DLCLiveError, UsageError
from tests.views.scene import cameras

ANIPOSE = """
[cam_0]
name = "left"
size = [ 640, 480,]
matrix = [ [ 576.0, 0.0, 316.8,], [ 0.0, 582.4, 241.7,], [ 0.0, 0.0, 1.0,],]
distortions = [ -0.25, 0.08, 0.001, -0.001, 0.0,]
rotation = [ 0.1, -0.3, 0.2,]
translation = [ 10.0, -20.0, 500.0,]

[cam_1]
name = "right"
size = [ 640, 480,]
matrix = [ [ 576.0, 0.0, 316.8,], [ 0.0, 582.4, 241.7,], [ 0.0, 0.0, 1.0,],]
distortions = [ -0.25, 0.08, 0.001, -0.001, 0.0,]
rotation = [ 0.1, 0.9, 0.2,]
translation = [ 30.0, -20.0, 500.0,]

[metadata]
adjusted = false
error = 0.3
"""

POSE2SIM = """
[int_cam1_img]
name = "int_cam1_img"
size = [ 1088.0, 1920.0]
matrix = [ [ 1681.244873046875, 0.0, 540.6583862304688], [ 0.0, 1681.075439453125, 963.0071411132812], [ 0.0, 0.0, 1.0]]
distortions = [ -0.046183, 0.139983, 0.000608, 0.00069]
rotation = [ 0.9536, -1.4134, 1.1752]
translation = [ 0.5171, 0.8953, 3.3317]
fisheye = false

[int_cam2_img]
name = "int_cam2_img"
size = [ 1088.0, 1920.0]
matrix = [ [ 1681.598388671875, 0.0, 513.20837], [ 0.0, 1681.509887695312, 964.994873], [ 0.0, 0.0, 1.0]]
distortions = [ -0.047847, 0.136786, 0.00097, 0.001]
rotation = [ 0.7629, 1.4536, -1.249]
translation = [ -0.5171, 1.0953, 3.5317]
fisheye = true

[metadata]
adjusted = false
error = 0.0
"""

INTRINSICS = """%YAML:1.0
---
M1: !!opencv-matrix
   rows: 3
   cols: 3
   dt: d
   data: [ 5.76e+02, 0., 3.168e+02, 0., 5.824e+02, 2.417e+02, 0., 0., 1. ]
D1: !!opencv-matrix
   rows: 1
   cols: 5
   dt: d
   data: [ -2.5e-01, 8.0e-02, 1.0e-03, -1.0e-03, 0. ]
M2: !!opencv-matrix
   rows: 3
   cols: 3
   dt: d
   data: [ 5.76e+02, 0., 3.168e+02, 0., 5.824e+02, 2.417e+02, 0., 0., 1. ]
D2: !!opencv-matrix
   rows: 1
   cols: 5
   dt: d
   data: [ -2.5e-01, 8.0e-02, 1.0e-03, -1.0e-03, 0. ]
"""
EXTRINSICS = """%YAML:1.0
---
R: !!opencv-matrix
   rows: 3
   cols: 3
   dt: d
   data: [ 0., 0., 1., 0., 1., 0., -1., 0., 0. ]
T: !!opencv-matrix
   rows: 3
   cols: 1
   dt: d
   data: [ -100., 0., 0. ]
"""
SINGLE = """%YAML:1.0
---
calibration_time: "Mon 02 Mar 2026 10:00:00"
image_width: 640
image_height: 480
camera_matrix: !!opencv-matrix
   rows: 3
   cols: 3
   dt: d
   data: [ 5.76e+02, 0., 3.168e+02, 0., 5.824e+02, 2.417e+02, 0., 0., 1. ]
distortion_coefficients: !!opencv-matrix
   rows: 5
   cols: 1
   dt: d
   data: [ -2.5e-01, 8.0e-02, 1.0e-03, -1.0e-03, 0. ]
fisheye_model: 0
R: [0.1, 0.2, 0.3]
T: [ {x}, 0.0, 500.0 ]
"""


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_of_aniposelib(tmp_path: Path) -> None:
    calibration = Calibration.read(written(tmp_path, "calibration.toml", ANIPOSE), unit="mm")
    assert calibration.names == ("left", "right")
    assert calibration.unit == "mm"
    left = calibration.camera("left")
    assert left.size == (640, 480)
    assert left.distortion.tolist() == [-0.25, 0.08, 0.001, -0.001, 0.0]
    assert np.degrees(np.arccos((np.trace(left.rotation) - 1) / 2)) == pytest.approx(np.degrees(np.sqrt(0.14)))
    assert not left.fisheye


def test_a_file_of_pose2sim(tmp_path: Path) -> None:
    calibration = Calibration.read(written(tmp_path, "Calib.toml", POSE2SIM), unit="m", names=("left", "right"))
    assert calibration.names == ("left", "right")
    assert calibration.camera("left").size == (1088, 1920)
    assert [camera.fisheye for camera in calibration.cameras] == [False, True]


def test_two_files_of_opencv_s_stereo_sample(tmp_path: Path) -> None:
    files = (written(tmp_path, "intrinsics.yml", INTRINSICS), written(tmp_path, "extrinsics.yml", EXTRINSICS))
    with pytest.raises(DataError, match=r"has no image_width and image_height; pass size=\(width, height\)"):
        Calibration.read(*files)
    calibration = Calibration.read(*files, size=(640, 480))
    assert calibration.names == ("left", "right")
    left, right = calibration.cameras
    assert left.position.tolist() == [0, 0, 0]
    point = np.array([30.0, 10.0, 400.0])
    assert right.rotation @ point + right.translation == pytest.approx([400 - 100, 10, -30])
    with pytest.raises(DataError, match="no R and T between the two cameras: pass the file of the extrinsics, too"):
        Calibration.read(files[0], size=(640, 480))


def test_one_opencv_file_for_each_camera(tmp_path: Path) -> None:
    files = [
        written(tmp_path, f"{name}.yaml", SINGLE.replace("{x}", x)) for name, x in (("left", "0."), ("right", "200."))
    ]
    calibration = Calibration.read(*files)
    assert calibration.names == ("left", "right")
    assert calibration.camera("right").translation.tolist() == [200, 0, 500]
    assert calibration.camera("right").size == (640, 480)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('name = "right"', 'name = "left"', "calibration.toml has two cameras called 'left'"),
        ("[ 640, 480,]", "[ 640,]", "[cam_0]: size is [640], not [width, height]"),
        ("[ 640, 480,]", "[ 0, 480]", "[cam_0]: size is [0, 480], not whole pixels"),
        ("[ 640, 480,]", "[ 640.5, 480]", "not whole pixels"),
        ("[ 640, 480,]", "[ nan, 480]", "not whole pixels"),
        ("[ 640, 480,]", "[ true, 480]", "not [width, height]"),
        ("[ 640, 480,]", '"640x480"', "not [width, height]"),
        ("size = ", "sze = ", "[cam_0] has no size: did you mean 'sze'"),
        ("316.8", "nan", "camera 'left': its matrix has a value that is not a number"),
        ("316.8", "9000.0", "camera 'left': its centre is at 9000, 241.7 px, far outside a frame of 640x480"),
        ("[ [ 576.0,", "[ [ -576.0,", "its focal lengths are -576 and 582.4 px"),
        ("[ [ 576.0, 0.0", "[ [ 576.0, 3.0", "its matrix has a skew of 3"),
        ("[ 0.0, 0.0, 1.0,]", "[ 0.0, 0.0, 2.0]", "its matrix is not one of a camera"),
        ("[ 0.0, 0.0, 1.0,]", "[ 0.0, 0.0]", "[cam_0]: matrix is"),
        ("0.001, -0.001, 0.0,]", "0.001]", "it has 3 distortion coefficients; 0, 4, 5 or 8 are supported"),
        ("-0.001, 0.0,]", "-0.001, 0,1,2,3,4,5,6,7]", "it has 12 distortion coefficients"),
        (
            'name = "left"',
            'name = "left"\nfisheye = true',
            "a fisheye lens has 4 coefficients (Kannala-Brandt); it has 5",
        ),
        ('name = "left"', 'name = "left"\nfisheye = "yes"', "fisheye is 'yes', not true or false"),
        ('name = "left"', "name = [1]", "[cam_0]: name is [1], not text"),
        ("[ 0.1, -0.3, 0.2,]", "[ 0.1, -0.3]", "its rotation has shape (2,)"),
        ("[ 0.1, -0.3, 0.2,]", "[ inf, -0.3, 0.2]", "the rotation vector"),
        ("[ 0.1, -0.3, 0.2,]", "[[1,0,0],[0,1,0],[0,0,-1]]", "its rotation is a reflection: the determinant is -1"),
        ("[ 0.1, -0.3, 0.2,]", "[[1,0,0],[0,1,0],[0,0,3]]", "its rotation is not one"),
        ("[ 10.0, -20.0, 500.0,]", "[ 1e300, 0, 0]", "its translation has a value that is not a number, or too large"),
        ("[ 10.0, -20.0, 500.0,]", '["a", 0, 0]', "translation is ['a', 0, 0], not numbers"),
        ("[ 10.0, -20.0, 500.0,]", f"[{'9' * 400}, 0, 0]", "translation is"),
        ("[cam_0]", "[cam_0", "is not valid TOML"),
        ("[cam_0]", f"x = {'[' * 5000}\n[cam_0]", "calibration.toml is not"),
        ("[cam_0]", f"x = 1{'0' * 5000}\n[cam_0]", "calibration.toml is not a calibration"),
        ("[cam_0]", "x = 3\n[cam_0]", "'x' is not a section of a camera"),
    ],
)
def test_what_cannot_be_right_is_refused_with_its_place(tmp_path: Path, before: str, after: str, message: str) -> None:
    assert before in ANIPOSE
    path = written(tmp_path, "calibration.toml", ANIPOSE.replace(before, after, 1))
    with pytest.raises(DataError) as error:
        Calibration.read(path)
    assert message in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 500


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("rows: 3\n   cols: 3", "rows: 3\n   cols: 4", "a matrix of 3 x 4 has as many numbers"),
        ("rows: 3\n   cols: 3", "rows: 3000000000\n   cols: 3", "a matrix of 3000000000 x 3 has"),
        ("camera_matrix", "camera_matrx", "has no camera_matrix (or M1"),
        ("R: [0.1", "Q: [0.1", "does not tell where the camera is: it has no R and T"),
        ("image_width: 640", "image_width: wide", "size is ['wide', 480]"),
        ("fisheye_model: 0", "fisheye_model: 7", "fisheye is 7"),
        ("fisheye_model: 0", "fisheye_model: !!python/object:os.system 0", "is not supported"),
        ("fisheye_model: 0", "fisheye_model: 0\nx: " + "[" * 100, "levels deep"),
        ("fisheye_model: 0", "fisheye_model: 0\nfisheye_model: 0", "duplicate key"),
        ("5.76e+02", "five", "numbers in rows of one length"),
    ],
)
def test_opencv_files_that_cannot_be_right(tmp_path: Path, before: str, after: str, message: str) -> None:
    assert before in SINGLE
    path = written(tmp_path, "left.yml", SINGLE.replace("{x}", "0.").replace(before, after, 1))
    with pytest.raises(DataError) as error:
        Calibration.read(path)
    assert message in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_of_another_kind_and_a_missing_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"calibrations are read from \.toml, \.yml, \.yaml"):
        Calibration.read(written(tmp_path, "calibration.json", "{}"))
    with pytest.raises(UsageError, match=r"no such calibration file: .*none\.toml"):
        Calibration.read(tmp_path / "none.toml")
    with pytest.raises(DataError, match="has no camera"):
        Calibration.read(written(tmp_path, "empty.toml", ""))
    with pytest.raises(DataError, match="is not a calibration: it has no keys"):
        Calibration.read(written(tmp_path, "empty.yml", "- 1"))
    with pytest.raises(UsageError, match="has 2 cameras, and names has 1"):
        Calibration.read(written(tmp_path, "c.toml", ANIPOSE), names=("left",))


def test_cameras_at_one_place_are_refused() -> None:
    left = cameras(2).cameras[0]
    twin = type(left)("twin", left.size, left.matrix, left.distortion, left.rotation, left.translation)
    with pytest.raises(DataError, match="'left' and 'twin' are at the same place"):
        Calibration([left, twin])


def test_damaged_files_raise_nothing_but_our_errors(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    files = [("a.toml", ANIPOSE), ("b.yml", SINGLE), ("c.yml", INTRINSICS + EXTRINSICS[14:])]
    messages = []
    for number, (name, text) in enumerate(files * 60):
        data = bytearray(text.encode())
        for _ in range(int(random.integers(1, 8))):
            place = int(random.integers(len(data)))
            if random.random() < 0.5:
                data[place] = int(random.integers(256))
            else:
                del data[place : place + int(random.integers(1, 200))]
            data = data or bytearray(b"x")
        path = tmp_path / f"{number}-{name}"
        path.write_bytes(data)
        try:
            Calibration.read(path, size=(640, 480))
        except DLCLiveError as error:  # any other error fails the test
            messages.append(str(error))
    assert len(messages) > 100
    assert not any("\n" in message for message in messages)
