"""The speed of the demo's mouse, and where it runs."""

from dlclive_processors import SpeedTrigger

from ._trigger_picture import mice, run, trigger_picture


def draw() -> str:
    """Where it is faster than 100 px/s, for a fifth of a second at least."""
    course = run(lambda **options: SpeedTrigger(100, hold=0.2, **options), mice(29))
    about = "speed:threshold=100,hold=0.2 of the demo's mouse in an arena of 640 x 480 px, at 30 frames per second"
    return trigger_picture("An animal that runs", about, course, label="speed of the body [px/s]", bounds=[100])
