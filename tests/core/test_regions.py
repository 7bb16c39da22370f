"""Crops, resizes and windows, and the mapping of keypoints back to the frame."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlclive_core import (
    Chain,
    Crop,
    CropTransform,
    FollowingCrop,
    FrameError,
    ModelCard,
    Pose,
    Resize,
    Skeleton,
    UsageError,
)
from dlclive_core.models.outputs import check_size
from dlclive_core.regions import FollowingCropSpec, fit_to_model, predict_through, regions_from_options
from dlclive_core.testing import BlobModel, BlobSource

ONE = Skeleton(("k",))
numbers = st.floats(-500, 500, width=32)
scales = st.floats(0.125, 8, width=32)


def pose_at(*points: tuple[float, float, float]) -> Pose:
    names = Skeleton(tuple(f"k{i}" for i in range(len(points))))
    return Pose(np.asarray([points], np.float32), names)


@given(numbers, numbers, scales, scales, numbers, numbers)
def test_to_inner_undoes_to_outer(x: float, y: float, sx: float, sy: float, px: float, py: float) -> None:
    transform = CropTransform((x, y), (sx, sy))
    point = np.asarray([[px, py, 0.5]], np.float32)
    np.testing.assert_allclose(transform.to_inner(transform.to_outer(point)), point, rtol=1e-4, atol=2e-2)


@given(numbers, numbers, scales, scales)
def test_transforms_compose(x: float, y: float, sx: float, sy: float) -> None:
    inner, outer = CropTransform((x, y), (sx, sy)), CropTransform((3.0, -2.0), (0.5, 2.0))
    point = np.asarray([[10, 20, 1]], np.float32)
    together = inner.within(outer).to_outer(point)
    np.testing.assert_allclose(together, outer.to_outer(inner.to_outer(point)), rtol=1e-5, atol=1e-3)


def test_a_transform_keeps_missing_keypoints_missing() -> None:
    mapped = CropTransform((10, 20), (2, 2)).pose_to_outer(Pose.missing(ONE))
    assert np.isnan(mapped.xy).all()
    assert (mapped.confidence == 0).all()


def test_a_crop_takes_x_first_as_in_deeplabcut() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    image[40:50, 60:90] = 9
    cut, transform = Crop(60, 90, 40, 50).cut(image)
    assert cut.shape == (10, 30, 3)
    assert (cut == 9).all()
    assert transform.to_outer(np.zeros((1, 3), np.float32)).tolist() == [[60, 40, 0]]


@pytest.mark.parametrize("numbers", [(10, 10, 0, 5), (20, 10, 0, 5), (-1, 10, 0, 5), (0, 5.5, 0, 5)])
def test_an_impossible_crop_is_refused_at_once(numbers: tuple[int, int, int, int]) -> None:
    with pytest.raises(UsageError, match="cropping"):
        Crop(*numbers)


def test_a_crop_outside_the_frame_says_how_large_the_frame_is() -> None:
    with pytest.raises(UsageError, match="outside the frame of 200 x 100"):
        Crop(0, 300, 0, 50).cut(np.zeros((100, 200, 3), np.uint8))


def test_resize_uses_the_actual_ratio_of_each_side() -> None:
    cut, transform = Resize(0.3).cut(np.zeros((101, 203, 3), np.uint8))
    assert cut.shape == (30, 60, 3)
    assert transform.scale == (203 / 60, 101 / 30)


@pytest.mark.parametrize("factor", [0, -1, float("nan"), float("inf")])
def test_an_impossible_factor_is_refused(factor: float) -> None:
    with pytest.raises(UsageError, match="resize takes a factor"):
        Resize(factor)
    with pytest.raises(UsageError, match="leaves nothing"):
        Resize(0.001).cut(np.zeros((10, 10, 3), np.uint8))


def test_the_window_follows_confident_keypoints_and_is_dropped_without_any() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    window = FollowingCrop(threshold=0.5, margin=10)
    assert window.cut(image)[0].shape == image.shape
    window.follow(pose_at((50.5, 40.2, 0.9), (70.1, 60.8, 0.8), (190.0, 90.0, 0.2), (np.nan, np.nan, 0.0)))
    cut, transform = window.cut(image)
    assert transform.offset == (40.0, 30.0)  # floor(50.5 - 10), floor(40.2 - 10)
    assert cut.shape == (71 - 30, 81 - 40, 3)  # ceil(60.8 + 10), ceil(70.1 + 10)
    window.follow(pose_at((50.0, 40.0, 0.5)))  # not above the threshold: lost
    assert window.cut(image)[0].shape == image.shape


def test_an_empty_window_becomes_the_whole_image() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    window = FollowingCrop(margin=5)
    window.follow(pose_at((300.0, 50.0, 0.9)))
    assert window.cut(image)[0].shape == image.shape


@given(
    st.sampled_from([(2, "hrnet_w32"), (4, "dlcrnet_ms5"), (8, "resnet_50"), (16, "cspnext_s"), (32, "cspnext_s")]),
    st.sampled_from([(0.0, 0.0), (199.0, 0.0), (0.0, 99.0), (199.9, 99.9), (199.6, 50.0), (100.0, 50.0)]),
    st.sampled_from([0.0, 0.4, 5.0]),
    st.sampled_from([0.4, 0.5, 0.7, 1.0, 1.5]),
    st.sampled_from([1, 32]),
)
def test_a_window_around_one_keypoint_is_as_large_as_the_network_needs(
    network: tuple[int, str], point: tuple[float, float], margin: float, factor: float, align: int
) -> None:
    card = ModelCard(net_type=network[1], skeleton=Skeleton(("nose", "tail")), stride=network[0])
    chain = Chain([FollowingCrop(margin=margin, align=align), Resize(factor)])
    fit_to_model(chain, card)
    image = np.zeros((100, 200, 3), np.uint8)
    chain.cut(image)
    chain.follow(pose_at((*point, 0.9), (np.nan, np.nan, 0.0)))
    cut, transform = chain.cut(image)
    check_size(card, cut.shape[:2])  # raises if it is smaller than the network takes
    left, top = transform.offset
    right, bottom = left + cut.shape[1] * transform.scale[0], top + cut.shape[0] * transform.scale[1]
    assert 0 <= left <= point[0] <= right <= 200
    assert 0 <= top <= point[1] <= bottom <= 100
    if margin:  # without one, a window around a single whole pixel is empty, and the whole image is searched
        assert cut.shape[:2] != (int(100 * factor), int(200 * factor))


def test_a_window_with_room_stays_in_its_place() -> None:
    """Networks see the pixels that they saw before, wherever these are enough."""
    card = ModelCard(net_type="cspnext_s", skeleton=Skeleton(("nose",)), stride=16)
    for margin in (8, 10, 20):
        free, told = FollowingCrop(margin=margin), FollowingCrop(margin=margin)
        fit_to_model(Chain([told]), card)
        for window in (free, told):
            window.follow(pose_at((50.0, 40.0, 0.9)))
        ours, theirs = told.cut(np.zeros((100, 200), np.uint8)), free.cut(np.zeros((100, 200), np.uint8))
        assert (ours[0].shape, ours[1]) == (theirs[0].shape, theirs[1])


def test_a_window_in_too_small_an_image_is_all_of_it() -> None:
    card = ModelCard(net_type="cspnext_s", skeleton=Skeleton(("nose",)), stride=16)
    window = FollowingCrop(margin=1)
    fit_to_model(Chain([window]), card)
    window.follow(pose_at((5.0, 5.0, 0.9)))
    cut, _ = window.cut(np.zeros((12, 200), np.uint8))
    assert cut.shape == (12, 16)
    with pytest.raises(FrameError, match="16 x 12 pixels, smaller than the 16 x 16 that cspnext_s needs"):
        check_size(card, cut.shape)


def test_a_constant_window_that_the_network_cannot_take_is_refused_before_the_run() -> None:
    card = ModelCard(net_type="cspnext_s", skeleton=Skeleton(("nose",)), stride=16)
    fit_to_model(Chain([FollowingCrop(window=(32, 40), rotates=True), Resize(0.5)]), card)
    with pytest.raises(UsageError, match=r"^a window of 64 x 30 pixels is smaller than the model takes"):
        fit_to_model(Chain([FollowingCrop(window=(64, 30)), Resize(0.5)]), card)


@given(st.floats(-50, 260), st.floats(-50, 160))
def test_a_fixed_window_never_changes_its_size(x: float, y: float) -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    window = FollowingCrop(window=(64, 48))
    window.follow(pose_at((x, y, 0.9)))
    cut, transform = window.cut(image)
    assert cut.shape == (48, 64, 3)
    assert 0 <= transform.offset[0] <= 200 - 64
    assert 0 <= transform.offset[1] <= 100 - 48


@pytest.mark.parametrize("margin", [5.5, 10])
def test_a_margin_may_be_a_fraction(margin: float) -> None:
    window = FollowingCrop(margin=margin)
    window.follow(pose_at((50.0, 40.0, 0.9)))
    assert window.cut(np.zeros((100, 200, 3), np.uint8))[0].shape[0] in (11, 12, 20)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"cropping": (10, 152, 4, 118)},
        {"resize": 0.75},
        {"dynamic": (0.5, 12)},
        {"cropping": (10, 152, 4, 118), "dynamic": (0.5, 12)},
        {"cropping": (10, 152, 4, 118), "dynamic": (0.5, 12), "resize": 1.5},
    ],
)
def test_keypoints_are_in_pixels_of_the_full_frame_whatever_is_cut(options: dict) -> None:
    """End to end: a model finds the discs in the cut image, frame after frame, and the true positions are known."""
    source, model, region = BlobSource(frames=30), BlobModel(), regions_from_options(**options)
    shapes = set()
    for index in range(30):
        image, transform = region.cut(source.draw(index))
        pose = transform.pose_to_outer(model.predict(image))
        region.follow(pose)
        shapes.add(image.shape)
        assert np.abs(pose.single() - source.truth(index)).max() < 0.75, f"frame {index}"
    assert (len(shapes) > 1) == ("dynamic" in options)


def test_the_window_moves_inside_the_static_crop() -> None:
    """Upstream applied a full-frame window inside the cropped image: it was 100 px away from the animal."""
    chain = Chain([Crop(100, 200, 100, 200), FollowingCrop(margin=10)])
    image = np.zeros((240, 320, 3), np.uint8)
    chain.cut(image)
    chain.follow(pose_at((150.0, 140.0, 0.9)))  # full-frame pixels
    _, transform = chain.cut(image)
    assert transform.offset == (140.0, 130.0)


def follow_a_jump(at_once: bool) -> tuple[list[tuple[int, int]], list[Pose], FollowingCrop]:
    """The shapes that a model sees in six frames, and its poses; the animal jumps out of its window in the fourth."""
    region, shapes = FollowingCrop(0.5, 5, (40, 40), at_once=at_once), []
    model, poses = BlobModel(1), []

    def predict(view: np.ndarray) -> Pose:
        shapes.append(view.shape[:2])
        return model.predict(view)

    for x in (30, 30, 30, 130, 130, 130):
        image = np.zeros((120, 160, 3), np.uint8)
        image[56:64, x - 4 : x + 4] = (255, 255, 40)
        poses.append(predict_through(region, image, predict))
    return shapes, poses, region


def test_a_lost_animal_is_searched_for_in_the_next_frame() -> None:
    shapes, poses, _ = follow_a_jump(at_once=False)
    assert shapes == [(120, 160), (40, 40), (40, 40), (40, 40), (120, 160), (40, 40)]
    assert [pose.confidence[0, 0] for pose in poses] == [1, 1, 1, 0, 1, 1]


def test_at_once_searches_the_whole_of_the_same_frame() -> None:
    shapes, poses, region = follow_a_jump(at_once=True)
    assert shapes == [(120, 160), (40, 40), (40, 40), (40, 40), (120, 160), (40, 40), (40, 40)]
    assert [pose.keypoints[0, 0, 0] for pose in poses] == [30, 30, 30, 130, 130, 130]
    assert region.is_following


def test_an_animal_that_is_gone_costs_one_search_per_frame() -> None:
    region = Chain([Crop(0, 100, 0, 100), FollowingCrop(0.5, 5, (40, 40), at_once=True)])
    calls = []

    def predict(view: np.ndarray) -> Pose:
        calls.append(view.shape[:2])
        return pose_at((20, 20, float(len(calls) == 1)))

    for _ in range(3):
        predict_through(region, np.zeros((100, 100, 3), np.uint8), predict)
    assert calls == [(100, 100), (40, 40), (100, 100), (100, 100)]


def test_a_following_crop_spec_builds_its_region() -> None:
    spec = FollowingCropSpec(threshold=0.6, margin=7, window=(64, 48), at_once=True, align=32, rotates=True)
    region = spec.region()
    assert (region.threshold, region.margin, region.window) == (0.6, 7, (64, 48))
    assert (region.at_once, region.align, region.rotates) == (True, 32, True)
    assert spec.label == "following 64x48 or 48x64"


def test_an_aligned_window_starts_on_the_grid_except_at_the_far_edge() -> None:
    image = np.zeros((100, 150, 3), np.uint8)
    for x, first in ((50, 32), (55, 32), (70, 64), (148, 150 - 40), (3, 0)):
        region = FollowingCrop(0.5, 0, (40, 40), align=32)
        region.follow(pose_at((x, 50, 1.0)))
        view, transform = region.cut(image)
        assert view.shape[:2] == (40, 40)
        assert transform.offset == (first, 32)
    with pytest.raises(UsageError, match="align must be 1 pixel or more"):
        FollowingCrop(align=0)


@pytest.mark.parametrize(("other", "shape"), [((90.0, 60.0), (40, 60, 3)), ((60.0, 90.0), (60, 40, 3))])
@pytest.mark.parametrize("window", [(60, 40), (40, 60)])
def test_a_window_may_rotate_with_the_animal(window: tuple[int, int], other: tuple[float, float], shape) -> None:
    region = FollowingCrop(window=window, rotates=True)
    region.follow(pose_at((50.0, 50.0, 0.9), (*other, 0.9)))
    view, transform = region.cut(np.zeros((120, 160, 3), np.uint8))
    assert view.shape == shape
    centre = np.array(transform.offset) + np.array((shape[1], shape[0])) / 2
    assert np.abs(centre - (np.array((50.0, 50.0)) + other) / 2).max() <= 0.5


def test_only_a_window_of_constant_size_rotates() -> None:
    with pytest.raises(UsageError, match="constant size"):
        FollowingCrop(rotates=True)


def test_the_shapes_of_views_are_known_in_advance() -> None:
    size = (120, 160)
    assert Chain([]).views(size) == [size]
    assert Chain([Crop(10, 60, 0, 100), Resize(0.5)]).views(size) == [(50, 25)]
    assert FollowingCrop().views(size) == [size]
    assert FollowingCrop(window=(64, 48)).views(size) == [size, (48, 64)]
    assert FollowingCrop(window=(64, 48), rotates=True).views(size) == [size, (48, 64), (64, 48)]
    assert FollowingCrop(window=(500, 48), rotates=True).views(size) == [size, (48, 160), (120, 48)]
    assert Chain([FollowingCrop(window=(64, 48)), Resize(0.5)]).views(size) == [(60, 80), (24, 32)]
