"""Two of the demo's mice, and when they are near to each other."""

from dlclive_processors import DistanceTrigger

from ._trigger_picture import mice, run, trigger_picture


def draw() -> str:
    """The nearest two keypoints of two mice."""
    course = run(lambda **options: DistanceTrigger(60, between_animals=True, **options), mice(1, 44))
    about = "distance:below=60,between_animals=true: the nearest keypoints of two mice; their snouts' paths are drawn"
    return trigger_picture("Two animals that meet", about, course, label="distance [px]", bounds=[60])
