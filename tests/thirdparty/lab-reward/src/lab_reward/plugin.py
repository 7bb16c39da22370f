"""The plugin module, which dlclive loads to list the components of this package."""

from dlclive_core import ProcessorInfo, hookimpl


@hookimpl
def dlclive_register_processors() -> list[ProcessorInfo]:
    """One processor; its class is imported on first use."""
    return [
        ProcessorInfo(
            name="speed-gate",
            summary="Counts how often a keypoint becomes faster than a limit",
            factory="lab_reward.speed:SpeedGate",
        )
    ]
