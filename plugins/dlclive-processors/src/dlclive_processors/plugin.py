"""What this package offers, for `dlclive plugins list`."""

from __future__ import annotations

from dlclive_core import ProcessorInfo, hookimpl


@hookimpl
def dlclive_register_processors() -> list[ProcessorInfo]:
    """Describe the processors; a class is imported when it is built."""
    return [
        ProcessorInfo(
            name="kalman",
            summary="Smooths keypoints and predicts them to the present, or ahead of it",
            factory="dlclive_processors.kalman:KalmanPredictor",
        ),
        ProcessorInfo(
            name="led",
            summary="Measures the latency from an LED in the camera's view to an output; see `dlclive latency`",
            factory="dlclive_processors.led_latency:LedLatency",
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
    ]
