"""A video file that can be opened even if its writer was killed."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av
import numpy as np
from av.video.frame import PictureType
from av.video.reformatter import ColorRange, VideoReformatter
from numpy.typing import NDArray

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

FORMATS = {".mp4": "mp4", ".mkv": "matroska"}
CODECS = ("libx264", "ffv1")
PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow")

KEY_FRAME_SECONDS = Fraction(1, 2)

_PIECE_MS = 200  # what Matroska collects before it writes; MP4 writes from key frame to key frame
_ALIGNED = 16  # bytes; FFmpeg's scaler complains about less
_BT601 = 6  # SMPTE 170M in ISO/IEC 23091-2: the matrix that FFmpeg's scaler uses unless it is told otherwise


@dataclass(frozen=True, slots=True)
class Encoding:
    """How pictures become bytes.

    Attributes:
        codec: "libx264" (H.264, yuv420p) or "ffv1" (lossless; forty times the size).
        crf: quality of H.264 from 0 (lossless) to 51.
        preset: of libx264, how long it thinks.
        threads: of the encoder; 0 for as many as there are cores.
    """

    codec: str = "libx264"
    crf: int = 20
    preset: str = "veryfast"
    threads: int = 0

    @property
    def is_subsampled(self) -> bool:
        """Whether 2 x 2 pixels share one colour, so that the size must be even."""
        return self.codec == "libx264"

    def options(self) -> dict[str, str]:
        """For FFmpeg."""
        if self.codec != "libx264":
            return {"slicecrc": "1"}
        return {"preset": self.preset, "crf": str(self.crf), "tune": "zerolatency", "forced-idr": "1"}


class VideoWriter:
    """Encodes images, RGB or grey, all alike.

    A killed process leaves at most half a second behind: no look-ahead (`zerolatency`), a key frame every half second of
    the film's own time, packets given to the system at once, and for MP4 the fragmented form, made an ordinary one at
    the end. A grey image becomes the luma as it is, in full range: nothing is converted.

    Args:
        path: what is written.
        format: "mp4" or "matroska"; the name need not tell.
        rate: frames per second.
        time_base: unit of the time stamps in seconds; Matroska rounds to milliseconds.
        encoding: how.

    Attributes:
        size: (width, height), None before the first image.
        frames: how many were encoded.
    """

    def __init__(
        self, path: Path, format: str, rate: Fraction, time_base: Fraction, encoding: Encoding | None = None
    ) -> None:
        options = {"flush_packets": "1"}
        if format == "mp4":
            options["movflags"] = "hybrid_fragmented+delay_moov"
        else:
            options["cluster_time_limit"] = str(_PIECE_MS)
        self._container = av.open(str(path), "w", format=format, options=options)
        self._reformatter = VideoReformatter()
        self._rate = rate
        self._time_base = time_base
        self._encoding = encoding or Encoding()
        self._stream: VideoStream | None = None
        self._next_key: Fraction = Fraction(0)
        self._planes = np.empty((0, 0), np.uint8)  # of a grey picture: luma, and chroma that says "no colour"
        self.size: tuple[int, int] | None = None
        self.frames = 0

    def write(self, image: NDArray[np.uint8], pts: int) -> None:
        """Encode (H, W, 3) RGB or (H, W) grey; all of one shape, even in both where `is_subsampled`. `pts` grows."""
        if self._stream is None:
            self._stream = self._start(image)
        frame = self._frame(image)
        frame.pts, frame.time_base = pts, self._time_base
        if pts * self._time_base >= self._next_key:
            frame.pict_type = PictureType.I
            self._next_key = pts * self._time_base + KEY_FRAME_SECONDS
        self._container.mux(self._stream.encode(frame))
        self.frames += 1

    def close(self) -> None:
        """Write what the encoder holds back, and the end of the file."""
        try:
            if self._stream is not None:
                self._container.mux(self._stream.encode(None))
        finally:
            self._stream = None
            self._container.close()

    def _frame(self, image: NDArray[np.uint8]) -> VideoFrame:
        grey = image.ndim == 2
        if not self._encoding.is_subsampled:
            if grey:  # this encoder may keep it
                return av.VideoFrame.from_ndarray(image, format="gray")
            return self._reformatter.reformat(_on(image, "rgb24"), format="bgr0")
        if not grey:
            return self._reformatter.reformat(_on(image, "rgb24"), format="yuv420p", dst_colorspace=_BT601)
        self._planes[: len(image)] = image
        frame = _on(self._planes, "yuv420p")  # x264 has its own copy when `encode` returns
        frame.color_range = ColorRange.JPEG
        return frame

    def _start(self, image: NDArray[np.uint8]) -> VideoStream:
        height, width = image.shape[:2]
        grey = image.ndim == 2
        added = self._container.add_stream(self._encoding.codec, rate=self._rate, options=self._encoding.options())
        stream = cast("VideoStream", added)
        stream.width, stream.height = width, height
        codec = stream.codec_context
        codec.time_base = self._time_base
        codec.gop_size = 10_000  # key frames are asked for by time
        codec.thread_count = self._encoding.threads
        if not self._encoding.is_subsampled:
            stream.pix_fmt = "gray" if grey else "bgr0"
            codec.thread_type = "SLICE"  # threads by frame would hold pictures back
        else:
            stream.pix_fmt = "yuv420p"
            codec.colorspace = _BT601
            if grey:
                codec.color_range = ColorRange.JPEG
                self._planes = np.full((height * 3 // 2, width), 128, np.uint8)
        self.size = (width, height)
        return stream


def _on(image: NDArray[np.uint8], format: str) -> VideoFrame:
    """A frame on the image's own memory, for those who have read it before the image changes.

    A copy takes milliseconds where it is large, and holds Python's lock, and so the session's loop, all that time.
    """
    row = image.strides[0]
    if row > 0 and row % _ALIGNED == 0 == image.ctypes.data % _ALIGNED and image[0].flags.c_contiguous:
        return av.VideoFrame.from_numpy_buffer(image, format=format)
    return av.VideoFrame.from_ndarray(image, format=format)


def even(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Repeat the last row or column of an image of odd size: yuv420p has one colour for each 2 x 2 pixels."""
    rows, columns = image.shape[0] % 2, image.shape[1] % 2
    if not rows and not columns:
        return image
    return np.pad(image, ((0, rows), (0, columns), *(((0, 0),) * (image.ndim - 2))), mode="edge")
