"""What a video file says of itself, in OpenCV's words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlclive_core import SourceError


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """Attributes: `size` is (width, height) in pixels; `codec` and `pixel_format` are four letters, or empty."""

    path: Path
    size: tuple[int, int]
    fps: float
    frame_count: int
    codec: str
    pixel_format: str

    def to_meta(self) -> dict[str, Any]:
        """The part of a benchmark's metadata that describes the video."""
        return {
            "video_path": str(self.path),
            "video_codec": self.codec,
            "video_pixel_format": self.pixel_format,
            "video_fps": round(self.fps),
            "video_total_frames": self.frame_count,
            "original_frame_size": self.size,
        }


def video_facts(path: str | Path) -> VideoFacts:
    """Read the head of a video. Raises SourceError."""
    import cv2

    path = Path(path)
    if not path.is_file():
        raise SourceError(f"no such video: {path}")
    capture = cv2.VideoCapture(str(path))
    try:
        size = (int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)))
        if not capture.isOpened() or 0 in size:
            raise SourceError(f"{path} is not a video that OpenCV can open")
        return VideoFacts(
            path,
            size,
            float(capture.get(cv2.CAP_PROP_FPS)),
            max(0, round(capture.get(cv2.CAP_PROP_FRAME_COUNT))),
            _letters(capture.get(cv2.CAP_PROP_FOURCC)),
            _letters(capture.get(cv2.CAP_PROP_CODEC_PIXEL_FORMAT)),
        )
    finally:
        capture.release()


def _letters(code: float) -> str:
    """A FourCC as text."""
    value = int(code)
    letters = "".join(chr((value >> 8 * place) & 0xFF) for place in range(4)) if value > 0 else ""
    return letters.rstrip("\0 ") if letters.isprintable() or "\0" in letters else ""
