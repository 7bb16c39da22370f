"""The command dlc-live-test."""

from __future__ import annotations

import pytest
from dlclive.check_install import check_install


def test_a_working_machine_and_a_broken_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_install, "FRAMES", 10)
    assert check_install.main(["--nodisplay"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["ok", "ok", "ok", "ok", "dlclive"]
    assert lines[-1] == "dlclive works on this machine"
    monkeypatch.setattr(check_install, "BOUND", 0.001)
    assert check_install.main([]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["FAILED"] * 3


def test_a_check_that_raises_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_install, "FRAMES", 0)  # dlclive demo refuses that
    first = check_install.run_checks()[0]
    assert not first.passed
    assert "\n" not in first.text
    assert "frames" in first.text


def test_ctrl_c_ends_it_with_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(**options: bool) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(check_install, "run_checks", interrupted)
    assert check_install.main([]) == 130
    assert "stopped" in capsys.readouterr().err
