"""`dlclive tune`, run as a command, and the use of its profile by other commands."""

import json
import shutil
from pathlib import Path


def test_a_profile_is_saved_and_used_until_the_model_changes(dlclive, model: Path, clip: Path, tmp_path: Path) -> None:
    mouse = Path(shutil.copy(model, tmp_path / "mouse.onnx"))
    done = dlclive("tune", mouse, clip, "--time", 2, "--frames", 20, "--json")
    assert done.code == 0, done.err
    facts = json.loads(done.out)
    assert facts["table"][0]["p95_px"] <= 0.5
    assert "<svg" in (tmp_path / "mouse.profile.svg").read_text()
    assert json.loads((tmp_path / "mouse.profile.json").read_text())["dlclive_profile"] == 2
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
        (("--time", 0), "time"),
    ):
        done = dlclive("tune", mouse, clip, *arguments)
        assert done.code == 2
        assert message in done.error
    assert dlclive("run", "--source", "mouse", "--model", mouse, "--profile", "no.json").code == 2
    assert [file.name for file in tmp_path.glob("mouse*")] == ["mouse.onnx"]
