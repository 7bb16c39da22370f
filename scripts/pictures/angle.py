"""The angle at the middle of the demo's mouse, and when it bends."""

from dlclive_processors import AngleTrigger

from ._trigger_picture import mice, run, trigger_picture


def draw() -> str:
    """Between snout and tail base, at the middle of the body."""
    course = run(lambda **options: AngleTrigger(a="snout", b="centre", c="tailbase", below=155, **options), mice(29))
    about = "angle:a=snout,b=centre,c=tailbase,below=155: 180 degrees is a straight animal"
    return trigger_picture(
        "An animal that bends", about, course, label="angle [degrees]", bounds=[155], top=180, poses_at=[2.0, 4.0, 7.5]
    )
