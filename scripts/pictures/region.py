"""A region, and when the snout of the demo's mouse is in it."""

from dlclive_processors import RegionTrigger

from ._trigger_picture import mice, region, replay, trigger_picture, x_of

CORNERS = [[150, 100], [330, 80], [390, 260], [200, 300]]


def draw() -> str:
    """The path in the region is on; while the snout is hidden, it is not in it."""
    poses = mice(38)
    trigger = RegionTrigger(polygon=CORNERS, keypoint="snout", debounce=2)
    course = replay(trigger, lambda: bool(trigger.inside), poses, lambda: x_of(poses, "snout"))
    about = "region:keypoint=snout,debounce=2,polygon=...: the snout of the demo's mouse, which is hidden at times"
    return trigger_picture(
        "A keypoint in a region", about, course, label="x of the snout [px]", top=640, marks=[region(CORNERS)]
    )
