"""The functions of the language of rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from dlclive_core import UsageError
from dlclive_processors.triggers.polygon import Polygon
from dlclive_processors.triggers.rules import nodes
from dlclive_processors.triggers.rules.measured import Measured
from dlclive_processors.triggers.rules.nodes import Keypoint, Number, Truth
from dlclive_processors.triggers.rules.tokens import Token


class Arguments(Protocol):
    """What a function asks the parser for."""

    def keypoint(self) -> Keypoint: ...
    def number(self, what: str) -> Number: ...
    def constant(self) -> float: ...
    def is_next(self, sign: str) -> bool: ...
    def accept(self, sign: str) -> bool: ...
    def expect(self, sign: str, hint: str = "") -> None: ...
    def measure(self, measured: Measured) -> int: ...
    def error(self, token: Token, message: str) -> UsageError: ...


class Call:
    """One call of a function: its name, its arguments, and the form that it takes, for messages."""

    def __init__(self, arguments: Arguments, name: Token) -> None:
        self.arguments, self.name = arguments, name
        self.form = FORMS[name.text]

    def keypoints(self, count: int) -> list[Keypoint]:
        """This many names of keypoints."""
        found = [self.arguments.keypoint()]
        for _ in range(count - 1):
            self.arguments.expect(",", f"{self.name.text} takes {self.form}")
            found.append(self.arguments.keypoint())
        return found

    def constants(self) -> list[float]:
        """Numbers as written, one at least."""
        found = [self.arguments.constant()]
        while self.arguments.accept(","):
            found.append(self.arguments.constant())
        return found

    def numbers(self) -> list[Number]:
        """Expressions that are numbers, one at least."""
        found = [self.arguments.number(self.name.text)]
        while self.arguments.accept(","):
            found.append(self.arguments.number(self.name.text))
        return found

    def error(self, message: str = "") -> UsageError:
        """An error at the function's name."""
        return self.arguments.error(self.name, message or f"{self.name.text} takes {self.form}")


def _speed(call: Call) -> Number:
    """speed() of the body, speed(k) of a keypoint, in px/s."""
    if call.arguments.is_next(")"):
        return nodes.Motion(call.arguments.measure(Measured()))
    return nodes.Motion(call.arguments.measure(Measured(call.arguments.keypoint().name)))


def _still(call: Call) -> Truth:
    numbers = call.constants()
    if len(numbers) != 2 or not (numbers[0] > 0 and numbers[1] >= 0):
        raise call.error()
    speed, seconds = numbers
    return nodes.Still(call.arguments.measure(Measured(still_below=speed)), seconds)


def _distance(call: Call) -> Number:
    return nodes.Distance(*call.keypoints(2))


def _angle(call: Call) -> Number:
    return nodes.Angle(*call.keypoints(3))


def _heading(call: Call) -> Number:
    return nodes.Heading(*call.keypoints(2))


def _inside(call: Call) -> Truth:
    keypoint = call.arguments.keypoint()
    call.arguments.expect(",", f"inside takes {call.form}")
    numbers = call.constants()
    if len(numbers) % 2:
        raise call.error(
            f"inside takes {call.form}; there are {len(numbers)} numbers, and y of the last corner is missing"
        )
    try:
        polygon = Polygon(list(zip(numbers[::2], numbers[1::2], strict=True)))
    except UsageError as error:
        raise call.error(str(error)) from None
    return nodes.Inside(keypoint, polygon)


def _abs(call: Call) -> Number:
    return nodes.Absolute(call.arguments.number("abs"))


def _min(call: Call) -> Number:
    return nodes.Extreme(min, tuple(call.numbers()))


def _max(call: Call) -> Number:
    return nodes.Extreme(max, tuple(call.numbers()))


FUNCTIONS: dict[str, Callable[[Call], Number | Truth]] = {
    "speed": _speed,
    "still": _still,
    "distance": _distance,
    "angle": _angle,
    "heading": _heading,
    "inside": _inside,
    "abs": _abs,
    "min": _min,
    "max": _max,
}

FORMS = {
    "speed": "nothing, for the body, or one keypoint",
    "still": "a speed in px/s and a number of seconds, such as still(5, 2)",
    "distance": "two keypoints",
    "angle": "three keypoints: at the second, between the first and the third",
    "heading": "two keypoints: from the first to the second",
    "inside": "a keypoint and the corners x, y, x, y, ... of a polygon",
    "abs": "one number",
    "min": "numbers",
    "max": "numbers",
}
