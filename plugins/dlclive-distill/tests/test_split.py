"""What is learnt from, and what is held out."""

import pytest
from dlclive_distill.footage.split import JUDGED, choose_stretches, split_video


@pytest.mark.parametrize("count", [150, 1000, 5001])
def test_the_last_fifth_is_held_out_a_second_after_what_is_learnt_from(count: int) -> None:
    trained, held = split_video(count, 30.0, whole=False)
    assert held.stop == count
    assert len(held) == round(count / 5)
    assert trained.start == 0
    assert held.start - trained.stop == 30


def test_a_video_can_be_held_out_as_a_whole() -> None:
    assert split_video(300, 30.0, whole=True) == (range(0), range(300))


def test_a_video_that_is_shorter_than_the_gap_has_nothing_to_learn_from() -> None:
    assert len(split_video(30, 30.0, whole=False)[0]) == 0


def test_few_frames_are_all_judged_on() -> None:
    assert choose_stretches([40, 0, 300]) == [[range(40)], [], [range(300)]]


@pytest.mark.parametrize("lengths", [[5000], [5000, 200], [900] * 3, [400] * 12, [100] * 40, [0, 5000, 0]])
def test_stretches_of_many_frames_are_spread_and_apart(lengths: list[int]) -> None:
    stretches = choose_stretches(lengths)
    assert sum(len(stretch) for each in stretches for stretch in each) <= JUDGED
    for length, each in zip(lengths, stretches, strict=True):
        assert bool(each) == (length > 0)
        places = [place for stretch in each for place in stretch]
        assert len(places) == len(set(places))
        assert all(0 <= place < length for place in places)
        assert all(len(stretch) >= 10 for stretch in each)


def test_a_long_video_is_judged_on_from_its_beginning_to_its_end() -> None:
    (stretches,) = choose_stretches([10_000])
    assert len(stretches) == 7
    assert stretches[0].start == 0
    assert stretches[-1].stop == 10_000
