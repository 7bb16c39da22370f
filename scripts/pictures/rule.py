"""A rule about the demo's mouse: it runs upwards."""

from dataclasses import replace

from dlclive_processors import RuleTrigger, SpeedTrigger

from ._trigger_picture import mice, run, trigger_picture

RULE = "snout.y < tailbase.y - 20 and speed() > 100"


def draw() -> str:
    """The curve is the speed, one of the two parts of the rule."""
    poses = mice(29)
    speeds = run(lambda **options: SpeedTrigger(100, **options), poses).values
    course = replace(run(lambda **options: RuleTrigger(RULE, **options), poses), values=speeds)
    about = f"rule:{RULE}"
    return trigger_picture(
        "An animal that runs upwards",
        about,
        course,
        label="speed of the body [px/s]",
        bounds=[100],
        poses_at=[0.5, 4.0, 7.5],
    )
