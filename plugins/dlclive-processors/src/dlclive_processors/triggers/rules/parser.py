"""From the text of a rule to its parts: recursive descent, one function for each line of the grammar.

rule       = or
or         = and {"or" and}
and        = not {"and" not}
not        = "not" not | comparison
comparison = sum {("<" | "<=" | ">" | ">=" | "==" | "!=") sum}
sum        = product {("+" | "-") product}
product    = factor {("*" | "/") factor}
factor     = "-" factor | number | "(" or ")" | function "(" arguments ")" | keypoint "." ("x" | "y" | "confidence")
keypoint   = name | "'" characters "'"
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from dlclive_core import UsageError, nearest, printable
from dlclive_processors.triggers.rules import nodes
from dlclive_processors.triggers.rules.functions import FUNCTIONS, Call
from dlclive_processors.triggers.rules.measured import Measured
from dlclive_processors.triggers.rules.nodes import Keypoint, Number, Truth
from dlclive_processors.triggers.rules.tokens import Token, error_at, tokens

DEEPEST = 30
"""Parentheses, `not` and minus signs inside each other."""

_FIELDS = ("x", "y", "confidence")
_WORDS = ("and", "or", "not")


@dataclass(slots=True)
class ParsedRule:
    """A rule as parts: what it says, the keypoints that it names, and what it measures over several frames."""

    root: Truth
    keypoints: list[Keypoint]
    measured: list[Measured]


def parse_rule(text: str) -> ParsedRule:
    """Compile a rule. Raises UsageError in one line that shows the place of the error."""
    parser = _Parser(text, tokens(text))
    root = parser.rule()
    if not parser.keypoints and not parser.measured:
        raise UsageError("the rule names no keypoint, so it says nothing about an animal")
    return ParsedRule(root, parser.keypoints, parser.measured)


@dataclass(slots=True)
class _Parser:
    text: str
    tokens: list[Token]
    position: int = 0
    depth: int = 0
    keypoints: list[Keypoint] = field(default_factory=list)
    measured: list[Measured] = field(default_factory=list)

    @property
    def token(self) -> Token:
        return self.tokens[self.position]

    def rule(self) -> Truth:
        first = self.token
        root = self._or()
        if self.token.kind != "end":
            raise self.error(self.token, f"{self.token.text[:30]!r} is not expected here; join conditions by and, or")
        return self._truth(root, first, "a rule")

    # ---- truths

    def _or(self) -> Number | Truth:
        return self._joined("or", self._and, nodes.Or)

    def _and(self) -> Number | Truth:
        return self._joined("and", self._not, nodes.And)

    def _joined(
        self, word: str, part: Callable[[], Number | Truth], join: Callable[[tuple[Truth, ...]], Truth]
    ) -> Number | Truth:
        begin = self.token
        first = part()
        if not self._is_word(word):
            return first
        truths = [self._truth(first, begin, word)]
        while self._is_word(word):
            self.position += 1
            begin = self.token
            truths.append(self._truth(part(), begin, word))
        return join(tuple(truths))

    def _not(self) -> Number | Truth:
        if not self._is_word("not"):
            return self._comparison()
        self.position += 1
        begin = self.token
        return nodes.Not(self._truth(self._deeper(self._not), begin, "not"))

    def _comparison(self) -> Number | Truth:
        begin = self.token
        first = self._sum()
        if not self._is_comparison():
            return first
        first, others = self._number(first, begin, "a comparison"), []
        while self._is_comparison():
            compare = nodes.OPERATORS[self.token.text]
            self.position += 1
            begin = self.token
            others.append((compare, self._number(self._sum(), begin, "a comparison")))
        return nodes.Comparison(first, tuple(others))

    # ---- numbers

    def _sum(self) -> Number | Truth:
        begin = self.token
        first = self._product()
        if not self._is_sign("+", "-"):
            return first
        terms = [(1.0, self._number(first, begin, "a sum"))]
        while self._is_sign("+", "-"):
            sign = 1.0 if self.token.text == "+" else -1.0
            self.position += 1
            begin = self.token
            terms.append((sign, self._number(self._product(), begin, "a sum")))
        return nodes.Sum(tuple(terms))

    def _product(self) -> Number | Truth:
        begin = self.token
        first = self._factor()
        if not self._is_sign("*", "/"):
            return first
        factors, divides = [self._number(first, begin, "a product")], [False]
        while self._is_sign("*", "/"):
            divides.append(self.token.text == "/")
            self.position += 1
            begin = self.token
            factors.append(self._number(self._factor(), begin, "a product"))
        return nodes.Product(tuple(factors), tuple(divides))

    def _factor(self) -> Number | Truth:
        token = self.token
        if self._is_sign("-"):
            self.position += 1
            begin = self.token
            return nodes.Negative(self._number(self._deeper(self._factor), begin, "a minus sign"))
        if self._is_sign("("):
            self.position += 1
            inner = self._deeper(self._or)
            self.expect(")")
            return inner
        if token.kind == "number":
            return nodes.Constant(self.constant())
        if token.kind == "name" and token.text in FUNCTIONS:
            self.position += 1
            if not self._is_sign("("):
                raise self.error(
                    token, f"{token.text!r} is a word of the language; quote a keypoint of this name: '{token.text}'"
                )
            return self._call(token)
        if token.kind in ("name", "quoted") and token.text not in _WORDS:
            return self._coordinate()
        raise self.error(token, f"{self._surprise()}; expected a keypoint, a number or a function")

    def _coordinate(self) -> Number:
        name = self.token
        if name.kind == "name" and self.tokens[self.position + 1].text == "(":
            raise self.error(name, f"there is no function {name.text!r}: {nearest(name.text, FUNCTIONS)}")
        keypoint = self.keypoint()
        if not self._is_sign("."):
            raise self.error(name, f"write {printable(name.text[:30])}.x, .y or .confidence")
        self.position += 1
        field = self.token
        if field.text not in _FIELDS:
            raise self.error(field, f"a keypoint has no {field.text[:30]!r}: {nearest(field.text, _FIELDS)}")
        self.position += 1
        return (
            nodes.Confidence(keypoint)
            if field.text == "confidence"
            else nodes.Coordinate(keypoint, "xy".index(field.text))
        )

    def _call(self, name: Token) -> Number | Truth:
        self.expect("(")
        call = Call(self, name)
        result = self._deeper(lambda: FUNCTIONS[name.text](call))
        self.expect(")", f"{name.text} takes {call.form}")
        return result

    # ---- what functions ask for

    def keypoint(self) -> Keypoint:
        """The name of a keypoint."""
        token = self.token
        if token.kind not in ("name", "quoted") or token.text in (*_WORDS, *FUNCTIONS):
            raise self.error(token, f"{self._surprise()}; expected the name of a keypoint")
        self.position += 1
        keypoint = Keypoint(token.text[1:-1] if token.kind == "quoted" else token.text, token)
        self.keypoints.append(keypoint)
        return keypoint

    def number(self, what: str) -> Number:
        """Any expression that is a number."""
        begin = self.token
        return self._number(self._deeper(self._or), begin, what)

    def constant(self) -> float:
        """A number as written, with a sign perhaps."""
        sign = -1.0 if self._is_sign("-") else 1.0
        self.position += self._is_sign("-")
        token = self.token
        if token.kind != "number":
            raise self.error(token, f"{self._surprise()}; expected a number such as 20")
        value = nodes.finite(float(token.text))
        if value != value:
            raise self.error(token, "this number is too large")
        self.position += 1
        return sign * value

    def is_next(self, sign: str) -> bool:
        """Whether a sign is the next word."""
        return self._is_sign(sign)

    def accept(self, sign: str) -> bool:
        """Step over a sign, if it is the next word."""
        found = self._is_sign(sign)
        self.position += found
        return found

    def expect(self, sign: str, hint: str = "") -> None:
        """Step over a sign, which must be the next word."""
        if not self.accept(sign):
            raise self.error(self.token, f"{self._surprise()}; {hint or f'expected {sign!r}'}")

    def measure(self, measured: Measured) -> int:
        """Note what is to be measured over several frames; its number."""
        if measured not in self.measured:
            self.measured.append(measured)
        return self.measured.index(measured)

    def error(self, token: Token, message: str) -> UsageError:
        """An error at a word."""
        return error_at(self.text, token, message)

    # ---- helpers

    def _deeper(self, part: Callable[[], Number | Truth]) -> Number | Truth:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.error(self.token, f"this is more than {DEEPEST} levels deep; write it more simply")
        result = part()
        self.depth -= 1
        return result

    def _surprise(self) -> str:
        token = self.token
        return "the rule ends too early" if token.kind == "end" else f"{token.text[:30]!r} is not expected here"

    def _is_word(self, word: str) -> bool:
        return self.token.kind == "name" and self.token.text == word

    def _is_sign(self, *signs: str) -> bool:
        return self.token.kind == "sign" and self.token.text in signs

    def _is_comparison(self) -> bool:
        return self.token.kind == "sign" and self.token.text in nodes.OPERATORS

    def _truth(self, node: Number | Truth, begin: Token, what: str) -> Truth:
        if isinstance(node, Truth):
            return node
        raise self.error(begin, f"{what} needs a condition here, and this is a number; compare it: ... > 0")

    def _number(self, node: Number | Truth, begin: Token, what: str) -> Number:
        if isinstance(node, Number):
            return node
        raise self.error(begin, f"{what} needs a number here, and this is a condition; join conditions by and, or")
