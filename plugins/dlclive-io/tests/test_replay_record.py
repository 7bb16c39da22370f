"""The replay record: every bit of a run comes back, also from a file that ends early or is damaged."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dlclive_io import RecordFile, ReplayRecord, recover
from dlclive_io.replay.record_format import MAGIC

from dlclive_core import (
    DataError,
    Estimate,
    Frame,
    ModelCard,
    OutputExistsError,
    Pose,
    RecordedFrame,
    RunInfo,
    Sink,
    Skeleton,
    StudentFacts,
    pose_digest,
)
from dlclive_core.testing import SinkContract, run_info

SKELETON = Skeleton(("snout", "tail"))
CARD = ModelCard(net_type="resnet_50", skeleton=SKELETON, individuals=("a", "b"), multi_animal=True)
FACTS = StudentFacts(
    teacher="t.pt", teacher_sha256="0" * 64, videos=(), student="window-128", frames=1, steps=1, seed=0,
    median_px=1, p95_px=1, p99_px=1, lost=0, hallucinated=0,
)  # fmt: skip
RUN = replace(run_info(CARD, is_live=True, fps=1 / 3), source="cam ü", name="left", started_clock=1e6 + 1 / 3)


class TestReplayRecord(SinkContract):
    @pytest.fixture
    def sink(self, tmp_path: Path) -> Sink:
        return ReplayRecord(tmp_path / "poses.replay")


def random_estimates(count: int, seed: int = 0) -> list[Estimate]:
    """Frames with any bits: NaN with payloads, infinities, -0.0; with and without names, boxes, unique keypoints, times."""
    random = np.random.default_rng(seed)

    def bits(*shape: int) -> np.ndarray:
        return random.integers(0, 2**32, shape, np.uint32).view(np.float32)

    found = []
    for number in range(count):
        individuals = int(random.integers(0, 5))
        pose = Pose(
            bits(individuals, 2, 3),
            SKELETON,
            ids=tuple(f"ratte {k % 2} \u00fc" for k in range(individuals)) if number % 2 else None,
            unique=bits(int(random.integers(0, 3)), 3) if number % 3 else None,
            boxes=bits(individuals, 5) if number % 5 else None,
        )
        image = np.zeros((5, 7, 3) if number % 2 else (5, 7), np.uint8)
        device = None if number % 4 == 0 else float(random.normal() * 1e9)
        frame = Frame(image, number * 3, RUN.started_clock + number / 7, device, RUN.source)
        moved = Pose(bits(individuals, 2, 3), SKELETON, ids=pose.ids) if number % 7 else None
        after, before = (pose, None) if moved is None else (moved, pose)
        found.append(Estimate(frame, after, 0.0, frame.captured_at + 1 / 9, 0.0, before))
    return found


def written(path: Path, estimates: list[Estimate], *, finishes: bool = True, run: RunInfo = RUN) -> Path:
    sink = ReplayRecord(path)
    with sink:
        sink.open(run)
        for estimate in estimates:
            sink.write(estimate)
        if finishes:
            sink.finish()
    (output,) = sink.outputs
    return output


def model_pose(estimate: Estimate) -> Pose:
    return estimate.pose if estimate.model_pose is None else estimate.model_pose


def assert_same(recorded: RecordedFrame, estimate: Estimate) -> None:
    pose, original = recorded.pose, model_pose(estimate)
    for one, other in (
        (pose.keypoints, original.keypoints),
        (pose.unique, original.unique),
        (pose.boxes, original.boxes),
    ):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert one.dtype == np.float32
            assert (one.shape, one.tobytes()) == (other.shape, other.tobytes())
    frame = recorded.frame
    assert pose.ids == original.ids
    assert pose.skeleton.keypoints == SKELETON.keypoints
    times = (frame.index, frame.captured_at, frame.device_time, recorded.posed_at)
    assert times == (
        estimate.frame.index, estimate.frame.captured_at, estimate.frame.device_time, estimate.inference_ended
    )  # fmt: skip
    assert frame.image.shape == estimate.frame.image.shape
    assert not frame.image.flags.writeable
    assert recorded.digest == pose_digest(estimate.pose)


def test_how_unlike_a_students_training_each_frame_is_comes_back(tmp_path: Path) -> None:
    run = replace(RUN, card=CARD.with_(student=FACTS))
    originals = []
    for number, estimate in enumerate(random_estimates(60)):
        unlike = (1 / 3 + number, np.inf, None)[number % 3]
        pose = replace(model_pose(estimate), unlike=unlike)
        originals.append(replace(estimate, pose=pose, model_pose=None))
    record = RecordFile(written(tmp_path / "a.replay", originals, run=run))
    recorded = list(record.frames())
    assert [frame.pose.unlike for frame in recorded] == [estimate.pose.unlike for estimate in originals]
    for frame, estimate in zip(recorded, originals, strict=True):
        assert_same(frame, estimate)
    assert record.damage == ""
    assert record.run.card.student == FACTS


@pytest.mark.parametrize(("is_student", "version"), [(False, b'"version": 1'), (True, b'"version": 2')])
def test_only_a_students_record_needs_a_newer_reader(tmp_path: Path, is_student: bool, version: bytes) -> None:
    run = replace(RUN, card=CARD.with_(student=FACTS if is_student else None))
    assert version in written(tmp_path / "a.replay", random_estimates(1), run=run).read_bytes()


def test_every_bit_comes_back(tmp_path: Path) -> None:
    estimates = random_estimates(300)
    record = RecordFile(written(tmp_path / "a.replay", estimates))
    for _ in range(2):  # each call begins anew
        recorded = list(record.frames())
        assert len(recorded) == len(estimates)
        for one, estimate in zip(recorded, estimates, strict=True):
            assert_same(one, estimate)
    assert record.damage == ""
    assert record.inexact == ()
    assert replace(record.run, clock=RUN.clock) == RUN


def test_a_file_cut_anywhere_gives_its_whole_frames(tmp_path: Path) -> None:
    estimates = random_estimates(6, seed=1)
    content = written(tmp_path / "a.replay", estimates).read_bytes()
    cut = tmp_path / "cut.replay"
    counts = set()
    for length in range(len(content)):
        cut.write_bytes(content[:length])
        try:
            record = RecordFile(cut)
        except DataError:
            assert length < 1000  # in the header
            continue
        recorded = list(record.frames())
        for one, estimate in zip(recorded, estimates, strict=False):
            assert_same(one, estimate)
        counts.add(len(recorded))
        assert bool(record.torn) == (record.damage != "")
        assert not record.lost
    assert counts == {0, 1, 2, 3, 4, 5}


def test_a_damaged_frame_is_left_out_and_said(tmp_path: Path) -> None:
    estimates = random_estimates(50, seed=2)
    path = written(tmp_path / "a.replay", estimates)
    content = bytearray(path.read_bytes())
    content[-5] ^= 1  # in the last frame
    path.write_bytes(content)
    record = RecordFile(path)
    assert len(list(record.frames())) == 49
    assert record.damage == "a.replay: 1 damaged frames are left out"


@pytest.mark.parametrize("seed", range(30))
def test_random_damage_raises_nothing_but_ours(tmp_path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    estimates = random_estimates(20, seed=3)
    path = written(tmp_path / "a.replay", estimates)
    content = bytearray(path.read_bytes())
    for at in random.integers(0, len(content), 4):
        content[at] = random.integers(0, 256)
    path.write_bytes(content)
    whole = {estimate.frame.index for estimate in estimates}
    try:
        recorded = list(RecordFile(path).frames())
    except DataError:
        return
    assert {one.frame.index for one in recorded} <= whole


def test_a_strangers_numbers_take_no_memory(tmp_path: Path) -> None:
    """A frame that declares four thousand million individuals, with a right checksum."""
    from dlclive_io.replay.record_format import block, write_frame

    path = written(tmp_path / "a.replay", random_estimates(2))
    frame = bytearray(write_frame(random_estimates(1)[0]))
    struct.pack_into("<3I", frame, 42, 2**32 - 1, 2**32 - 1, 2**32 - 1)
    with path.open("ab") as file:
        file.write(block(bytes(frame)))
        file.write(struct.pack("<2I", 2**31, 0) + b"rest")
    record = RecordFile(path)
    assert len(list(record.frames())) == 2
    assert "1 damaged" in record.damage


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a replay record"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "is not a replay record"),
        (MAGIC, "header .* is damaged"),
        (MAGIC + struct.pack("<2I", 2**31, 0), "header .* is damaged"),
        (MAGIC + struct.pack("<2I", 2, 0) + b"{}", "header .* is damaged"),
        (MAGIC + struct.pack("<2I", 2, 2745614147) + b"{}", "header of .* cannot be read: KeyError"),
    ],
)
def test_what_is_no_record_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.replay"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        RecordFile(path)


def test_a_killed_run_is_recovered(tmp_path: Path) -> None:
    estimates = random_estimates(9)
    part = written(tmp_path / "a.replay", estimates, finishes=False)
    assert part.name == "a.replay.part"
    whole = part.read_bytes()
    part.write_bytes(whole[:-3])
    report = recover(tmp_path)
    assert [(file.path.name, file.kind, file.rows) for file in report.files] == [("a.replay", "replay", 8)]
    assert "incomplete last frame was removed" in report.files[0].note
    record = RecordFile(tmp_path / "a.replay")
    assert len(list(record.frames())) == 8
    assert record.damage == ""
    assert whole.startswith((tmp_path / "a.replay").read_bytes())


def frame_places(content: bytes, count: int) -> list[int]:
    """Where the blocks of the frames begin, by their own lengths; the last one is the end."""
    at = len(MAGIC)
    places = []
    for _ in range(count + 1):
        at += 8 + struct.unpack_from("<I", content, at)[0]
        places.append(at)
    return places


@pytest.mark.parametrize("length", [0, 1, 200, 900, 2**12, 2**31])
@pytest.mark.parametrize("damaged", [0, 3, 195, 198, 199])
def test_a_wrong_length_costs_no_frame(tmp_path: Path, damaged: int, length: int) -> None:
    """In the middle and at the end, whether it points into the file or behind it: nothing is cut off, everything is read."""
    estimates = random_estimates(200)
    part = written(tmp_path / "a.replay", estimates, finishes=False)
    content = bytearray(part.read_bytes())
    struct.pack_into("<I", content, frame_places(bytes(content), 200)[damaged], length)
    part.write_bytes(content)
    report = recover(tmp_path)
    assert report.files[0].rows == 200
    assert "the length of 1 frames was damaged, and they are whole" in report.files[0].note
    assert (tmp_path / "a.replay").read_bytes() == bytes(content)
    for one, estimate in zip(RecordFile(tmp_path / "a.replay").frames(), estimates, strict=True):
        assert_same(one, estimate)


@pytest.mark.parametrize("damaged", [3, 197, 198])
def test_a_frame_of_wrong_length_and_content_is_left_out_alone(tmp_path: Path, damaged: int) -> None:
    part = written(tmp_path / "a.replay", random_estimates(200), finishes=False)
    content = bytearray(part.read_bytes())
    at = frame_places(bytes(content), 200)[damaged]
    struct.pack_into("<I", content, at, 2**31)
    content[at + 20] ^= 1
    part.write_bytes(content)
    report = recover(tmp_path)
    assert report.files[0].rows == 199
    assert "1 damaged frames are left out" in report.files[0].note
    assert (tmp_path / "a.replay").read_bytes() == bytes(content)


def test_a_damaged_frame_before_a_torn_one(tmp_path: Path) -> None:
    part = written(tmp_path / "a.replay", random_estimates(50), finishes=False)
    content = bytearray(part.read_bytes())
    places = frame_places(bytes(content), 50)
    content[places[48] + 20] ^= 1
    part.write_bytes(content[:-3])
    report = recover(tmp_path)
    assert report.files[0].rows == 48
    assert (tmp_path / "a.replay").read_bytes() == bytes(content[: places[49]])
    record = RecordFile(tmp_path / "a.replay")
    assert len(list(record.frames())) == 48
    assert record.damage == "a.replay: 1 damaged frames are left out"


def test_a_file_that_pretends_a_block_at_every_byte_is_read_in_bounded_time(tmp_path: Path) -> None:
    part = written(tmp_path / "a.replay", random_estimates(3), finishes=False)
    with part.open("ab") as file:
        file.write(struct.pack("<2I", 2**31, 0) + struct.pack("<I", 0x01010101 & 0x07FF) * 500_000)
    record = RecordFile(part)
    assert len(list(record.frames())) == 3
    assert record.lost == 8 + 2_000_000


def test_recovery_removes_nothing_behind_a_damaged_place(tmp_path: Path) -> None:
    """More than a search looks through: nothing behind it is found, and nothing is removed."""
    part = written(tmp_path / "a.replay", random_estimates(200), finishes=False)
    content = bytearray(part.read_bytes())
    middle = content.index(struct.pack("<q", 40 * 3), 2000) - 8  # the length of a frame
    content[middle : middle + 12] = struct.pack("<I", 2**31) + bytes(8)
    content[middle + 12 : middle + 12] = bytes(300_000)
    part.write_bytes(content)
    report = recover(tmp_path)
    assert report.files[0].rows == 40
    assert "cannot be read" in report.files[0].note
    assert (tmp_path / "a.replay").read_bytes() == bytes(content)


def test_a_taken_name_is_numbered_or_refused(tmp_path: Path) -> None:
    written(tmp_path / "a.replay", random_estimates(1))
    with pytest.raises(OutputExistsError):
        ReplayRecord(tmp_path / "a.replay").open(RUN)
    with ReplayRecord(tmp_path / "a.replay", numbered=True) as unfinished:
        unfinished.open(RUN)
        with ReplayRecord(tmp_path / "a.replay", numbered=True) as sink:
            sink.open(RUN)
            sink.finish()
        assert sorted(path.name for path in tmp_path.iterdir()) == [
            "a-2.replay.part", "a-2.replay.part.lock", "a-3.replay", "a.replay",
        ]  # fmt: skip
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-3.replay", "a.replay"], (
        "one without a frame is removed"
    )
