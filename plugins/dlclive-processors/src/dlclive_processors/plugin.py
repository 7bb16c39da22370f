"""What this package offers, for `dlclive plugins list`."""

from __future__ import annotations

from dlclive_core import OutputInfo, ProcessorInfo, hookimpl


@hookimpl
def dlclive_register_processors() -> list[ProcessorInfo]:
    """Describe the processors; a class is imported when it is built."""
    return [
        ProcessorInfo(
            name="deeplabcut-live",
            summary="A processor of DeepLabCut-live from a file of your own: deeplabcut-live:my_file.py::MyProcessor",
            factory="dlclive_processors.deeplabcut_live.from_file:ProcessorFromFile",
        ),
        ProcessorInfo(
            name="jump-led",
            summary="DeepLabCut-live's DogJumpLED: a light while an elbow is above the withers",
            factory="dlclive_processors.deeplabcut_live.jump_led:JumpLed",
        ),
        ProcessorInfo(
            name="kalman",
            summary="Smooths keypoints and predicts them to the present, or ahead of it",
            factory="dlclive_processors.kalman:KalmanPredictor",
        ),
        ProcessorInfo(
            name="lick-led",
            summary="DeepLabCut-live's MouseLickLED: a light in every frame in which the tongue is seen",
            factory="dlclive_processors.deeplabcut_live.lick_led:LickLed",
        ),
        ProcessorInfo(
            name="region",
            summary="Reports when a keypoint enters or leaves a polygon",
            factory="dlclive_processors.region:RegionTrigger",
        ),
        ProcessorInfo(
            name="stimulate",
            summary="Switches a fail-safe output on while a keypoint is in a polygon",
            factory="dlclive_processors.stimulate:Stimulate",
        ),
        ProcessorInfo(
            name="teensy-laser",
            summary="DeepLabCut-live's TeensyLaser: a laser while a keypoint is in a box; its board has no watchdog",
            factory="dlclive_processors.deeplabcut_live.teensy_laser:TeensyLaser",
        ),
    ]


@hookimpl
def dlclive_register_outputs() -> list[OutputInfo]:
    """Describe the outputs."""
    return [
        OutputInfo(
            name="serial",
            summary="A channel of a board with dlclive's firmware, switched off when the computer fails",
            factory="dlclive_processors.output.serial_output:SerialOutput",
        ),
    ]
