"""An H.264 file that can be opened even if its writer was killed."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

if TYPE_CHECKING:
    from av.video.stream import VideoStream

FORMATS = {".mp4": "mp4", ".mkv": "matroska"}

_BT601 = 6  # SMPTE 170M in ISO/IEC 23091-2: the matrix that FFmpeg's scaler uses unless it is told otherwise


class VideoWriter:
    """Encodes RGB images as H.264 (libx264, yuv420p).

    A killed process leaves at most half a second behind: no look-ahead (`zerolatency`), a key frame every half second,
    each packet given to the system at once, and for MP4 the fragmented form, made an ordinary one at the end.

    Args:
        path: what is written.
        format: "mp4" or "matroska"; the name need not tell.
        rate: frames per second.
        time_base: unit of the time stamps in seconds.
    """

    def __init__(self, path: Path, format: str, rate: Fraction, time_base: Fraction) -> None:
        options = {"flush_packets": "1"}
        if format == "mp4":
            options["movflags"] = "hybrid_fragmented"
        self._container = av.open(str(path), "w", format=format, options=options)
        self._reformatter = VideoReformatter()
        self._rate = rate
        self._time_base = time_base
        self._stream: VideoStream | None = None
        self.size: tuple[int, int] | None = None

    def write(self, image: NDArray[np.uint8], pts: int) -> None:
        """Encode (H, W, 3) RGB; all of one size, even in both. `pts` grows."""
        if self._stream is None:
            self._stream = self._start(image.shape[1], image.shape[0])
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        frame = self._reformatter.reformat(frame, format="yuv420p", dst_colorspace=_BT601)
        frame.pts, frame.time_base = pts, self._time_base
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Write what the encoder holds back, and the end of the file."""
        try:
            if self._stream is not None:
                self._container.mux(self._stream.encode(None))
        finally:
            self._stream = None
            self._container.close()

    def _start(self, width: int, height: int) -> VideoStream:
        stream = self._container.add_stream(
            "libx264", rate=self._rate, options={"preset": "veryfast", "crf": "20", "tune": "zerolatency"}
        )
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        codec = stream.codec_context
        codec.time_base = self._time_base
        codec.gop_size = max(1, min(50, round(float(self._rate) / 2)))
        codec.colorspace = _BT601
        self.size = (width, height)
        return stream


def even(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Repeat the last row or column of an image of odd size: yuv420p has one colour for each 2 x 2 pixels."""
    rows, columns = image.shape[0] % 2, image.shape[1] % 2
    return np.pad(image, ((0, rows), (0, columns), (0, 0)), mode="edge") if rows or columns else image
