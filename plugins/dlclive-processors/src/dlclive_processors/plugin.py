"""What this package offers, for `dlclive plugins list`."""

from __future__ import annotations

from dlclive_core import OutputInfo, ProcessorInfo, hookimpl

_TRIGGERS = (
    ("speed", "Acts while an animal is faster or slower than a bound", "speed:SpeedTrigger"),
    ("distance", "Acts while keypoints, or animals, are near to each other or far apart", "distance:DistanceTrigger"),
    ("angle", "Acts while the angle at a keypoint is small or large", "angle:AngleTrigger"),
    ("heading", "Acts while an animal faces in a direction or toward a point", "heading:HeadingTrigger"),
    ("rule", "Acts while an expression over keypoints holds", "rule:RuleTrigger"),
    ("freezing", "Acts while an animal does not move", "freezing:FreezingTrigger"),
    ("all", "Acts while all of several triggers' conditions hold", "combinations:AllTrigger"),
    ("any", "Acts while one of several triggers' conditions holds", "combinations:AnyTrigger"),
    ("not", "Acts while a trigger's condition does not hold", "combinations:NotTrigger"),
    ("sequence", "Acts when conditions hold one after another", "sequence:SequenceTrigger"),
)
TRIGGERS = tuple(
    ProcessorInfo(name=name, summary=summary, factory=f"dlclive_processors.triggers.{place}")
    for name, summary, place in _TRIGGERS
)
CLASSIFIER = ProcessorInfo(
    name="classifier",
    summary="Acts while your own network recognises a behaviour in the last poses",
    factory="dlclive_processors.triggers.classifier:ClassifierTrigger",
    requires=("onnxruntime",),
    install_hint="pip install 'dlclive-processors[classifier]'",
)


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
            factory="dlclive_processors.filters.kalman:KalmanPredictor",
        ),
        ProcessorInfo(
            name="one-euro",
            summary="Smooths keypoints: strongly at rest, hardly at speed (One-Euro filter)",
            factory="dlclive_processors.filters.one_euro:OneEuro",
        ),
        ProcessorInfo(
            name="exponential",
            summary="Smooths keypoints exponentially, with a time constant in seconds",
            factory="dlclive_processors.filters.exponential:Exponential",
        ),
        ProcessorInfo(
            name="median",
            summary="Running median of the last frames: removes single wrong positions",
            factory="dlclive_processors.filters.median:Median",
        ),
        ProcessorInfo(
            name="outliers",
            summary="Holds keypoints that jump farther than the animal can move",
            factory="dlclive_processors.filters.outliers:Outliers",
        ),
        ProcessorInfo(
            name="lick-led",
            summary="DeepLabCut-live's MouseLickLED: a light in every frame in which the tongue is seen",
            factory="dlclive_processors.deeplabcut_live.lick_led:LickLed",
        ),
        ProcessorInfo(
            name="led",
            summary="Measures the latency from an LED in the camera's view to an output; see `dlclive latency`",
            factory="dlclive_processors.led_latency:LedLatency",
        ),
        ProcessorInfo(
            name="region",
            summary="Reports when a keypoint enters or leaves a polygon",
            factory="dlclive_processors.triggers.region:RegionTrigger",
        ),
        ProcessorInfo(
            name="stimulate",
            summary="Switches a fail-safe output on while a keypoint is in a polygon, or a rule holds",
            factory="dlclive_processors.triggers.stimulate:Stimulate",
        ),
        ProcessorInfo(
            name="teensy-laser",
            summary="DeepLabCut-live's TeensyLaser: a laser while a keypoint is in a box; its board has no watchdog",
            factory="dlclive_processors.deeplabcut_live.teensy_laser:TeensyLaser",
        ),
        ProcessorInfo(
            name="track",
            summary="Gives each of several animals an identity that it keeps from frame to frame",
            factory="dlclive_processors.tracking.identity_tracker:IdentityTracker",
        ),
        *TRIGGERS,
        CLASSIFIER,
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
