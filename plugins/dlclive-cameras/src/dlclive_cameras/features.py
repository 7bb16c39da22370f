"""A camera's settings by their GenICam names, set so that a wrong value is a message and not a surprise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from dlclive_core import UsageError, nearest


class Feature(Protocol):
    """One setting of a camera. `limits` is (least, most, step) of a number, step 0 for none; `choices` those of a word."""

    def get(self) -> Any: ...
    def set(self, value: Any) -> None: ...
    @property
    def limits(self) -> tuple[float, float, float]: ...
    @property
    def choices(self) -> tuple[str, ...]: ...


class Features:
    """The settings of one camera.

    Args:
        find: gives the setting of a name if this camera has it and it can be written now, else None.
        camera: its name, for messages.
    """

    def __init__(self, find: Callable[[str], Feature | None], camera: str) -> None:
        self._find, self._camera = find, camera

    def first(self, *names: str) -> Feature | None:
        """The first of these that the camera has: makers and years differ in names."""
        return next((found for found in map(self._find, names) if found is not None), None)

    def try_set(self, name: str, value: Any) -> None:
        """Set it where there is such a setting: a switch that only some cameras have."""
        feature = self._find(name)
        if feature is not None:
            feature.set(value)

    def set_number(self, option: str, value: float, unit: str, *names: str) -> None:
        """Set a number; UsageError says what the camera takes. `option` is the user's word for it."""
        feature = self._needed(option, names)
        least, most, step = feature.limits
        if not least <= value <= most:
            raise UsageError(f"{self._camera} takes {option} from {least:g} to {most:g}{unit}; got {value:g}")
        if step > 1 and (value - least) % step:
            down = least + (value - least) // step * step
            raise UsageError(
                f"{self._camera} takes {option} in steps of {step:g} from {least:g}; got {value:g}, near {down:g}"
            )
        feature.set(value)

    def set_enum(self, option: str, value: str, *names: str) -> None:
        """Choose a word; UsageError names the nearest one that the camera has."""
        feature = self._needed(option, names)
        if value not in feature.choices:
            raise UsageError(f"{self._camera} has no {option} {value!r}; {nearest(value, feature.choices)}")
        feature.set(value)

    def _needed(self, option: str, names: tuple[str, ...]) -> Feature:
        feature = self.first(*names)
        if feature is None:
            raise UsageError(
                f"{self._camera} cannot set {option}: it has no {' or '.join(names)}; leave the option out"
            )
        return feature
