"""Colours of films that are not in BT.601: true, or as OpenCV before 4.13 reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace
from dlclive_io.video.video_file import VideoFile

from dlclive_core import PluginCatalog, SourceInfo, UsageError
from dlclive_core.plugins.specs import build_component

FOLLOWS_THE_FILM = tuple(int(part) for part in cv2.__version__.split(".")[:2]) >= (4, 13)
PALETTE = np.array(
    [[200, 40, 40], [40, 200, 40], [40, 40, 200], [200, 200, 40], [30, 30, 30], [220, 220, 220]], np.uint8
)


def _picture(height: int = 96, width: int = 192) -> np.ndarray:
    """(H, W, 3) RGB blocks of 32 pixels."""
    y, x = np.mgrid[:height, :width] // 32
    return PALETTE[(y + x) % len(PALETTE)]


def _film(path: Path, *, says: int, range: ColorRange, pix_fmt: str, codec: str, odd: bool = False) -> Path:
    """Three frames. What is stored is the same whatever the film says about it."""
    picture = _picture(95, 191) if odd else _picture()
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=30)
        stream.height, stream.width = picture.shape[:2]
        stream.pix_fmt = pix_fmt
        stream.codec_context.colorspace, stream.codec_context.color_range = says, range
        for _ in (0, 1, 2):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(
                format=pix_fmt, dst_colorspace=Colorspace.ITU709, dst_color_range=range
            )
            frame.colorspace = says
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _read(films: Any, path: Path, **options: Any) -> np.ndarray:
    return np.asarray(films.read(VideoFile(path, **options))[1].image)


def _by_opencv(path: Path) -> np.ndarray:
    capture = cv2.VideoCapture(str(path))
    capture.read()
    image = capture.read()[1]
    capture.release()
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


KINDS: dict[str, dict[str, Any]] = {
    "h264.mp4": {"range": ColorRange.MPEG, "pix_fmt": "yuv420p", "codec": "libx264"},
    "full.mp4": {"range": ColorRange.JPEG, "pix_fmt": "yuvj420p", "codec": "libx264"},
    "444.mkv": {"range": ColorRange.MPEG, "pix_fmt": "yuv444p", "codec": "libx264"},
    "odd.mkv": {"range": ColorRange.MPEG, "pix_fmt": "yuv420p", "codec": "ffv1", "odd": True},
}


@pytest.mark.parametrize("name", KINDS)
def test_colours_are_those_that_the_film_says(films: Any, tmp_path: Path, name: str) -> None:
    path = _film(tmp_path / name, says=Colorspace.ITU709, **KINDS[name])
    image = _read(films, path)
    np.testing.assert_allclose(image[16::32, 16::32].astype(int), _picture()[16::32, 16::32], atol=6)
    if FOLLOWS_THE_FILM:
        np.testing.assert_array_equal(image, _by_opencv(path))


@pytest.mark.parametrize("name", KINDS)
def test_opencv_colours_are_those_of_older_opencv(films: Any, tmp_path: Path, name: str) -> None:
    """It took every film for BT.601: as every OpenCV reads the same film if it says BT.601."""
    path = _film(tmp_path / name, says=Colorspace.ITU709, **KINDS[name])
    expected = _by_opencv(_film(tmp_path / f"601-{name}", says=Colorspace.ITU601, **KINDS[name]))
    image = _read(films, path, colours="opencv")
    np.testing.assert_array_equal(image, expected)
    assert abs(image.astype(int) - _read(films, path)).max() > 15
    if not FOLLOWS_THE_FILM:
        np.testing.assert_array_equal(image, _by_opencv(path))


def test_full_range_that_only_a_tag_says_is_ignored_as_in_older_opencv(films: Any, tmp_path: Path) -> None:
    kind = {"pix_fmt": "yuv420p", "codec": "libvpx-vp9"}
    path = _film(tmp_path / "full.webm", says=Colorspace.ITU709, range=ColorRange.JPEG, **kind)
    with av.open(str(path)) as video:
        luma = next(video.decode(video=0)).to_ndarray()[:96].astype(float)
    image = _read(films, path, colours="opencv").astype(float)
    grey = np.ptp(_picture(), axis=2) == 0
    inside = grey & (cv2.erode(grey.astype(np.uint8), np.ones((9, 9))) > 0)
    np.testing.assert_allclose(image.mean(axis=2)[inside], np.clip((luma[inside] - 16) * 255 / 219, 0, 255), atol=3)


UNKNOWN = 2  # in ISO/IEC 23091-2


@pytest.mark.parametrize("says", [Colorspace.ITU601, UNKNOWN])
def test_other_films_are_the_same_in_both(films: Any, tmp_path: Path, says: int) -> None:
    path = _film(tmp_path / "film.mp4", says=says, **KINDS["h264.mp4"])
    np.testing.assert_array_equal(_read(films, path, colours="opencv"), _read(films, path))


def test_rgb_films_have_no_matrix(films: Any, tmp_path: Path) -> None:
    path = films.make(tmp_path / "rgb.mkv", 3, codec="ffv1", pix_fmt="bgr0")
    np.testing.assert_array_equal(_read(films, path, colours="opencv"), films.draw(1))


def test_the_option_on_the_command_line(tmp_path: Path) -> None:
    catalog = PluginCatalog.installed()
    build_component(catalog, SourceInfo, "video:a.mp4,colours=opencv")
    with pytest.raises(UsageError, match=r"true.*opencv"):
        build_component(catalog, SourceInfo, "video:a.mp4,colours=bt601")
    with pytest.raises(UsageError, match="no colours 'opencw': did you mean 'opencv'"):
        VideoFile(tmp_path / "a.mp4", colours="opencw")  # type: ignore[arg-type]
