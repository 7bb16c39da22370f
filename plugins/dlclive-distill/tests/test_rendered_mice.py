"""The real thing on a small scale: a film of two mice, a teacher that knows where they are, and the file that comes of it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import av
import numpy as np
import pytest
from dlclive_distill import distil as distilling
from dlclive_distill.footage import varied
from dlclive_distill.training import guard_fitting, trainer

from benchmarks.rendered_mice import SKELETON, RenderedMice
from dlclive_core import DistillPlan, ModelCard, load_model

SIZE, FRAMES = (192, 160), 300


class Truth:
    """Recognises the frames of its film, and knows where their mice are."""

    def __init__(self, mice: RenderedMice, film: Path) -> None:
        self.path, self.stride, self.grid, self.notices = film, 8.0, None, ()
        self.animals, self.sha256 = 2, hashlib.sha256(film.read_bytes()).hexdigest()
        names = ("mouse1", "mouse2")
        self.card = ModelCard(net_type="dekr_w18", skeleton=SKELETON, individuals=names, multi_animal=True)
        self._mice = mice
        self._seen = np.stack([self._small(mice.render(number)) for number in range(FRAMES)])

    def label(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        near = [int(np.abs(self._seen - self._small(image)).mean(axis=(1, 2)).argmin()) for image in images]
        poses = np.stack([self._mice.truth(number)[:: 1 if number % 2 else -1] for number in near])
        return poses, np.zeros((len(images), len(SKELETON), 0, 0), np.float16)

    def map_size(self, width: int, height: int) -> tuple[int, int]:
        return 0, 0

    def _small(self, image: np.ndarray) -> np.ndarray:
        return image[2::4, 2::4, 1].astype(np.float32)


@pytest.fixture
def mice() -> RenderedMice:
    return RenderedMice(2, seed=3, frames=FRAMES, size=SIZE, absent=0.2, scale=0.6)


@pytest.fixture
def film(mice: RenderedMice, tmp_path: Path) -> Path:
    path = tmp_path / "mice.mp4"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg4", rate=30)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = *SIZE, "yuv420p", 4_000_000
        for number in range(FRAMES):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(mice.render(number), format="rgb24")))
        file.mux(stream.encode(None))
    return path


@pytest.mark.slow
def test_a_film_of_two_mice_makes_a_student_that_finds_them(
    mice: RenderedMice, film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distilling, "open_teacher", lambda *_: Truth(mice, film))
    monkeypatch.setattr(varied, "vary_frame", lambda frame, *_: np.asarray(frame))  # this teacher knows no others
    for module, name, value in ((trainer, "BATCH", 8), (trainer, "COARSE_BATCH", 8), (guard_fitting, "_DAMAGED", 60)):
        monkeypatch.setattr(module, name, value)
    plan = DistillPlan(
        model=film, videos=(film,), out=tmp_path / "student.onnx", steps=300, student="window-small", device="cpu", threads=1,
        training_frames=150, max_error=1000,
    )  # fmt: skip
    distilled = distilling.distil(plan, lambda _: None)
    judgement = distilled.judgement
    assert (judgement.animals, judgement.frames) == (2, 60)
    assert judgement.error.median_px < 8
    assert judgement.lost < 0.9  # little is learnt from seven seconds; a student that has learnt nothing loses all
    assert distilled.kept is not judgement.miscounts
    with load_model(distilled.folder / "student.onnx" if distilled.target is None else distilled.target) as model:
        poses = [model.predict(mice.render(number)) for number in range(0, 60, 4)]
    assert max(int((pose.confidence.max(axis=1) > 0).sum()) for pose in poses) == 2
    assert all(len(pose) == 2 for pose in poses)
