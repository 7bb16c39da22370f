"""Changes to bytes and to values: what a damaged disk, a hurried editor or an attacker makes of a file."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Sequence
from random import Random
from typing import Any

import yaml

TOKENS = (
    b"null", b"true", b"NaN", b"-Infinity", b"1e999", b"-1", b"0", b"99999999999999999999", b"0x1F", b"{", b"}", b"[", b"]",
    b"[[[[[[[[", b"\"", b"'", b",", b":", b": ", b"\n", b"\r\n", b"\t", b"\0", b"\x1b[2J", b"\xff\xfe", b"\xef\xbb\xbf",
    b"\xe9", b"\xed\xa0\x80", b"&a ", b"*a", b"<<: *a", b"!!python/object:os.system ", b"!!binary ", b"- ", b"? ", b"---\n",
    b"%YAML 1.1\n", b"#", b"|", b">", b"../../", b"\\u0000", b"\\ud800", b"\xe2\x80\xae", b"=", b"9" * 5000, b"[" * 2000,
    b" " * 300,
)  # fmt: skip
"""What formats, encodings, numbers and terminals treat in a special way."""

TEXTS = (
    "", " ", "null", "yes", "1", "-1", "1e5", "nan", "snout", "a\nb", "a\x00b", "\x1b[2J\x1b]0;x\x07", "../../etc/passwd", "/",
    "C:\\x", "\u202eevil", "\ud800", "ß鼠🐭", "x" * 300, "y" * 100_000, "a,b", "a:b", "a=b", "{}", "[[0, 1]]", "camera:0",
    "%s%n",
)  # fmt: skip
NUMBERS: tuple[Any, ...] = (
    0, 1, -1, 2, 255, 256, 65_536, 2**31, 2**63, -(2**63) - 1, 10**30, 10**400, 0.0, -0.0, 0.5, 1e-320, 1e308, -1e308,
    math.nan, math.inf, -math.inf,
)  # fmt: skip


def changed_bytes(data: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    """A few changes to bytes: flipped, taken out, repeated, replaced by tokens, cut off, or joined with another file."""
    for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
        data = _changed_once(data, random, others)
    return data


def _changed_once(data: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    start = random.randrange(len(data) + 1)
    end = min(len(data), start + random.choice((1, 1, 2, 4, 16, 64, 512)))
    kind = random.randrange(8)
    if kind == 0:
        return data[:start] + bytes(byte ^ (1 << random.randrange(8)) for byte in data[start:end]) + data[end:]
    if kind == 1:
        return data[:start] + data[end:]
    if kind == 2:
        return data[:end] + data[start:end] * random.choice((1, 2, 50)) + data[end:]
    if kind == 3:
        return data[:start]
    if kind == 4:
        other = random.choice(others)
        return data[:start] + other[random.randrange(len(other) + 1) :]
    if kind == 5:
        return data[:start] + random.randbytes(end - start) + data[end:]
    token = random.choice(TOKENS)
    return data[:start] + token + (data[end:] if kind == 6 else data[start:])


def changed_values(values: Any, random: Random) -> Any:
    """A copy with a few changes at random places: odd values, entries taken out, renamed, repeated or put elsewhere."""
    values = copy.deepcopy(values)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        values = _changed_place(values, random)
    return values


def _changed_place(values: Any, random: Random) -> Any:
    places = list(_places(values))
    if not places:
        return odd_value(random)
    holder, key = random.choice(places)
    kind = random.randrange(7)
    if kind == 0:
        del holder[key]
    elif kind == 1 and isinstance(holder, dict):
        holder[random.choice((str(key) + "x", str(key).upper(), random.choice(TEXTS)))] = holder.pop(key)
    elif kind == 2:
        other, position = random.choice(places)
        if position in other if isinstance(other, dict) else position < len(other):
            holder[key] = copy.deepcopy(other[position])
    elif kind == 3:
        holder[key] = [holder[key]]
    elif kind == 4:
        holder[key] = _retyped(holder[key], random)
    else:
        holder[key] = odd_value(random)
    return values


def _places(values: Any) -> Any:
    """(container, key) of every value inside."""
    if isinstance(values, dict | list):
        for key, value in list(values.items() if isinstance(values, dict) else enumerate(values)):
            yield values, key
            yield from _places(value)


def _retyped(value: Any, random: Random) -> Any:
    """The same in another type, as careless programs write it."""
    if isinstance(value, bool):
        return random.choice((int(value), str(value)))
    if isinstance(value, int | float):
        return random.choice((str(value), [value], -value))
    if isinstance(value, str):
        return random.choice((list(value[:50]), value + random.choice(TEXTS), {value: None}))
    if isinstance(value, list):
        return random.choice((value * 3, {str(index): item for index, item in enumerate(value)}, value[:1], str(value)))
    return list(value.items()) if isinstance(value, dict) else 0


def odd_value(random: Random) -> Any:
    """A value that a reader may not expect."""
    kind = random.randrange(8)
    if kind < 3:
        return random.choice(NUMBERS)
    if kind < 5:
        return random.choice(TEXTS)
    if kind == 5:
        return random.choice((None, True, False, [], {}, [None], {"": []}))
    if kind == 6:
        return [random.choice(NUMBERS)] * random.choice((1, 2, 3, 100, 5000))
    deep: Any = random.choice((0, "x", None))
    for _ in range(random.choice((5, 40, 150))):
        deep = [deep] if random.random() < 0.5 else {"a": deep}
    return deep


def as_json(values: Any, random: Random) -> bytes:
    """As JSON, sometimes in an encoding that it should not have."""
    return _encoded(json.dumps(values, ensure_ascii=random.random() < 0.5, indent=random.choice((None, 1))), random)


def as_yaml(values: Any, random: Random) -> bytes:
    """As YAML, which JSON is, too."""
    if random.random() < 0.3:
        return as_json(values, random)
    try:
        text = yaml.dump(values, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), allow_unicode=True)
    except (yaml.YAMLError, UnicodeError):  # halves of characters
        return as_json(values, random)
    return _encoded(text, random)


def _encoded(text: str, random: Random) -> bytes:
    encoding = (
        "utf-8" if random.random() < 0.9 else random.choice(("utf-16", "utf-8-sig", "latin-1", "cp1252", "utf-32-be"))
    )
    return text.encode(encoding, "surrogatepass" if encoding == "utf-8" else "replace")
