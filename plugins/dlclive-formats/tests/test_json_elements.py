"""Large JSON files, piece by piece."""

from __future__ import annotations

import json
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from dlclive_formats.coco.coco_format import CocoFormat
from dlclive_formats.json_elements import elements, read_element
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlclive_core import DataError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def walked(path: Path) -> list[tuple[str, Any]]:
    with path.open("rb") as file:
        found = list(elements(file, path))
        assert [read_element(file, element.start, element.length) for element in found] == [
            item.value for item in found
        ]
    return [(element.key, element.value) for element in found]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # passes on a busy machine
@given(st.dictionaries(st.text(), VALUES, max_size=4), st.integers(1, 40), st.sampled_from([None, 1]))
def test_what_json_reads_at_once_is_read_piece_by_piece(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, Any], block: int, indent: int | None
) -> None:
    path = tmp_path_factory.mktemp("json") / "a.json"
    path.write_text(json.dumps(content, indent=indent, ensure_ascii=False), encoding="utf-8", errors="surrogatepass")
    expected: list[tuple[str, Any]] = []
    for key, value in content.items():
        expected += [(key, item) for item in value] if isinstance(value, list) else [(key, value)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dlclive_formats.json_elements._BLOCK", block)  # so that values are cut anywhere
        try:
            json.dumps(content, ensure_ascii=False).encode()
        except UnicodeEncodeError:  # half a character
            with pytest.raises(DataError, match="not UTF-8"):
                walked(path)
        else:
            assert walked(path) == expected


@pytest.mark.parametrize("value", [[1, 22, 333], ["a", {"b": [1]}], []])
def test_a_list_at_the_top_has_elements_without_a_key(tmp_path: Path, value: list[Any]) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"\xef\xbb\xbf \n" + json.dumps(value).encode() + b"\n ")
    assert walked(path) == [("", item) for item in value]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "found 'the end'"),
        (b"3", "expected {"),
        (b'{"a": 3', "expected , or }, found 'the end'"),
        (b'{"a": [3, 4}', "expected , or ], found '}'"),
        (b'{"a" 3}', "expected :"),
        (b"{3: 4}", "a key is not text"),
        (b'{"a": wrong}', "Expecting value, at byte 6"),
        (b'[1, "abc', "Unterminated string"),
        (b"[1, 2] 3", "something follows after the end, at byte 7"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b'\xff\xfe{\x00"\x00', "found"),
        (b"[" * 1_000_000, "nested too deeply"),
        (b'{"images":' * 1_000_000, "nested too deeply"),
        (b'{"images": [' + b'{"a":' * 1_000_000, "nested too deeply"),
        (b'["' + b"a" * (9 << 20), "Unterminated string"),
        (b'["' + b"a" * (9 << 20) + b'"]', "larger than 8 MiB|Unterminated string"),
        (b"[" + b"9" * 5000 + b"]", "Exceeds the limit"),
    ],
    ids=lambda value: str(value[:16]),
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(DataError) as failure:
        walked(path)
    assert str(failure.value).startswith(f"{path} cannot be read as JSON: ")
    assert any(part in str(failure.value) for part in message.split("|")), failure.value
    assert "\n" not in str(failure.value)


@pytest.mark.skipif(sys.platform == "win32", reason="files with holes need a flag on Windows")
@pytest.mark.parametrize(
    "beginning", [b'{"images": ["', b'{"images": [', b"[", b'{"annotations": [{"image_id": 3, "keypoints": [']
)
def test_a_file_of_two_gigabytes_is_refused_in_little_memory(tmp_path: Path, beginning: bytes) -> None:
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.write(beginning)
        file.truncate(2 << 30)
    tracemalloc.start()
    try:
        assert not CocoFormat().recognizes(path)
        with pytest.raises(DataError, match="cannot be read as JSON"):
            CocoFormat().read(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 100 << 20


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "long.json"
    annotation = {"image_id": 1, "outline": "1" * 10_000}
    line = json.dumps(annotation).encode() + b",\n"
    with path.open("wb") as file:
        file.write(b"[")
        file.write(line * 6000)
        file.write(line.rstrip(b",\n") + b"]")
    assert path.stat().st_size > 50 << 20
    tracemalloc.start()
    try:
        with path.open("rb") as file:
            assert sum(1 for _ in elements(file, path)) == 6001
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20 << 20
