"""Where the demo's mouse faces, and when it faces a point."""

from dlclive_processors import HeadingTrigger

from ._trigger_picture import mice, run, spot, trigger_picture

POINT = [480, 120]


def draw() -> str:
    """The circle is the point."""
    course = run(
        lambda **options: HeadingTrigger(tail="tailbase", nose="snout", toward=POINT, tolerance=30, **options), mice(29)
    )
    about = "heading:tail=tailbase,nose=snout,toward=[480,120],tolerance=30: how far it must turn to face the circle"
    return trigger_picture(
        "An animal that faces a point", about, course, label="deviation [degrees]", bounds=[30], top=180,
        marks=[spot(*POINT)], poses_at=[1.0, 4.0, 7.5],
    )  # fmt: skip
