"""What is drawn on a picture can be seen on every ground, and says what it is."""

from __future__ import annotations

import numpy as np
import pytest
from dlclive_io import drawing as drawing_module
from dlclive_io.captions import contrasting, text_size, write, write_beside, write_caption, write_legend
from dlclive_io.drawing import PoseDrawing

from dlclive_core import ModelCard, Pose, Skeleton

NAMES = ("nose", "ear", "tail")
SKELETON = Skeleton(NAMES)
CARD = ModelCard(net_type="test", skeleton=SKELETON)


def pose(*animals: tuple[tuple[float, float, float], ...]) -> Pose:
    return Pose(np.array(animals, np.float32).reshape(-1, 3, 3), SKELETON)


def drawing(**changes: object) -> PoseDrawing:
    options = {"pcutoff": 0.5, "radius": 5, "colormap": "bmy", "names": False, "skeleton": True, **changes}
    return PoseDrawing(CARD, **options)  # type: ignore[arg-type]


THREE = pose(((60, 60, 0.9), (120, 60, 0.9), (180, 60, 0.2)))


@pytest.mark.parametrize("colormap", ["bmy", "fire", "gray", "rainbow_bgyr_35_85_c73"])
@pytest.mark.parametrize("ground", [0, 40, 128, 215, 255])
def test_a_keypoint_is_seen_on_every_ground(colormap: str, ground: int) -> None:
    """Navy on black and yellow on white are not: the outline is what is seen there."""
    image = np.full((120, 240, 3), ground, np.uint8)
    picture = drawing(colormap=colormap).draw(image, THREE).astype(int)
    for x in (60, 120):
        around = picture[60 - 9 : 60 + 9, x - 9 : x + 9]
        assert np.abs(around - ground).max(axis=2).max() > 90
        assert np.ptp(around.reshape(-1, 3), axis=0).max() > 90


@pytest.mark.parametrize("ground", [0, 255])
def test_text_is_seen_on_every_ground(ground: int) -> None:
    picture = np.full((240, 320, 3), ground, np.uint8)
    write_caption(picture, "frame 12")
    assert np.abs(picture[200:].astype(int) - ground).max() > 150


def test_the_outline_follows_the_letters() -> None:
    """A text and its outline of two strengths part in fonts whose bold letters are wider."""
    text, ground = "0123456789 0123456789 0123456789", 128
    picture = np.full((240, 640, 3), ground, np.uint8)
    write(picture, text, 10, 120)
    changed = np.flatnonzero((picture != ground).any(axis=(0, 2)))
    white = np.flatnonzero((picture > 220).all(axis=2).any(axis=0))
    assert abs(changed[0] - white[0]) <= 4
    assert abs(changed[-1] - white[-1]) <= 4


@pytest.mark.parametrize(("x", "y"), [(-50, 5), (310, 5), (100, -30), (100, 300), (1000, 1000)])
def test_text_at_the_border_is_cut_and_no_error(x: int, y: int) -> None:
    write(np.zeros((240, 320, 3), np.uint8), "a text", x, y)
    write(np.zeros((3, 3, 3), np.uint8), "a text", x, y)


def test_names_of_near_keypoints_do_not_cover_each_other() -> None:
    picture = np.zeros((480, 640, 3), np.uint8)
    taken: list[tuple[int, int, int, int]] = []
    for name, point in (("snout", (300.0, 200.0)), ("leftear", (303.0, 204.0)), ("rightear", (299.0, 207.0))):
        write_beside(picture, name, point, 3, taken)
        assert taken[-1][2] - taken[-1][0] == text_size(picture, name)[0]
    for number, (left, top, right, bottom) in enumerate(taken):
        for other in taken[:number]:
            assert right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top
    edge: list[tuple[int, int, int, int]] = []
    write_beside(picture, "rightear", (630.0, 200.0), 3, edge)
    assert edge[0][2] <= 640


def test_names_are_beside_one_animal_and_not_between_several() -> None:
    image = np.full((240, 320, 3), 90, np.uint8)

    def named(names: bool | None, animals: Pose) -> bool:
        plain = drawing(names=False).draw(image, animals)
        return not np.array_equal(drawing(names=names).draw(image, animals), plain)

    several = pose(((60, 60, 0.9),) * 3, ((160, 60, 0.9),) * 3)
    assert named(None, THREE)
    assert not named(None, several)
    assert named(True, several)


def test_the_caption_has_the_number_of_the_frame_and_of_hidden_keypoints(monkeypatch: pytest.MonkeyPatch) -> None:
    captions: list[str] = []
    monkeypatch.setattr(drawing_module, "write_caption", lambda picture, text: captions.append(text))
    image = np.zeros((240, 320, 3), np.uint8)
    with_legend = drawing(legend=True)
    with_legend.draw(image, THREE, 12)
    with_legend.draw(image, Pose.missing(SKELETON), 13)
    with_legend.draw(image, pose(), 14)
    assert captions == [
        "frame 12, 1 of 3 keypoints below 0.5", "frame 13, 3 of 3 keypoints below 0.5", "frame 14, no animal found",
    ]  # fmt: skip


def test_the_legend_has_every_colour_and_is_left_out_where_it_would_hide_the_animals() -> None:
    colours = [(200, 10, 10), (10, 200, 10), (10, 10, 200)]
    picture = np.full((240, 320, 3), 90, np.uint8)
    write_legend(picture, NAMES, colours)
    for colour in colours:
        assert (picture == colour).all(axis=2).sum() > 8
    small = np.full((60, 80, 3), 90, np.uint8)
    write_legend(small, NAMES * 9, colours * 9)
    assert (small == 90).all()


def test_outlines_contrast() -> None:
    assert contrasting((0, 0, 125)) == (255, 255, 255)
    assert contrasting((255, 240, 60)) == (0, 0, 0)
