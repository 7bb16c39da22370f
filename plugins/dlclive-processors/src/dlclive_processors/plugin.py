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
