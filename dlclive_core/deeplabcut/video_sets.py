"""Adds a video to the `video_sets` of a DeepLabCut project's `config.yaml`, and leaves everything else as it is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml

from dlclive_core.errors import DataError
from dlclive_core.machine.files import create_file, write_whole
from dlclive_core.text.decoding import TextError
from dlclive_core.text.yaml_1_2 import compose, load

KEY = "video_sets"
_PLAIN = re.compile(r"(/|[A-Za-z]:[\\/])[\w./\\ +-]*[\w.]")
"""Paths that YAML reads as they are; others are quoted."""


def video_set_line(video: str, size: tuple[int, int]) -> str:
    """The entry of a video of (width, height) pixels, in one line."""
    return f'{_name(video)}: {{crop: "{_crop(size)}"}}'


def add_video_set(config: Path, video: str, size: tuple[int, int]) -> Path:
    """Add a video to `video_sets`, and return the backup of the file as it was, `config.yaml.bak` or the next free name.

    The lines are inserted into the text, so comments and the order of entries stay. The result is read again before it
    replaces the file, in one step of the file system.

    Raises:
        DataError: the file cannot be changed in this way, with the lines to add by hand; or it cannot be written.
    """
    by_hand = video_set_line(video, size)
    refusal = DataError(f"{config} cannot be changed safely; add to its {KEY} by hand: {by_hand}")
    try:
        before = config.read_bytes()
        text = before.decode("utf-8")
        changed = _with_entry(text, video, size)
        expected = load(text)
        expected[KEY] = {**(expected[KEY] or {}), video: {"crop": _crop(size)}}
        if load(changed) != expected:
            raise refusal
    except OSError as error:
        raise DataError(f"cannot read {config}: {error.strerror}") from None
    except (TextError, UnicodeDecodeError, TypeError, KeyError, LookupError):
        raise refusal from None
    backup = _backup(config, before)
    write_whole(config, changed.encode("utf-8"))
    return backup


def _with_entry(text: str, video: str, size: tuple[int, int]) -> str:
    root = compose(text)
    if not isinstance(root, yaml.MappingNode):
        raise KeyError(KEY)
    key, value = next((key, value) for key, value in root.value if key.value == KEY)
    end = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    if isinstance(value, yaml.MappingNode) and value.value and not value.flow_style:
        first = value.start_mark  # of the first entry
        indent, at = first.column, first.line
        rest = lines[at:]
    else:  # nothing, {} or '' on the line of the key
        if value.end_mark.line > key.start_mark.line and lines[key.start_mark.line].strip() != f"{KEY}:":
            raise KeyError(KEY)
        indent, at = 2, key.start_mark.line + 1
        comment = re.search(r"\s#.*", lines[key.start_mark.line].rstrip())
        lines[key.start_mark.line] = f"{KEY}:{comment[0] if comment else ''}{end}"
        rest = lines[at:]
    new = [f"{' ' * indent}{line}{end}" for line in (f"{_name(video)}:", f"  crop: {_crop(size)}")]
    return "".join([*lines[:at], *new, *rest])


def _name(video: str) -> str:
    return video if _PLAIN.fullmatch(video) else json.dumps(video, ensure_ascii=False)


def _crop(size: tuple[int, int]) -> str:
    return f"0, {size[0]}, 0, {size[1]}"


def _backup(config: Path, content: bytes) -> Path:
    number = 0
    while True:
        number += 1
        path = config.with_name(f"{config.name}.bak" if number == 1 else f"{config.name}.bak{number}")
        try:
            create_file(path)
        except FileExistsError:
            continue
        except OSError as error:
            raise DataError(f"cannot write {path}: {error.strerror}") from None
        write_whole(path, content)
        return path
