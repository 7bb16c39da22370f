"""Two conditions at once: the demo's mouse runs, and is in a region."""

from dlclive_processors import AllTrigger, RegionTrigger, SpeedTrigger

from ._trigger_picture import mice, region, run, trigger_picture

CORNERS = [[150, 60], [420, 60], [420, 260], [150, 260]]


def draw() -> str:
    """The curve is the speed, the first of the two conditions."""

    def make(**options: object) -> AllTrigger:
        parts = [SpeedTrigger(100), RegionTrigger(polygon=CORNERS, keypoint="snout")]
        return AllTrigger(parts, **options)  # type: ignore[arg-type]

    about = "all:of=[{speed:threshold=100},{region:polygon=...,keypoint=snout}]: on while both hold for the same animal"
    return trigger_picture(
        "An animal that runs in a region", about, run(make, mice(29)), label="speed of the body [px/s]", bounds=[100],
        marks=[region(CORNERS)],
    )  # fmt: skip
