"""`dlclive tune`, run as a command, and the use of its profile by other commands."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest


def test_a_profile_is_saved_and_used_until_the_model_changes(dlclive, model: Path, clip: Path, tmp_path: Path) -> None:
    mouse = Path(shutil.copy(model, tmp_path / "mouse.onnx"))
    done = dlclive("tune", mouse, clip, "--seconds", 2, "--max-frames", 20, "--json")
    assert done.code == 0, done.err
    facts = json.loads(done.out)
    assert facts["table"][0]["p95_px"] <= 0.5
    assert "<svg" in (tmp_path / "mouse.profile.svg").read_text()
    assert json.loads((tmp_path / "mouse.profile.json").read_text())["dlclive_profile"] == 3
    assert facts["chosen"] in json.loads(dlclive("info", mouse, "--json").out)["profile"]  # tables break long lines
    assert "--overwrite" in dlclive("tune", mouse, clip).error
    mouse.write_bytes(mouse.read_bytes() + b"\x98\x06\x01")  # an unknown protobuf field: same network, different file
    refused = dlclive("analyze", mouse, clip, "--max-frames", 2)
    assert refused.code == 2
    assert "has changed since" in refused.error
    assert "has changed since" in json.loads(dlclive("info", mouse, "--json").out)["profile"]


def test_invalid_options_are_refused_before_the_search(dlclive, model: Path, clip: Path, tmp_path: Path) -> None:
    mouse = Path(shutil.copy(model, tmp_path / "mouse.onnx"))
    for arguments, message in (
        (("--max-error", 0), "max-error"),
        (("--goal", "mean"), "p50 or p99"),
        (("--seconds", 0), "seconds must be a number"),
    ):
        done = dlclive("tune", mouse, clip, *arguments)
        assert done.code == 2
        assert message in done.error
    assert dlclive("run", "--source", "mouse", "--model", mouse, "--profile", "no.json").code == 2
    assert [file.name for file in tmp_path.glob("mouse*")] == ["mouse.onnx"]


def test_ctrl_c_saves_the_best_so_far_and_exits_with_130(
    model: Path, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from dlclive_core.cli.measure import tune

    def search(*arguments, **options):
        return replace(whole_search(*arguments, **options), interrupted=True)

    whole_search = tune.search
    monkeypatch.setattr(tune, "search", search)
    mouse = Path(shutil.copy(model, tmp_path / "mouse.onnx"))
    assert _exit_code_of_tune(mouse, clip) == 130
    assert (tmp_path / "mouse.profile.json").exists()
    assert "written: " in capsys.readouterr().err


def test_ctrl_c_before_a_setting_was_measured_says_that_nothing_was_written(
    model: Path, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from dlclive_core.cli.measure import tune

    def search(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(tune, "search", search)
    mouse = Path(shutil.copy(model, tmp_path / "mouse.onnx"))
    assert _exit_code_of_tune(mouse, clip) == 130
    assert "no profile was written" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.profile.*"))


def _exit_code_of_tune(model: Path, clip: Path) -> object:
    """Of `dlclive tune` in this process, where a test can put a search of its own in its place."""
    from dlclive_core.cli.measure.tune import TuneOptions, run_tune

    with pytest.raises(SystemExit) as ended:
        run_tune(
            TuneOptions(
                model=str(model),
                video=clip,
                max_error=0.5,
                goal="p50",
                seconds=2,
                frames=20,
                overwrite=False,
                json=True,
            )
        )
    return ended.value.code
