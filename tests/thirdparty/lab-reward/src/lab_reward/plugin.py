"""What dlclive loads to find out what this package offers."""

from dlclive_core import ProcessorInfo, hookimpl


@hookimpl
def dlclive_register_processors() -> list[ProcessorInfo]:
    """One processor; its class is imported when somebody uses it."""
    return [
        ProcessorInfo(
            name="speed-gate",
            summary="Counts how often a keypoint becomes faster than a limit",
            factory="lab_reward.speed:SpeedGate",
        )
    ]
