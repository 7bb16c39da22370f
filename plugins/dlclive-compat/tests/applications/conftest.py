"""A real network and a real video for the functions that analyse whole videos: the mouse of dlclive's demo."""

from __future__ import annotations

from pathlib import Path

import pytest

cv2 = pytest.importorskip("cv2")
pytest.importorskip("onnxruntime")
pytest.importorskip("av")

from dlclive_core.demo import MODEL  # noqa: E402
from dlclive_core.demo.source import MouseSource  # noqa: E402

FRAMES = 12
SIZE = (320, 240)


@pytest.fixture(scope="session")
def mouse_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of `FRAMES` frames, 320 x 240."""
    path = tmp_path_factory.mktemp("video") / "mouse.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30.0, SIZE)
    with MouseSource(seed=3, frames=FRAMES, size=SIZE) as source:
        source.open()
        for _ in range(FRAMES):
            writer.write(source.read(1.0).image[:, :, ::-1])
    writer.release()
    return path


@pytest.fixture(scope="session")
def mouse_model() -> Path:
    """The network that finds the mouse's five keypoints."""
    return MODEL
