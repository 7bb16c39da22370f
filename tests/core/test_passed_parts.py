"""What newcomers pass to sessions and to DLCLive by mistake: it works, or the message says what to write."""

import numpy as np
import pytest

from dlclive_core import DLCLive, Frame, MemorySink, Pose, Processor, Rig, Session, Tolerant, UsageError
from dlclive_core.demo import MODEL
from dlclive_core.demo.source import MouseSource
from dlclive_core.session.array_processor import ArrayProcessor, as_processor
from dlclive_core.testing import BlobModel


class Passing(Processor):
    def process(self, pose: Pose, frame: Frame) -> Pose:
        return pose


def session(**parts: object) -> Session:
    known = {"source": MouseSource(frames=3), "model": BlobModel()}
    return Session(**{**known, **parts})


@pytest.mark.parametrize(
    ("parts", "advice"),
    [
        ({"source": "x.mp4"}, "source=VideoFile('x.mp4')"),
        ({"source": MouseSource}, "source got the class MouseSource; create one: MouseSource(...)"),
        ({"source": MemorySink()}, "source is a value of type MemorySink, not a FrameSource"),
        ({"model": "mouse.onnx"}, "model=load_model('mouse.onnx')"),
        ({"model": BlobModel}, "model got the class BlobModel; create one: BlobModel(...)"),
        ({"sinks": MemorySink()}, "sinks takes a list, and got a single MemorySink; write sinks=[MemorySink(...)]"),
        ({"sinks": MemorySink}, "sinks takes a list, and got a single MemorySink; write sinks=[MemorySink(...)]"),
        ({"sinks": "mouse.h5"}, "sinks takes a list, and got a single str; write sinks=['mouse.h5']"),
        ({"sinks": ["mouse.h5"]}, "sinks is 'mouse.h5', not a Sink"),
        ({"sinks": [MemorySink]}, "sinks got the class MemorySink; create one: MemorySink(...)"),
        (
            {"processors": Passing()},
            "processors takes a list, and got a single Passing; write processors=[Passing(...)]",
        ),
        ({"processors": [Passing]}, "processors got the class Passing; create one: Passing(...)"),
        ({"regions": 0.5}, "regions takes a list, and got a single float"),
        ({"regions": [0.5]}, "regions is a value of type float, not a Region"),
    ],
    ids=lambda value: value if isinstance(value, str) else "parts",  # no addresses: workers must agree on names
)
def test_a_wrong_part_is_answered_with_what_to_write(parts: dict[str, object], advice: str) -> None:
    with pytest.raises(UsageError) as raised:
        session(**parts)
    assert advice in str(raised.value)


def test_a_rig_of_one_session_that_is_not_in_a_list() -> None:
    with pytest.raises(UsageError, match="sessions takes a list, and got a single Session"):
        Rig(session())
    with pytest.raises(UsageError, match="sessions is a value of type MouseSource, not a Session"):
        Rig([MouseSource()])


def test_generators_and_tuples_are_lists() -> None:
    made = session(sinks=(sink for sink in [MemorySink()]), processors=(Passing(),))
    assert (len(made.sinks), len(made.processors)) == (1, 1)


def test_the_plain_processor_passes_poses_on() -> None:
    """DeepLabCut-live's README begins with `dlc_proc = Processor()`."""
    memory = MemorySink()
    session(processors=[Processor()], sinks=[memory]).run()
    assert len(memory.poses) == 3


class Halves(Processor):
    """A subclass of ours with DeepLabCut-live's signature."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.calls: list[str] = []
        self.keywords: set[str] = set()

    def open(self, run) -> None:
        self.calls.append("open")

    def process(self, pose, **kwargs):
        self.keywords |= kwargs.keys()
        pose[:, :2] /= 2
        return pose

    @property
    def statistics(self):
        return {"calls": len(self.calls)}

    def close(self) -> None:
        self.calls.append("close")


def test_a_subclass_with_the_signature_of_deeplabcut_live_works_in_a_session() -> None:
    plain, halved = MemorySink(), MemorySink()
    session(sinks=[plain]).run()
    halves = Halves()
    made = session(processors=[halves], sinks=[halved])
    report = made.run()
    for before, after in zip(plain.poses, halved.poses, strict=True):
        np.testing.assert_allclose(after.xy, before.xy / 2, rtol=1e-6)
    assert halves.keywords == {"frame_time", "pose_time", "record"}
    assert halves.calls[0] == "open"
    assert "close" in halves.calls
    assert report.processors[0].statistics["calls"] >= 2
    assert report.processors[0].processor == "Halves"


def test_such_a_subclass_works_in_dlclive() -> None:
    pytest.importorskip("dlclive_onnx", reason="running a model needs dlclive-onnx")
    frame = MouseSource(seed=1).render(0)
    with DLCLive(MODEL, device="cpu") as plain, DLCLive(MODEL, device="cpu", processor=Halves()) as halved:
        expected, half = plain.get_pose(frame), halved.get_pose(frame, frame_time=1.0)
    np.testing.assert_allclose(half[:, :2], expected[:, :2] / 2, rtol=1e-6)
    assert halved.processor.keywords == {"frame_time", "pose_time", "record"}


class Misspelt(Processor):
    def proces(self, pose: Pose, frame: Frame) -> Pose:
        return pose


class TooFew(Processor):
    def process(self) -> Pose:
        raise AssertionError


def test_a_subclass_without_process_is_refused_before_the_run() -> None:
    with pytest.raises(UsageError, match=r"Misspelt has no method process\(self, pose, frame\)"):
        session(processors=[Misspelt()])
    with pytest.raises(
        UsageError, match=r"TooFew.process does not take \(pose, frame\): write process\(self, pose, frame\)"
    ):
        Tolerant(TooFew())


def test_a_processor_of_ours_is_not_wrapped() -> None:
    processor = Passing()
    assert as_processor(processor) is processor
    assert isinstance(as_processor(Halves()), ArrayProcessor)


@pytest.mark.parametrize(
    "option", ["cropping", "dynamic", "resize", "processor", "display", "path", "single_animal", "device"]
)
def test_an_option_of_dlclive_that_is_set_later_says_where_it_belongs(option: str) -> None:
    live = DLCLive("mouse.onnx")
    with pytest.raises(UsageError) as raised:
        setattr(live, option, None)
    assert f"DLCLive(path, {option}=...)" in str(raised.value)


def test_the_colour_order_may_be_set_later() -> None:
    live = DLCLive("mouse.onnx")
    live.convert2rgb = False
    live.note = "attributes of one's own stay possible"
    assert live.convert2rgb is False


@pytest.mark.parametrize("option", ["processor", "display"])
def test_a_class_is_refused_by_dlclive(option: str) -> None:
    with pytest.raises(UsageError, match="got the class MemorySink; create one"):
        DLCLive("mouse.onnx", **{option: MemorySink})
