"""The words of a rule, and errors that show where one is wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dlclive_core import UsageError, printable

LONGEST = 2000
"""Characters of a rule."""

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<quoted>'[^']*'|"[^"]*")
      | (?P<name>[^\W\d]\w*)
      | (?P<sign><=|>=|==|!=|[-+*/<>(),.])""",
    re.VERBOSE,
)
_AROUND = 30  # characters shown on each side of an error


@dataclass(frozen=True, slots=True)
class Token:
    """One word. `kind`: number, quoted, name, sign or end. `begin`: of its first character in the rule, from 0."""

    kind: str
    text: str
    begin: int


def tokens(text: str) -> list[Token]:
    """The words of a rule, and an end. Raises UsageError for what is not a word, and for a rule that is too long."""
    if len(text) > LONGEST:
        raise UsageError(f"the rule has {len(text)} characters; {LONGEST} is the most")
    found: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            wrong = Token("sign", text[position], position)
            hint = "close the quotes" if wrong.text in "'\"" else "it is not part of the language of rules"
            raise error_at(text, wrong, f"{printable(wrong.text)!r} is not expected here; {hint}")
        kind = str(match.lastgroup)
        if kind != "space":
            found.append(Token(kind, match[0], position))
        position = match.end()
    return [*found, Token("end", "", len(text))]


def error_at(text: str, token: Token, message: str) -> UsageError:
    """An error in one line that shows the rule around a word, and the word in brackets."""
    end = token.begin + len(token.text)
    before, after = text[max(0, token.begin - _AROUND) : token.begin], text[end : end + _AROUND]
    start = "..." if token.begin > _AROUND else ""
    rest = "..." if end + _AROUND < len(text) else ""
    shown = printable(f"{start}{before}[{token.text[:_AROUND]}]{after}{rest}")
    return UsageError(f"rule {' '.join(shown.split())}: {message}")
