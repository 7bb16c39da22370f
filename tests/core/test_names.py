"""Names from files, as parts of file names and on a terminal."""

from pathlib import Path

import pytest

from dlclive_core import file_name_part, printable


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("DLC_Resnet50_reachJan1shuffle1_snapshot_best-190", "DLC_Resnet50_reachJan1shuffle1_snapshot_best-190"),
        ("", ""),
        ("naïve ‰ 鼠", "naïve ‰ 鼠"),
        ("👩\u200d🔬", "👩\u200d🔬"),
        ("/../../outside_", "_.._.._outside_"),
        ("..\\..\\outside", ".._.._outside"),
        ("..", "__"),
        (".", "_"),
        ("/etc/passwd", "_etc_passwd"),
        ("C:\\Windows", "C__Windows"),
        ('a<b>c:d"e|f?g*h', "a_b_c_d_e_f_g_h"),
        ("nul\0byte", "nul_byte"),
        ("two\nlines\r\ttab", "two_lines__tab"),
        ("\x1b[31mred\x9b", "_[31mred_"),
        ("\u202egpj.exe", "_gpj.exe"),
        ("half \ud800", "half _"),
        ("trailing. . ", "trailing____"),
        ("CON", "_CON"),
        ("con.txt", "_con.txt"),
        ("aux.csv", "_aux.csv"),
        ("Nul .x", "_Nul .x"),
        ("COM1", "_COM1"),
        ("lpt¹.h5", "_lpt¹.h5"),
        ("CONIN$", "_CONIN$"),
        ("console", "console"),
        ("COM10", "COM10"),
        ("auxiliary.csv", "auxiliary.csv"),
    ],
)
def test_a_part_that_every_system_takes(text: str, part: str) -> None:
    assert file_name_part(text) == part
    assert file_name_part(part) == part


def test_a_long_name_is_cut_and_stays_different_from_another(tmp_path: Path) -> None:
    first, second = file_name_part("鼠" * 5000 + "1"), file_name_part("鼠" * 5000 + "2")
    assert first != second
    for part in (first, second):
        assert len(part.encode()) <= 200
        (tmp_path / f"{part}_timestamps.csv.part.lock").touch()
    assert file_name_part("x" * 200) == "x" * 200


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("snout", "snout"),
        ("tail base, ear 'left'", "tail base, ear 'left'"),
        ("naïve 鼠 👩\u200d🔬", "naïve 鼠 👩\u200d🔬"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\x9b2J", r"\x9b2J"),
        ("a\rb\nc\td", r"a\rb\nc\td"),
        ("\0", r"\x00"),
        ("\u202etxt.exe", r"\u202etxt.exe"),
        ("\u2028", r"\u2028"),
        ("\ud800", r"\ud800"),
        ("\U000e0001", r"\U000e0001"),
        ("[red]", "[red]"),
    ],
)
def test_text_that_a_terminal_does_not_obey(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(shown) == shown


def test_lines_of_our_own_may_stay() -> None:
    assert printable("a\n\tb\x1b", keep_lines=True) == "a\n\tb\\x1b"
