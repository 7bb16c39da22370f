"""Frames are chosen that differ, and not every n-th."""

import numpy as np
from dlclive_distill.footage.variety import clusters, pose_features, principal, spread_over


def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def test_a_rare_kind_of_frame_is_chosen_as_often_as_a_common_one() -> None:
    labels = np.zeros(1000, np.int64)
    labels[500:520] = 1
    chosen = spread_over(labels, 40, rng())
    assert len(chosen) == len(set(chosen)) == 40
    assert (labels[chosen] == 1).sum() == 20


def test_a_small_cluster_gives_all_and_a_large_one_the_rest_evenly_in_time() -> None:
    labels = np.zeros(1000, np.int64)
    labels[:3] = 1
    chosen = spread_over(labels, 103, rng())
    assert chosen[:3].tolist() == [0, 1, 2]
    steps = np.diff(chosen[3:])
    assert steps.min() >= 9
    assert steps.max() <= 11


def test_all_are_chosen_if_there_are_no_more() -> None:
    assert spread_over(np.array([0, 1, 1, 2]), 10, rng()).tolist() == [0, 1, 2, 3]


def test_clusters_tell_groups_apart_and_a_seed_gives_the_same_ones() -> None:
    groups = np.repeat(np.array([[0.0, 0], [10, 0], [0, 10]], np.float32), 30, axis=0)
    points = groups + np.random.default_rng(1).normal(0, 0.1, groups.shape).astype(np.float32)
    labels = clusters(points, 3, rng())
    assert [len(set(labels[at : at + 30])) for at in (0, 30, 60)] == [1, 1, 1]
    assert len(set(labels)) == 3
    assert clusters(points, 3, rng()).tolist() == labels.tolist()


def test_equal_frames_are_one_cluster() -> None:
    features = principal(np.full((50, 12), 7, np.float32), rng())
    assert set(clusters(features, 8, rng()).tolist()) == {0}


def test_components_keep_the_distances_of_what_varies() -> None:
    base = np.random.default_rng(2).normal(size=(1, 100)).astype(np.float32)
    along = np.linspace(-1, 1, 60, dtype=np.float32)[:, None]
    found = principal(5 + along * base, rng())
    assert np.allclose(np.abs(np.diff(found[:, 0])), np.abs(np.diff(found[:, 0])).mean(), rtol=1e-3)
    assert np.abs(found[:, 1:]).max() < 1e-3


def test_poses_that_differ_only_in_place_share_their_shape() -> None:
    pose = np.array([[10, 10, 0.9], [20, 10, 0.9], [15, 30, 0.2]], np.float32)
    moved = pose + np.array([50, 20, 0], np.float32)
    turned = pose[:, [1, 0, 2]]
    features = pose_features(np.stack([pose, moved, turned])[:, None], (160, 120))
    assert np.allclose(features[0, :6], features[1, :6], atol=1e-6)
    assert not np.allclose(features[0, :6], features[2, :6], atol=0.1)
    assert not np.allclose(features[0, 6:8], features[1, 6:8], atol=0.1)


def test_a_keypoint_that_is_not_sure_does_not_move_a_pose() -> None:
    pose = np.array([[10, 10, 0.9], [20, 10, 0.9], [15, 30, 0.2]], np.float32)
    other = pose.copy()
    other[2, :2] = 140, 2
    features = pose_features(np.stack([pose, other, pose + 1])[:, None], (160, 120))
    assert np.array_equal(features[0], features[1])


def test_the_order_of_several_animals_makes_no_difference_and_their_places_do() -> None:
    left = np.array([[10, 10, 0.9], [20, 10, 0.9], [15, 30, 0.9]], np.float32)
    right, nobody = left + np.array([50, 0, 0], np.float32), np.full((3, 3), np.nan, np.float32)
    nobody[:, 2] = 0
    frames = [[left, right], [right, left], [left, right + 5], [nobody, left], [left, nobody]]
    features = pose_features(np.array(frames), (160, 120))
    assert np.isfinite(features).all()
    assert np.array_equal(features[0], features[1])
    assert np.array_equal(features[3], features[4])
    assert not np.allclose(features[0], features[2], atol=0.05)
    assert not np.allclose(features[0], features[3], atol=0.05)
