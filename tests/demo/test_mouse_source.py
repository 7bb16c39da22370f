"""The rendered mouse: reproducible from its seed, drawn at its true keypoints, moving like an animal."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from dlclive_core import EndOfStream, UsageError
from dlclive_core.demo.source import MouseSource

SIZES = [(320, 240), (640, 480), (480, 360), (160, 120), (160, 480)]


def truths(source: MouseSource) -> np.ndarray:
    """(T, K, 3) of all frames."""
    return np.stack([source.truth(index) for index in range(source.frame_count or 0)])


@pytest.mark.parametrize("size", SIZES)
def test_frames_have_the_requested_size(size: tuple[int, int]) -> None:
    with MouseSource(seed=1, frames=2, size=size) as source:
        source.open()
        frame = source.read(1.0)
        assert frame.image.shape == (size[1], size[0], 3)
        assert frame.image.dtype == np.uint8
        assert frame.image.std() > 1  # not a single colour


def test_the_frames_of_a_seed_do_not_depend_on_the_length_of_the_clip() -> None:
    long, short = MouseSource(seed=7, frames=40), MouseSource(seed=7, frames=3)
    assert np.array_equal(long.render(2), short.render(2))
    assert np.array_equal(truths(long)[:3], truths(short))
    again = MouseSource(seed=7, frames=40)
    assert np.array_equal(again.render(39), long.render(39))  # without rendering the frames before it


def test_different_seeds_render_different_clips() -> None:
    assert not np.array_equal(MouseSource(seed=7, frames=1).render(0), MouseSource(seed=8, frames=1).render(0))


def test_the_clip_ends_and_restarts_when_it_is_reopened() -> None:
    source = MouseSource(seed=2, frames=3)
    source.open()
    frames = [source.read(1.0) for _ in range(3)]
    assert [frame.index for frame in frames] == [0, 1, 2]
    assert frames[2].device_time == pytest.approx(2 / 30)
    with pytest.raises(EndOfStream):
        source.read(1.0)
    source.close()
    source.close()
    source.open()
    assert np.array_equal(source.read(1.0).image, frames[0].image)


@pytest.mark.parametrize(
    "options", [{"frames": 0}, {"size": (20, 20)}, {"fps": 0.0}, {"fps": float("nan")}, {"seed": -1}]
)
def test_invalid_options_are_usage_errors(options: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        MouseSource(**options)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", SIZES)
def test_visible_keypoints_are_inside_the_frame(size: tuple[int, int]) -> None:
    for seed in range(12):
        truth = truths(MouseSource(seed=seed, frames=150, size=size))
        visible = truth[..., 2] > 0
        assert set(np.unique(truth[..., 2])) <= {0.0, 1.0}
        assert ((truth[visible][:, :2] >= 0) & (truth[visible][:, :2] < size)).all()


def test_obstacles_hide_keypoints_occasionally() -> None:
    share = [1 - truths(MouseSource(seed=seed, frames=150))[..., 2].mean() for seed in range(20)]
    assert max(share) > 0.02
    assert min(share) == 0
    assert np.mean(share) < 0.15


@pytest.mark.parametrize("seed", [0, 4, 9, 12])
def test_the_mouse_is_drawn_at_its_true_keypoints(seed: int) -> None:
    """A pixel at a visible keypoint differs from the empty arena; a pixel at a hidden keypoint does not."""
    source = MouseSource(seed=seed, frames=900)
    indices = range(0, 900, 15)
    images = np.stack([source.render(index) for index in indices]).astype(np.float32)
    change = np.abs(images - np.median(images, axis=0)).mean(axis=3)  # the median over time is the empty arena
    truth = np.stack([source.truth(index) for index in indices])
    columns, rows = truth[..., 0].astype(int), truth[..., 1].astype(int)
    at_keypoint = change[np.arange(len(images))[:, None], rows, columns]
    visible = truth[..., 2] > 0
    elsewhere = np.percentile(change, 75)
    assert (at_keypoint[visible] > elsewhere + 10).mean() > 0.9
    if (~visible).sum() > 4:  # at the rim of an obstacle, a pixel of the mouse may still be visible
        assert np.median(at_keypoint[~visible]) < elsewhere + 10


def test_left_and_right_are_the_animals_own() -> None:
    """For a mouse seen from above that faces right, left is up: the cross product has the same sign in every frame."""
    source = MouseSource(seed=5, frames=200)
    snout, left, right = (
        truths(source)[:, source.skeleton.index(name), :2] for name in ("snout", "leftear", "rightear")
    )
    forward, across = snout - (left + right) / 2, right - left
    assert (forward[:, 0] * across[:, 1] - forward[:, 1] * across[:, 0] > 0).all()


def test_the_mouse_moves_like_an_animal() -> None:
    source = MouseSource(seed=3, frames=1500)
    points = truths(source)[..., :2]
    centre = points[:, source.skeleton.index("centre")]
    length = np.linalg.norm(
        points[:, source.skeleton.index("snout")] - points[:, source.skeleton.index("tailbase")], axis=1
    ).max()
    steps = np.linalg.norm(np.diff(points, axis=0), axis=2) / length  # body lengths per frame
    walking = np.linalg.norm(np.diff(centre, axis=0), axis=1) / length * source.fps  # body lengths per second
    assert steps.max() < 0.35  # no jumps
    assert np.percentile(walking, 95) > 0.8
    assert walking.min() < 0.1  # it stops, too
    assert (np.ptp(centre, axis=0) > np.asarray(source.frame_size) * 0.4).all()  # and explores the arena


def test_rendering_needs_numpy_only() -> None:
    code = (
        "import sys, dlclive_core; assert not any('demo' in name for name in sys.modules if 'dlclive' in name);"
        "from dlclive_core.demo.source import MouseSource; MouseSource(frames=1).render(0);"
        "print(sorted({'cv2', 'PIL', 'torch', 'onnxruntime', 'scipy', 'av'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
