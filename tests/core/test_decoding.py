"""Text files from other systems: their encodings, and what is said where it cannot be known."""

import logging
from pathlib import Path

import pytest

from dlclive_core import ModelError
from dlclive_core.deeplabcut.config_file import read_config
from dlclive_core.text import decoding
from dlclive_core.text.decoding import TextError, decode, read_text

TEXT = "metadata:\r\n  project_path: C:\\Users\\Jürgen\\open–me\r\n  bodyparts: [snout, naïve]\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_what_names_its_encoding_is_read_without_a_word(encoding: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert decode(TEXT.encode(encoding), "a.yaml") == TEXT
    assert not caplog.records


@pytest.mark.parametrize(("mark", "encoding"), [(b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")])
def test_both_orders_of_bytes(mark: bytes, encoding: str) -> None:
    assert decode(mark + TEXT.encode(encoding), "a.yaml") == TEXT


def test_western_windows_is_read_with_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(decoding.locale, "getpreferredencoding", lambda _: "UTF-8")
    with caplog.at_level(logging.WARNING):
        assert decode(TEXT.encode("cp1252"), "a.yaml") == TEXT
    (record,) = caplog.records
    assert record.getMessage().startswith("a.yaml:2: not UTF-8; read as cp1252: ")


@pytest.mark.parametrize(
    ("encoding", "name"), [("cp932", "マウス表"), ("cp1251", "мышь"), ("gbk", "小鼠"), ("cp1250", "myš")]
)
def test_a_file_of_this_system_is_read_in_its_encoding(
    encoding: str, name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(decoding.locale, "getpreferredencoding", lambda _: encoding)
    with caplog.at_level(logging.WARNING):
        assert decode(f"- {name}\n".encode(encoding), "a.yaml") == f"- {name}\n"
    assert f"read as {encoding}" in caplog.text


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a: 1\nb: \x8d\n", "a.yaml:2: neither UTF-8 nor cp1252"),  # no letter of Western Windows
        (b"a: 1\nb: \0\n", "a.yaml:2: not a text file"),
        (b"a: \xff\n\0", "a.yaml:2: not a text file"),
        (b"\xff\xfea", "a.yaml: begins as UTF-16-LE and is damaged"),
        (b"\xef\xbb\xbfa: \xff", "a.yaml: begins as UTF-8 and is damaged"),
    ],
)
def test_what_cannot_be_read_is_refused(data: bytes, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding.locale, "getpreferredencoding", lambda _: "UTF-8")
    with pytest.raises(TextError) as caught:
        decode(data, "a.yaml")
    assert caught.value.at("a.yaml").startswith(message)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "LARGEST", 100)
    path = tmp_path / "a.yaml"
    path.write_bytes(b"a" * 100)
    assert len(read_text(path)) == 100
    path.write_bytes(b"a" * 101)
    with pytest.raises(TextError, match="too large"):
        read_text(path)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_a_configuration_of_windows(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "pytorch_config.yaml"
    path.write_bytes(TEXT.encode(encoding))
    metadata = read_config(path)["metadata"]
    assert metadata == {"project_path": "C:\\Users\\Jürgen\\open–me", "bodyparts": ["snout", "naïve"]}


def test_a_configuration_that_is_not_text_names_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "pytorch_config.yaml"
    path.write_bytes(b"a: 1\na: 2\n")
    with pytest.raises(ModelError, match=r"pytorch_config\.yaml:2: 'a' is there twice") as caught:
        read_config(path)
    assert caught.value.exit_code == 3
