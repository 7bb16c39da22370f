"""The parts of a compiled rule: numbers and truths about one animal in one frame.

A number that is unknown is NaN: a keypoint that is not seen, a division by zero, a result that is not finite. A truth that is
unknown is None. Truths are combined as in the strong logic of Kleene (S. C. Kleene, Introduction to Metamathematics, 1952,
section 64): `and` is False if one side is, whatever the other would be, and `or` is True if one side is; otherwise an unknown
side makes the result unknown.
"""

from __future__ import annotations

import math
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dlclive_processors.triggers.activations import SLACK
from dlclive_processors.triggers.geometry import angle_between, difference, direction
from dlclive_processors.triggers.polygon import Polygon
from dlclive_processors.triggers.rules.tokens import Token

NAN = math.nan

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


@dataclass(slots=True)
class Keypoint:
    """A keypoint of a rule, by name; its `column` among those that the rule names is known once the skeleton is."""

    name: str
    token: Token
    column: int = 0


class Animal(NamedTuple):
    """One animal in one frame: of the K keypoints that the rule names, the positions (K, D), NaN where not seen, and the
    confidences (K,); its measured motions, by number.
    """

    points: Sequence[Sequence[float]]
    confidence: Sequence[float]
    motions: Sequence[float]


class Number(ABC):
    """A number about an animal."""

    @abstractmethod
    def value(self, animal: Animal) -> float:
        """The number; NaN if it is unknown, never infinite."""


class Truth(ABC):
    """Something that is true of an animal, or not."""

    @abstractmethod
    def truth(self, animal: Animal) -> bool | None:
        """None if it is unknown."""


@dataclass(frozen=True, slots=True)
class Constant(Number):
    number: float

    def value(self, animal: Animal) -> float:
        return self.number


@dataclass(frozen=True, slots=True)
class Coordinate(Number):
    keypoint: Keypoint
    axis: int

    def value(self, animal: Animal) -> float:
        return animal.points[self.keypoint.column][self.axis]


@dataclass(frozen=True, slots=True)
class Confidence(Number):
    """Of a keypoint that is seen."""

    keypoint: Keypoint

    def value(self, animal: Animal) -> float:
        column = self.keypoint.column
        return NAN if math.isnan(animal.points[column][0]) else animal.confidence[column]


@dataclass(frozen=True, slots=True)
class Motion(Number):
    """Something that is measured over several frames, before the rule is evaluated: a speed."""

    number: int

    def value(self, animal: Animal) -> float:
        return animal.motions[self.number]


@dataclass(frozen=True, slots=True)
class Distance(Number):
    a: Keypoint
    b: Keypoint

    def value(self, animal: Animal) -> float:
        return finite(math.dist(animal.points[self.a.column], animal.points[self.b.column]))


@dataclass(frozen=True, slots=True)
class Angle(Number):
    """At b, between a and c."""

    a: Keypoint
    b: Keypoint
    c: Keypoint

    def value(self, animal: Animal) -> float:
        a, b, c = (animal.points[each.column] for each in (self.a, self.b, self.c))
        return angle_between(difference(a, b), difference(c, b))


@dataclass(frozen=True, slots=True)
class Heading(Number):
    start: Keypoint
    end: Keypoint

    def value(self, animal: Animal) -> float:
        return direction(animal.points[self.start.column], animal.points[self.end.column])


@dataclass(frozen=True, slots=True)
class Sum(Number):
    """Of terms, each with its sign, 1.0 or -1.0."""

    terms: tuple[tuple[float, Number], ...]

    def value(self, animal: Animal) -> float:
        total = 0.0
        for sign, term in self.terms:
            total += sign * term.value(animal)
        return finite(total)


@dataclass(frozen=True, slots=True)
class Product(Number):
    """`divides` says which factors are divisors; the first is none."""

    factors: tuple[Number, ...]
    divides: tuple[bool, ...]

    def value(self, animal: Animal) -> float:
        result = 1.0
        for factor, is_divisor in zip(self.factors, self.divides, strict=True):
            value = factor.value(animal)
            if is_divisor and value == 0:
                return NAN
            result = finite(result / value if is_divisor else result * value)
        return result


@dataclass(frozen=True, slots=True)
class Negative(Number):
    operand: Number

    def value(self, animal: Animal) -> float:
        return -self.operand.value(animal)


@dataclass(frozen=True, slots=True)
class Absolute(Number):
    operand: Number

    def value(self, animal: Animal) -> float:
        return abs(self.operand.value(animal))


@dataclass(frozen=True, slots=True)
class Extreme(Number):
    """The least or the greatest of several numbers; unknown if one is."""

    choose: Callable[[Sequence[float]], float]
    operands: tuple[Number, ...]

    def value(self, animal: Animal) -> float:
        values = [operand.value(animal) for operand in self.operands]
        return NAN if any(map(math.isnan, values)) else self.choose(values)


@dataclass(frozen=True, slots=True)
class Comparison(Truth):
    """`a < b <= c`: all neighbours compared, joined by `and`."""

    first: Number
    others: tuple[tuple[Callable[[float, float], bool], Number], ...]
    """Each with how the one before it is compared with it: one of `OPERATORS`."""

    def truth(self, animal: Animal) -> bool | None:
        left, is_known = self.first.value(animal), True
        for compare, operand in self.others:
            right = operand.value(animal)
            if left != left or right != right:  # NaN
                is_known = False
            elif not compare(left, right):
                return False
            left = right
        return True if is_known else None


@dataclass(frozen=True, slots=True)
class Not(Truth):
    operand: Truth

    def truth(self, animal: Animal) -> bool | None:
        value = self.operand.truth(animal)
        return None if value is None else not value


@dataclass(frozen=True, slots=True)
class And(Truth):
    operands: tuple[Truth, ...]

    def truth(self, animal: Animal) -> bool | None:
        result: bool | None = True
        for operand in self.operands:
            value = operand.truth(animal)
            if value is False:
                return False
            if value is None:
                result = None
        return result


@dataclass(frozen=True, slots=True)
class Or(Truth):
    operands: tuple[Truth, ...]

    def truth(self, animal: Animal) -> bool | None:
        result: bool | None = False
        for operand in self.operands:
            value = operand.truth(animal)
            if value is True:
                return True
            if value is None:
                result = None
        return result


@dataclass(frozen=True, slots=True)
class Inside(Truth):
    """A keypoint lies in a polygon."""

    keypoint: Keypoint
    polygon: Polygon

    def truth(self, animal: Animal) -> bool | None:
        x, y = animal.points[self.keypoint.column][:2]
        return None if math.isnan(x) else self.polygon.holds_point(x, y)


@dataclass(frozen=True, slots=True)
class Still(Truth):
    """A measured number of seconds, without movement, is long enough."""

    number: int
    seconds: float

    def truth(self, animal: Animal) -> bool | None:
        value = animal.motions[self.number]
        return None if math.isnan(value) else value >= self.seconds - SLACK


def finite(value: float) -> float:
    """The value, or NaN if it is infinite."""
    return value if math.isfinite(value) else NAN
