"""From a pose to an output: on when it should be, and never on a pose that cannot be trusted."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from dlclive_processors import CallableOutput, Output, Reason, SerialOutput, Stimulate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dlclive_core import Frame, Pose, Processor, RunInfo, Skeleton, UsageError
from dlclive_core.testing import ProcessorContract, run_info

MakePose = Callable[..., Pose]
MakeRun = Callable[..., RunInfo]

SQUARE = [[0, 0], [100, 0], [100, 100], [0, 100]]
IN, OUT = [50, 50], [150, 50]
NAN, INF = float("nan"), float("inf")
IMAGE = np.zeros((2, 2, 3), dtype=np.uint8)


class Lamp(Output):
    """Remembers what it was told; the test may switch it off, as a device does."""

    def __init__(self) -> None:
        self.now = False
        self.requests: list[tuple[bool, Reason, int]] = []

    @property
    def is_on(self) -> bool:
        return self.now

    def renew(self, want: bool, reason: Reason, frame: int, age: float) -> None:
        self.now = want
        self.requests.append((want, reason, frame))

    def off(self, reason: Reason) -> None:
        self.renew(False, reason, -1, 0.0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The session's clock, which the test moves."""
    at = [2000.0]
    monkeypatch.setattr(time, "perf_counter", lambda: at[0])
    return at


@pytest.fixture
def lamp() -> Lamp:
    return Lamp()


@pytest.fixture
def play(lamp: Lamp, clock: list[float], make_run: MakeRun) -> Callable[..., list[bool]]:
    """Run poses through a processor, 10 ms apart; return whether the lamp was on after each."""

    def run(poses: list[Pose], *, step: float = 0.01, age: float = 0.005, **options: object) -> list[bool]:
        arguments = {"polygon": SQUARE, "keypoint": "snout", "max_rate": 1000.0, **options}
        if "condition" in arguments:
            del arguments["polygon"], arguments["keypoint"]
        levels = []
        with Stimulate(output=lamp, **arguments) as processor:  # type: ignore[arg-type]
            processor.open(make_run(is_live=True))
            for number, pose in enumerate(poses):
                clock[0] += step
                assert processor.process(pose, Frame(IMAGE, number, clock[0] - age)) is pose
                levels.append(lamp.is_on)
        return levels

    return run


def test_on_while_the_keypoint_is_in_the_region(play: Callable[..., list[bool]], make_pose: MakePose) -> None:
    assert play([make_pose([position]) for position in (OUT, IN, IN, OUT, IN)]) == [False, True, True, False, True]


def test_any_animal_counts(play: Callable[..., list[bool]], make_pose: MakePose) -> None:
    poses = [make_pose([OUT, OUT]), make_pose([OUT, IN]), make_pose([IN, OUT]), make_pose([OUT])]
    assert play(poses) == [False, True, True, False]


@pytest.mark.parametrize(
    ("position", "confidence"),
    [
        ([NAN, NAN], 0.0),
        ([NAN, NAN], 0.99),
        (IN, 0.59),
        (IN, NAN),
        (IN, INF),
        (IN, 1.5),
        ([INF, 50], 0.99),
        ([-INF, 50], 0.99),
        ([50, NAN], 0.99),
    ],
)
def test_off_at_once_when_the_animal_is_not_seen(
    position: list[float], confidence: float, play: Callable[..., list[bool]], make_pose: MakePose, lamp: Lamp
) -> None:
    """Also with a debounce: that is for switching on only."""
    poses = [make_pose([IN]), make_pose([IN]), make_pose([position], confidence), make_pose([IN]), make_pose([IN])]
    assert play(poses, debounce=2) == [False, True, False, False, True]
    assert lamp.requests[2] == (False, Reason.MISSING, 2)


def test_no_animal_at_all(play: Callable[..., list[bool]], make_pose: MakePose) -> None:
    empty = Pose.missing(make_pose([IN]).skeleton, 0)
    assert play([make_pose([IN]), empty, empty]) == [True, False, False]


def test_a_stale_frame_is_ignored(play: Callable[..., list[bool]], make_pose: MakePose, lamp: Lamp) -> None:
    assert play([make_pose([IN])] * 3, age=0.101) == [False] * 3
    assert {reason for _, reason, _ in lamp.requests} == {Reason.STALE}
    assert play([make_pose([IN])] * 3, age=0.099) == [True] * 3


@pytest.mark.parametrize("captured_at", [2000.2, 1.7e9, INF, NAN])
def test_a_frame_from_the_future_is_never_fresh(
    captured_at: float, clock: list[float], lamp: Lamp, make_pose: MakePose, make_run: MakeRun
) -> None:
    """Stamped by `time.time()`, by a camera's clock, in other units: it may be of any age."""
    processor = Stimulate(output=lamp, polygon=SQUARE, keypoint="snout")
    processor.open(make_run(is_live=True))
    clock[0] += 0.1
    processor.process(make_pose([IN]), Frame(IMAGE, 0, captured_at))
    assert lamp.requests == [(False, Reason.CLOCK, 0)]
    assert processor.statistics["clock"] == 1
    clock[0] += 0.01
    processor.process(make_pose([IN]), Frame(IMAGE, 1, clock[0]))
    assert lamp.is_on


def test_a_frame_of_a_slower_clock_is_stale(play: Callable[..., list[bool]], make_pose: MakePose, lamp: Lamp) -> None:
    """A camera that counts from its own start."""
    assert play([make_pose([IN])], age=1990.0) == [False]
    assert lamp.requests[0][1] == Reason.STALE


def test_what_was_refused_and_why_is_counted(
    clock: list[float], lamp: Lamp, make_pose: MakePose, make_run: MakeRun
) -> None:
    processor = Stimulate(output=lamp, polygon=SQUARE, keypoint="snout")
    processor.open(make_run(is_live=True))
    for step, age in [(0.01, 0.0), (0.01, 0.2), (0.01, 0.3), (0.2, 0.0), (0.01, -5.0)]:
        clock[0] += step
        processor.process(make_pose([IN]), Frame(IMAGE, 0, clock[0] - age))
    statistics = processor.statistics
    assert (statistics["stale"], statistics["gap"], statistics["clock"]) == (2, 1, 1)
    assert (statistics["switched_on"], statistics["refused"]) == (1, 0)
    processor.open(make_run(is_live=True))
    assert processor.statistics["stale"] == 0


def test_a_gap_between_frames_restarts_the_condition(
    clock: list[float], lamp: Lamp, make_pose: MakePose, make_run: MakeRun
) -> None:
    processor = Stimulate(output=lamp, polygon=SQUARE, keypoint="snout", debounce=2, max_rate=1000)
    processor.open(make_run(is_live=True))
    levels = []
    for step in (0.01, 0.01, 0.069, 0.071, 0.01, 0.01):
        clock[0] += step
        processor.process(make_pose([IN]), Frame(IMAGE, 0, clock[0]))
        levels.append(lamp.is_on)
    assert levels == [False, True, True, False, False, True]


def test_refractory_and_rate(play: Callable[..., list[bool]], make_pose: MakePose) -> None:
    flicker = [make_pose([position]) for position in (IN, OUT) * 10]  # a beginning every 20 ms
    assert sum(play(flicker)) == 10
    assert sum(play(flicker, refractory=0.025)) == 5
    assert sum(play(flicker, max_rate=20)) == 4  # 50 ms, so every third beginning
    # a beginning that was not granted is not made up for while the animal stays
    stay = [make_pose([position]) for position in (IN, OUT, IN, IN, IN, IN, IN, IN, OUT, IN)]
    assert play(stay, refractory=0.03) == [True] + [False] * 8 + [True]


def test_arm_and_disarm(clock: list[float], lamp: Lamp, make_pose: MakePose, make_run: MakeRun) -> None:
    processor = Stimulate(output=lamp, polygon=SQUARE, keypoint="snout", armed=False, max_rate=1000)
    processor.open(make_run(is_live=True))

    def step() -> bool:
        clock[0] += 0.01
        processor.process(make_pose([IN]), Frame(IMAGE, 0, clock[0]))
        return lamp.is_on

    assert not step()
    processor.arm()
    assert step()
    processor.disarm()
    assert not lamp.is_on  # at once, not with the next frame
    assert not step()


def test_what_the_device_switched_off_stays_off(
    clock: list[float], lamp: Lamp, make_pose: MakePose, make_run: MakeRun
) -> None:
    """The train is over, or the watchdog tripped: it waits until the condition begins again."""
    processor = Stimulate(output=lamp, polygon=SQUARE, keypoint="snout", max_rate=1000)
    processor.open(make_run(is_live=True))
    levels = []
    for position, taken_off in [(IN, False), (IN, True), (IN, False), (OUT, False), (IN, False)]:
        clock[0] += 0.01
        lamp.now = lamp.now and not taken_off
        processor.process(make_pose([position]), Frame(IMAGE, 0, clock[0]))
        levels.append(lamp.is_on)
    assert levels == [True, False, False, False, True]


def test_a_recording_has_no_age_and_no_gaps(
    clock: list[float], lamp: Lamp, make_pose: MakePose, make_run: MakeRun
) -> None:
    processor = Stimulate(output=lamp, polygon=SQUARE, keypoint="snout")
    processor.open(make_run(is_live=False))
    for _ in range(2):
        clock[0] += 1.0
        processor.process(make_pose([IN]), Frame(IMAGE, 0, 0.0))
        assert lamp.is_on


def test_rates_in_a_recording_are_those_of_its_own_time(
    clock: list[float], lamp: Lamp, make_pose: MakePose, make_run: MakeRun
) -> None:
    """It is read faster than it was made: by the computer's clock, no time passes at all here."""
    processor = Stimulate(output=lamp, polygon=SQUARE, keypoint="snout", max_rate=2.0, refractory=0.2)
    processor.open(make_run(is_live=False))
    levels = []
    for number, (place, seconds) in enumerate([(IN, 0.0), (OUT, 0.1), (IN, 0.4), (OUT, 0.5), (IN, 1.0)]):
        processor.process(make_pose([place]), Frame(IMAGE, number, clock[0], seconds))
        levels.append(lamp.is_on)
    assert levels == [True, False, False, False, True]  # at 0.4 s too often, at 1.0 s not
    assert processor.refused == 1


def test_a_recording_that_goes_back_is_a_new_beginning(
    clock: list[float], lamp: Lamp, make_pose: MakePose, make_run: MakeRun
) -> None:
    """The last activation is not a past of the frames after the jump: once a second is not too often then."""
    processor = Stimulate(output=lamp, polygon=SQUARE, keypoint="snout", max_rate=1.0, refractory=1.0)
    processor.open(make_run(is_live=False))
    levels = []
    for number, (place, seconds) in enumerate([(IN, 5.0), (IN, 5.1), (IN, 1.0), (IN, 1.1), (OUT, 1.2)]):
        processor.process(make_pose([place]), Frame(IMAGE, number, clock[0], seconds))
        levels.append(lamp.is_on)
    assert levels == [True, True, False, True, False]  # off at the frame that goes back, whose past is not known
    assert lamp.requests[2] == (False, Reason.GAP, 2)
    assert processor.refused == 0


def test_off_that_failed_is_tried_again() -> None:
    """The function raises at "off": until it has returned once, the output counts as on."""
    calls: list[bool] = []

    def switch(on: bool) -> None:
        calls.append(on)
        if calls == [True, False]:
            raise OSError("the lamp does not answer")

    output = CallableOutput(switch)
    output.renew(True, Reason.CONDITION, 0, 0.0)
    with pytest.raises(OSError, match="does not answer"):
        output.off(Reason.END)
    assert output.is_on
    output.close()
    assert calls == [True, False, False]
    assert not output.is_on


def test_on_that_failed_is_switched_off() -> None:
    """The function raises at "on", perhaps after it has switched: `close` calls it with False."""
    calls: list[bool] = []

    def switch(on: bool) -> None:
        calls.append(on)
        if on:
            raise OSError("the lamp does not answer")

    output = CallableOutput(switch)
    with pytest.raises(OSError, match="does not answer"):
        output.renew(True, Reason.CONDITION, 0, 0.0)
    output.close()
    assert calls == [True, False]


def test_a_custom_condition(play: Callable[..., list[bool]], make_pose: MakePose) -> None:
    frames_asked = []

    def fast(pose: Pose, frame: Frame) -> bool:
        frames_asked.append(frame.index)
        return frame.index % 2 == 1

    poses = [make_pose([IN]), make_pose([IN]), make_pose([[NAN, NAN]], 0.0), make_pose([IN])]
    assert play(poses, condition=fast) == [False, True, False, True]
    assert frames_asked == [0, 1, 3]  # nothing is asked about a pose without an animal


def test_a_function_as_output(make_pose: MakePose, make_run: MakeRun) -> None:
    heard: list[bool] = []
    with Stimulate(output=CallableOutput(heard.append), polygon=SQUARE, keypoint="snout") as processor:
        processor.open(make_run(is_live=True))
        for position in (OUT, IN, IN):
            processor.process(make_pose([position]), Frame(IMAGE, 0, time.perf_counter()))
    assert heard == [True, False]


def test_options_beside_a_serial_output_are_set_there_with_its_port(tmp_path: Path) -> None:
    pytest.importorskip("serial", reason="serial outputs need pyserial")
    options = {"polygon": SQUARE, "keypoint": "snout", "output": SerialOutput(port="/dev/ttyACM1")}
    with pytest.raises(UsageError, match=r"output=\{serial:/dev/ttyACM1,width=0.005\}$"):
        Stimulate(**options, width=0.005)
    with pytest.raises(UsageError, match=r"output=\{serial:/dev/ttyACM1,events=FILE\}$"):
        Stimulate(**options, events=tmp_path / "x.csv")  # it was relative to the folder of the run, and is not any more


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"polygon": SQUARE}, "polygon and keypoint"),
        ({"polygon": SQUARE, "keypoint": "snout", "condition": lambda p, f: True}, "polygon and keypoint"),
        ({"polygon": SQUARE, "keypoint": "snout", "output": None}, "give either port"),
        ({"polygon": SQUARE, "keypoint": "snout", "port": "/dev/x"}, "give either port"),
        ({"polygon": SQUARE, "keypoint": "snout", "events": "e.csv"}, "^events has no effect beside output"),
        ({"polygon": SQUARE, "keypoint": "snout", "channel": 1}, "^channel has no effect beside output"),
        (
            {"polygon": SQUARE, "keypoint": "snout", "width": 0.005},
            r"set it there: output=\{serial:PORT,width=0.005\}$",
        ),
        ({"polygon": SQUARE, "keypoint": "snout", "frequency": 20}, "^frequency has no effect beside output"),
        ({"polygon": SQUARE, "keypoint": "snout", "duration": 2.0}, "^duration has no effect beside output"),
        ({"polygon": SQUARE, "keypoint": "snout", "patience": 9}, "^patience has no effect beside output"),
        ({"polygon": SQUARE, "keypoint": "snout", "lifespan": 0}, "lifespan is 0; give a number above 0"),
        ({"polygon": SQUARE, "keypoint": "snout", "lifespan": NAN}, "lifespan is nan"),
        ({"polygon": SQUARE, "keypoint": "snout", "debounce": 0}, "debounce"),
        ({"polygon": SQUARE, "keypoint": "snout", "max_age": 0}, "max_age"),
        ({"polygon": SQUARE, "keypoint": "snout", "max_rate": 0}, "max_rate"),
        ({"polygon": SQUARE, "keypoint": "snout", "output": None, "port": "/dev/x", "width": 0}, "width"),
        ({"polygon": SQUARE, "keypoint": "snout", "output": None, "port": "/dev/x", "lifespan": 50}, "lifespan"),
        (
            {"polygon": SQUARE, "keypoint": "snout", "output": None, "port": "/x", "width": 0.1, "frequency": 20},
            "overlap at",
        ),
    ],
)
def test_invalid_options_are_refused(options: dict[str, object], says: str, lamp: Lamp) -> None:
    with pytest.raises(UsageError, match=says):
        Stimulate(**{"output": lamp, **options})  # type: ignore[arg-type]


SKELETON = Skeleton(("snout", "tail"))
FLOATS = st.floats(width=32) | st.sampled_from([NAN, INF, -INF, 50.0, 0.0, 1.0, 0.9, 3e38])
POSES = st.integers(0, 20).flatmap(lambda n: arrays(np.float32, (n, 2, 3), elements=FLOATS))


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(POSES, max_size=30))
def test_no_pose_makes_it_raise_or_act_on_invalid_values(arrays: list[np.ndarray]) -> None:
    check_poses(arrays)


@pytest.mark.slow
def test_a_hundred_thousand_poses() -> None:
    """NaN, infinite, empty, ten times as many animals, and good ones, mixed."""
    random = np.random.default_rng(0)
    values = np.array([NAN, INF, -INF, 0, 1, 50, 0.9, 0.61, 0.59, -1, 150, 3e38], np.float32)
    sizes = random.choice([0, 1, 1, 1, 2, 20], 100_000)
    assert check_poses([random.choice(values, (size, 2, 3)) for size in sizes]) > 1000


def check_poses(arrays: list[np.ndarray]) -> int:
    """Run them through; return how many switched on or kept on. On means that one animal's snout was fit to act on."""
    lamp, on = Lamp(), 0
    processor = Stimulate(output=lamp, polygon=SQUARE, keypoint="snout", max_rate=1e9)
    run = run_info(is_live=True)
    processor.open(RunInfo(**{**{f: getattr(run, f) for f in run.__slots__}, "card": card()}))
    for number, keypoints in enumerate(arrays):
        processor.process(Pose(keypoints, SKELETON), Frame(IMAGE, number, time.perf_counter()))
        if lamp.is_on:
            on += 1
            x, y, confidence = keypoints[:, 0].T
            assert ((x >= 0) & (x < 100) & (y >= 0) & (y < 100) & (confidence >= 0.6) & (confidence <= 1)).any()
    processor.close()
    return on


def card() -> object:
    from dlclive_core import ModelCard

    return ModelCard(net_type="test", skeleton=SKELETON)


class TestStimulateKeepsTheContract(ProcessorContract):
    @pytest.fixture
    def processor(self) -> Processor:
        return Stimulate(output=Lamp(), polygon=SQUARE, keypoint="k1")
