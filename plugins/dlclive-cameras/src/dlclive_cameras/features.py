"""A camera's settings by their GenICam names, checked against the camera's limits before they are set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from dlclive_core import UsageError, nearest


class Feature(Protocol):
    """One setting of a camera. A number has `limits` (minimum, maximum, step; step 0: any), an enumeration `choices`."""

    def get(self) -> Any: ...
    def set(self, value: Any) -> None: ...
    @property
    def limits(self) -> tuple[float, float, float]: ...
    @property
    def choices(self) -> tuple[str, ...]: ...


class Features:
    """The settings of one camera.

    Args:
        find: returns the setting with this name if the camera has it and it is writeable now, else None.
        camera: name of the camera, for messages.
    """

    def __init__(self, find: Callable[[str], Feature | None], camera: str) -> None:
        self._find, self._camera = find, camera

    def first(self, *names: str) -> Feature | None:
        """The first of these settings that the camera has: names differ between manufacturers and generations."""
        return next((feature for feature in map(self._find, names) if feature is not None), None)

    def try_set(self, name: str, value: Any) -> None:
        """Set a value if the camera has this setting."""
        feature = self._find(name)
        if feature is not None:
            feature.set(value)

    def set_number(self, option: str, value: float, unit: str, *names: str) -> None:
        """Set a number. Raises UsageError, with the camera's limits, under the name `option`."""
        feature = self._require(option, names)
        minimum, maximum, step = feature.limits
        if not minimum <= value <= maximum:
            raise UsageError(f"{self._camera} takes {option} from {minimum:g} to {maximum:g}{unit}; got {value:g}")
        if step > 1 and (value - minimum) % step:
            nearby = minimum + (value - minimum) // step * step
            raise UsageError(
                f"{self._camera} takes {option} in steps of {step:g} from {minimum:g}; got {value:g}, try {nearby:g}"
            )
        feature.set(value)

    def set_enum(self, option: str, value: str, *names: str) -> None:
        """Set an enumeration. Raises UsageError, with the most similar choice, under the name `option`."""
        feature = self._require(option, names)
        if value not in feature.choices:
            raise UsageError(f"{self._camera} has no {option} {value!r}; {nearest(value, feature.choices)}")
        feature.set(value)

    def _require(self, option: str, names: tuple[str, ...]) -> Feature:
        feature = self.first(*names)
        if feature is None:
            raise UsageError(f"{self._camera} cannot set {option}: it has no {' or '.join(names)}; omit the option")
        return feature
