"""Names made fit for OSC addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable

from dlclive_core import UsageError

# OSC 1.0: printable ASCII without space # * , / ? [ ] { }
_UNFIT = re.compile(r"[^!-~]|[#*,/?\[\]{}]")


def address_part(name: str) -> str:
    """A name as one part of an address: what OSC does not allow there becomes "_"; "" becomes "_"."""
    return _UNFIT.sub("_", name) or "_"


def address_parts(names: Iterable[str]) -> tuple[str, ...]:
    """The names as parts of addresses, all different: where two would be equal, a later one gets "-2", "-3" and so on."""
    parts: list[str] = []
    for name in names:
        part, number = address_part(name), 1
        while part in parts:
            number += 1
            part = f"{address_part(name)}-{number}"
        parts.append(part)
    return tuple(parts)


def check_prefix(prefix: str) -> str:
    """Return the prefix of addresses, "" or like "/rig1"; else raise UsageError."""
    is_path = isinstance(prefix, str) and re.fullmatch(r"(/[^/]+)*", prefix) and len(prefix) <= 100
    if is_path and all(address_part(part) == part for part in prefix.split("/")[1:]):
        return prefix
    raise UsageError(
        f"prefix is {prefix!r}; give a beginning of OSC addresses, such as /rig1: printable ASCII without blanks and "
        "without # * , ? [ ] { }"
    )
