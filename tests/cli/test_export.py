"""`dlclive export`, run as a command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx", reason="int8 files are made with onnx")


def test_int8_is_calibrated_and_verified_on_a_clip(dlclive, model: Path, clip: Path, tmp_path: Path) -> None:
    done = dlclive("export", model, "mouse.int8.onnx", "--precision", "int8", "--video", clip, "--json")
    assert done.code == 0, done.err
    facts = json.loads(done.out)
    assert facts["images"] == 10  # every fourth of 40
    assert facts["card"]["precision"] == "int8"
    assert facts["measured"] == "at the 95th percentile of the confident keypoints"
    assert 0 < facts["error_px"] == facts["p95_confident_px"] <= facts["bound_px"] == 0.5
    assert [Path(file).name for file in facts["files"]] == ["mouse.int8.onnx"]
    assert [item.name for item in tmp_path.iterdir()] == ["mouse.int8.onnx"]


def test_an_export_beyond_the_bound_writes_no_file(dlclive, model: Path, clip: Path, tmp_path: Path) -> None:
    arguments = ("export", model, "a.onnx", "--precision", "int8", "--video", clip, "--max-error", "0.0001")
    done = dlclive(*arguments)
    assert done.code == 3
    assert "px at the 95th percentile of the confident keypoints" in done.error
    assert "more than the 0.0001 px allowed; nothing was written" in done.error
    assert list(tmp_path.iterdir()) == []


def test_int8_without_frames_of_an_animal_is_refused(dlclive, model: Path, tmp_path: Path) -> None:
    done = dlclive("export", model, "a.onnx", "--precision", "int8")
    assert done.code == 2
    assert "pass a clip with at least 16 frames, as --video CLIP" in done.error
    cv2 = pytest.importorskip("cv2", reason="images are written with OpenCV")
    empty = tmp_path / "empty"
    empty.mkdir()
    for number in range(20):
        cv2.imwrite(str(empty / f"{number:02d}.png"), np.full((240, 320, 3), 127, np.uint8))
    done = dlclive("export", model, "a.onnx", "--precision", "int8", "--video", empty)
    assert done.code == 2
    assert "finds no animal in the clip" in done.error
    assert [item.name for item in tmp_path.iterdir()] == ["empty"]


def test_an_unsupported_precision_or_format_is_refused(dlclive, model: Path) -> None:
    done = dlclive("export", model, "a.onnx", "--precision", "fp8")
    assert done.code == 2
    assert "no precision 'fp8' for .onnx files: choose from" in done.error
    done = dlclive("export", model, "a.txt")
    assert done.code == 3
    assert "no installed exporter from .onnx to .txt" in done.error


@pytest.mark.parametrize(("confident", "warned"), [(0, True), (3, False)])
def test_an_export_that_compared_no_confident_keypoint_says_so(
    confident: int, warned: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from dlclive_core.cli import export
    from dlclive_core.export.export import Export
    from dlclive_core.export.parity import Parity
    from dlclive_core.testing import BlobModel

    target = tmp_path / "mouse.onnx"
    target.write_bytes(b"")
    parity = Parity(5, 20, confident, 0.01, 0.0, 1e-6)
    done = Export(target, BlobModel().card, parity, 0.05, files=(target,))
    monkeypatch.setattr(export, "export_model", lambda *arguments, **options: done)
    (tmp_path / "mouse.pt").touch()
    export.run_export(str(tmp_path / "mouse.pt"), target, "fp32", None, None, None, [], overwrite=False, json=True)
    captured = capsys.readouterr()
    message = "no keypoint of the 5 compared frames has a confidence of 0.6 or more"
    assert (message in captured.err) == warned
    assert (message in json.loads(captured.out)["warning"]) == warned
    assert ("--video" in captured.err) == warned
