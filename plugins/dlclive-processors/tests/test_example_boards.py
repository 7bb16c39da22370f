"""The lights of DeepLabCut-live's examples, and what all its example boards share, against boards on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlclive_processors import JumpLed, LickLed, TeensyLaser

from dlclive_core import (
    ArrayProcessor,
    DataError,
    Frame,
    ModelCard,
    OutputError,
    OutputExistsError,
    Pose,
    Processor,
    RunInfo,
    Skeleton,
    UsageError,
)
from dlclive_core.testing import ProcessorContract

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")


StartBoard = Callable[[Callable[[bytes], bytes]], Any]
MakeRun = Callable[..., RunInfo]


class JumpSketch:
    """L: toggle; R: report the state."""

    def __init__(self) -> None:
        self.on = False

    def __call__(self, data: bytes) -> bytes:
        answer = b""
        for byte in data:
            if byte == ord("L"):
                self.on = not self.on
            elif byte == ord("R"):
                answer += bytes([self.on])
        return answer


def pose_of(*points: tuple[float, float, float], count: int = 14) -> np.ndarray:
    """(K, 3): the given points first, the others missing."""
    pose = np.zeros((count, 3), np.float32)
    pose[: len(points)] = points
    return pose


def run_with(*names: str) -> RunInfo:
    from datetime import datetime, timezone

    return RunInfo(
        card=ModelCard(net_type="test", skeleton=Skeleton(names)),
        source="test",
        is_live=True,
        frame_size=None,
        fps=None,
        frame_count=None,
        started_at=datetime.now(timezone.utc),
        started_clock=time.perf_counter(),
    )


IN, OUT, UNSURE, MISSING = (50, 50, 0.9), (150, 50, 0.9), (50, 50, 0.3), (0, 0, 0)


# ---- the light for licks


def test_a_lick_is_sent_and_its_answer_timed(start_board: StartBoard, tmp_path: Path) -> None:
    board = start_board(lambda data: data)
    out = tmp_path / "licks.npz"
    led = LickLed(board.port, timeout=1, save=out)
    assert led.outputs == (out,)
    led.open()
    tongue = [MISSING] * 6
    for number, (likelihood, record) in enumerate([(0.9, False), (0.9, True), (0.5, True), (0.8, True)]):
        led.process(pose_of(*tongue, (3, 4, likelihood)), frame_time=float(number), record=record)
    led.process(pose_of(*tongue, (3, 4, 0.9)))  # without `record`
    board.wait(b"II")
    assert led.lick_frame_time == [1.0, 3.0]
    assert led.statistics["licks"] == 2
    assert led.statistics["unanswered"] == 0
    assert led.statistics["answer_median"] >= 0
    led.close()
    with np.load(out) as saved:
        assert sorted(saved) == ["in_time", "lick_frame_time", "out_time"]
        np.testing.assert_array_equal(saved["lick_frame_time"], [1, 3])
        assert (saved["in_time"] >= saved["out_time"]).all()


def test_a_board_that_does_not_answer_is_not_waited_for_for_ever(
    start_board: StartBoard, caplog: pytest.LogCaptureFixture
) -> None:
    board = start_board(lambda data: b"")
    led = LickLed(board.port, keypoint="tongue", timeout=0.01)
    led.open(run_with("tongue"))
    for _ in range(2):
        led.process(pose_of(IN, count=1), frame_time=1.0, record=True)
    assert np.isnan(led.in_time).all()
    assert led.statistics["unanswered"] == 2
    assert f"no answer from the board on {board.port} within 0.01 s" in caplog.text
    with pytest.raises(OutputError, match=r"no answer from the board on .*; is it the right port"):
        led.process(pose_of(IN, count=1), frame_time=1.0, record=True)
    assert len(led.lick_frame_time) == len(led.out_time) == len(led.in_time) == 3
    led.close()


# ---- the light for jumps


def jumping(elbows: tuple[float, float], withers: float, likelihood: float = 0.9) -> np.ndarray:
    pose = np.zeros((14, 3), np.float32)
    pose[[6, 12, 13]] = [(9, withers, 0.9), (9, elbows[0], likelihood), (9, elbows[1], 0.9)]
    return pose


def test_the_light_follows_the_elbow(start_board: StartBoard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dlclive_processors.deeplabcut_live import jump_led

    monkeypatch.setattr(jump_led, "_REST", 0.0)
    sketch = JumpSketch()
    board = start_board(sketch)
    led = JumpLed(board.port, timeout=1)
    led.open()
    states = []
    for number, pose in enumerate(
        [
            jumping((60, 70), 50),
            jumping((40, 70), 50),
            jumping((60, 45), 50),
            jumping((60, 70), 50),
            jumping((40, 70), 50, 0.4),
        ]
    ):  # y points down: an elbow at 40 is above withers at 50
        led.process(pose, frame_time=float(number), record=True)
        states.append(led._is_on)
    led.process(jumping((40, 70), 50), frame_time=9.0, record=False)
    board.wait(b"R" + b"RL" + b"R" + b"RL" + b"R")
    assert states == [False, True, True, False, False]
    assert [row[:2] for row in led.led_times] == [(1.0, 1.0), (0.0, 3.0)]
    led.process(jumping((40, 70), 50), frame_time=10.0, record=True)
    assert led.save(str(tmp_path / "jump.npy"))
    led.close()
    board.wait(b"R" + b"RL" + b"R" + b"RL" + b"R" + b"RL" + b"L")
    assert not sketch.on
    saved = np.load(tmp_path / "jump.npy", allow_pickle=False)
    assert saved.shape == (3, 3)
    np.testing.assert_array_equal(saved[:, :2], [(1, 1), (0, 3), (1, 10)])


def test_the_light_rests_between_two_switches(start_board: StartBoard) -> None:
    led = JumpLed()  # without a board
    led.open()
    led.process(jumping((40, 70), 50), frame_time=0.0, record=True)
    led.process(jumping((60, 70), 50), frame_time=0.01, record=True)  # within 0.25 s, unless this machine stood still
    assert len(led.led_times) == 1 or led.led_times[1][2] - led.led_times[0][2] > 0.2
    led._switched_at -= 1
    led.process(jumping((60, 70), 50), frame_time=1.0, record=True)
    assert [row[0] for row in led.led_times][-2:] == [1.0, 0.0]
    led.close()


def test_the_light_is_not_toggled_while_its_state_is_unknown(start_board: StartBoard) -> None:
    board = start_board(lambda data: b"")
    led = JumpLed(board.port, timeout=0.01)
    led.open()
    led.process(jumping((40, 70), 50), frame_time=0.0, record=True)
    board.wait(b"R")
    assert led.led_times == []
    led.close()
    assert board.received == b"R"


def test_elbows_and_withers_have_names(make_run: MakeRun) -> None:
    led = JumpLed(elbows=["left_ear", "right_ear"], withers="tail_base")
    led.check(make_run().card)
    with pytest.raises(
        UsageError, match=r"the model has 4 keypoints, and elbows\[0\] is number 12.*name it: elbows=\.\.\."
    ):
        JumpLed().check(make_run().card)


# ---- all of them


@pytest.mark.parametrize("kind", [TeensyLaser, LickLed, JumpLed])
def test_a_port_that_cannot_be_opened_or_is_gone_is_one_line(kind: type, start_board: StartBoard) -> None:
    with pytest.raises(OutputError, match=r"^port /dev/no_such_port cannot be opened: .*; choose a port") as raised:
        kind("/dev/no_such_port").open()
    assert "\n" not in str(raised.value)
    board = start_board(JumpSketch())
    processor = kind(board.port)
    processor.open()
    board.unplug()
    with pytest.raises(OutputError, match="does not respond any more"):
        for _ in range(5):
            processor.process(pose_of(*[IN] * 14), frame_time=0.0, record=True)
    processor.close()


@pytest.mark.parametrize("kind", [TeensyLaser, LickLed, JumpLed])
def test_the_file_of_times_never_replaces_another(kind: type, start_board: StartBoard, tmp_path: Path) -> None:
    out = tmp_path / "times"
    out.write_text("mine")
    board = start_board(JumpSketch())
    with pytest.raises(OutputExistsError, match="times already exists"):
        kind(board.port, save=out).open()
    with kind(board.port, save=out, overwrite=True) as processor:
        processor.open()
    assert out.read_bytes() != b"mine"
    with pytest.raises(DataError, match="there is no folder"):
        kind(board.port, save=tmp_path / "none" / "out").open()
    assert not kind(board.port).save("") > 0
    assert not kind(board.port).save(str(tmp_path / "none" / "out")) > 0


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (TeensyLaser, {"com": ""}, "com is empty"),
        (LickLed, {"com": ""}, "com is empty"),
        (TeensyLaser, {"pulse_freq": 0}, "pulse_freq is 0; give a number at least 1 and at most 65535"),
        (TeensyLaser, {"pulse_width": 2.5}, "pulse_width is 2.5; give a whole number"),
        (TeensyLaser, {"max_stim_dur": 70_000}, "max_stim_dur is 70000"),
        (TeensyLaser, {"pulse_freq": 300, "pulse_width": 5}, "pulses of 5 ms overlap at 300 per second"),
        (TeensyLaser, {"box": [0, 0, 100]}, "box is [0, 0, 100]; give x1, y1, x2, y2"),
        (TeensyLaser, {"box": [100, 0, 0, 100]}, "with x1 < x2"),
        (LickLed, {"lik_thresh": 2}, "lik_thresh is 2; give a number at least 0 and at most 1"),
        (LickLed, {"timeout": 0}, "timeout is 0"),
        (JumpLed, {"elbows": ["left"]}, "elbows is ['left']; give two names"),
        (JumpLed, {"baudrate": 3}, "baudrate is 3; give a number at least 300"),
    ],
)
def test_invalid_options_are_refused(kind: type, options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as raised:
        kind(**{"com": "COM3", **options})
    assert message in str(raised.value)


def test_before_open_and_without_a_run_they_say_what_is_missing() -> None:
    with pytest.raises(UsageError, match="JumpLed is not open; call open"):
        JumpLed().process(pose_of(IN))
    with pytest.raises(UsageError, match="keypoint is 'snout'; without a run, keypoints have no names"):
        TeensyLaser("COM3", keypoint="snout").open()


def test_random_poses_raise_nothing(start_board: StartBoard) -> None:
    board = start_board(lambda data: b"")
    random = np.random.default_rng(3)
    special = np.asarray([np.nan, np.inf, -np.inf, 0], np.float32)
    skeleton = Skeleton(tuple(f"k{number}" for number in range(14)))
    adapters = [ArrayProcessor(processor) for processor in (TeensyLaser(board.port), JumpLed())]
    for adapter in adapters:
        adapter.open(run_with(*skeleton.keypoints))
    for number in range(500):
        keypoints = random.normal(50, 50, (random.integers(0, 11), 14, 3)).astype(np.float32)
        chosen = random.random(keypoints.shape) < 0.1
        keypoints[chosen] = random.choice(special, int(chosen.sum()))
        frame = Frame(np.zeros((2, 2, 3), np.uint8), number, random.choice([0.0, 1e9, number]))
        for adapter in adapters:
            adapter.process(Pose(keypoints, skeleton), frame)
    for adapter in adapters:
        adapter.close()


class TestJumpLedKeepsTheContract(ProcessorContract):
    @pytest.fixture
    def processor(self) -> Processor:
        return ArrayProcessor(JumpLed(elbows=["k0", "k1"], withers="k2"))
