"""An output that is on while the snout of the demo's mouse is in a region, and off at once when it is hidden."""

from dlclive_processors import CallableOutput, Stimulate

from ._trigger_picture import mice, region, replay, trigger_picture, x_of

CORNERS = [[120, 60], [400, 60], [400, 420], [120, 420]]


def draw() -> str:
    """A large region, so that most of the gaps are those of a hidden snout."""
    poses = mice(38)
    lamp = CallableOutput(lambda _: None)
    stimulate = Stimulate(output=lamp, polygon=CORNERS, keypoint="snout", max_rate=1000)
    course = replay(stimulate, lambda: lamp.is_on, poses, lambda: x_of(poses, "snout"))
    about = (
        "stimulate with a region: on while the snout is seen in it, off in the frame in which it is hidden or outside"
    )
    return trigger_picture(
        "A stimulus that needs an animal", about, course, label="x of the snout [px]", top=640, marks=[region(CORNERS)]
    )
