"""For how long the demo's mouse has not moved, and when that is freezing."""

from dlclive_processors import FreezingTrigger

from ._trigger_picture import mice, run, trigger_picture


def draw() -> str:
    """Half a second below 30 px/s."""
    course = run(lambda **options: FreezingTrigger(30, seconds=0.5, **options), mice(29))
    about = "freezing:speed=30,seconds=0.5: for how long the body has been slower than 30 px/s"
    return trigger_picture("An animal that does not move", about, course, label="still for [s]", bounds=[0.5])
