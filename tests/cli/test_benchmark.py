"""`dlclive benchmark`, run as a command."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from dataclasses import fields
from pathlib import Path

import pytest

from dlclive_core import DLCLiveError

QUICK = ("--frames", "4", "--rounds", "1", "--warmup", "0")


def test_a_benchmark_writes_its_table_json_and_picture(dlclive, model: Path, clip: Path, tmp_path: Path) -> None:
    done = dlclive(
        "benchmark", model, clip, *QUICK, "--runtime", "onnx", "--precision", "fp32", "--resize", "1", "--size", "160x120",
        "--follow", "128x96", "--out", "speed",
    )  # fmt: skip
    assert done.code == 0, done.err
    for text in (
        "onnx:fp32:cpu at 160x120",
        "onnx:fp32:cpu following 128x96",
        "GFLOP/s in fp32",
        "clip.mp4: 320 x 240",
    ):
        assert text in done.out
    assert "written: " in done.err
    folder = tmp_path / "speed"
    assert sorted(item.name for item in folder.iterdir()) == ["benchmark.json", "benchmark.md", "benchmark.svg"]
    result = json.loads((folder / "benchmark.json").read_text())
    whole, small, follow = result["rows"]
    assert [len(row["times_ms"]) for row in (whole, small, follow)] == [4, 4, 4]
    assert whole["error"]["max_px"] == 0
    assert whole["error"]["keypoints"] > 0
    assert whole["seen"] == [320, 240]
    assert (small["seen"], small["size"]) == ([160, 120], [160, 120])
    assert follow["follow"]["window"] == [128, 96]
    assert len(whole["bare_ms"]) == 4
    assert result["clip"]["frame_count"] == 40
    assert "numpy" in result["system"]["packages"]
    assert "benchmark.svg" in (folder / "benchmark.md").read_text()
    ElementTree.parse(folder / "benchmark.svg")
    again = dlclive("benchmark", model, clip, *QUICK, "--out", "speed")
    assert again.code == 2
    assert "pass --overwrite" in again.error


def test_json_reports_a_clip_that_ends_early(dlclive, model: Path, clip: Path) -> None:
    done = dlclive(
        "benchmark",
        model,
        clip,
        "--frames",
        "50",
        "--rounds",
        "1",
        "--runtime",
        "onnx:fp32:cpu",
        "--json",
        "--rate",
        "200",
    )
    assert done.code == 0, done.err
    result = json.loads(done.out)
    assert result["clip"]["frames"] == 40
    assert any("ended after 40 of the 50 requested frames" in note for note in result["notes"])
    (row,) = result["rows"]
    assert row["file"] == "mouse.onnx (as given)"
    assert len(row["late_ms"]) + row["dropped"] == 40
    if row["operations"] is not None:  # where onnx is installed
        assert 0.3e9 < row["operations"] < 0.5e9
        assert row["share_of_peak"] > 0


@pytest.mark.parametrize(
    ("changes", "code", "error"),
    [
        ({"runtimes": ("onx",)}, 3, "did you mean 'onnx'?"),
        ({"precisions": ("fp32x",)}, 2, "did you mean 'fp32'?"),
        ({"runtimes": ("onnx:fp16",)}, 2, "onnx can run this model here as onnx:fp32:cpu"),
        ({"runtimes": ("onnx",), "device": "cuda:7"}, 2, "onnx can run this model here as"),
        ({"synthetic": "640"}, 2, "--synthetic takes WIDTHxHEIGHT"),
        ({"sizes": ("0x3",)}, 2, "--size takes WIDTHxHEIGHT"),
        ({"resizes": (-1.0,)}, 2, "resize takes a factor above 0"),
        ({"synthetic": "320x240", "video": Path("no.mp4")}, 2, "a video or --synthetic, not both"),
        ({"video": Path("no.mp4")}, 4, "no such file or folder: no.mp4"),
        ({"model": "no.onnx"}, 3, "no such file or folder: no.onnx"),
        ({"model": __file__}, 3, "test_benchmark.py is not a model file"),
        ({"reference": Path("no.onnx")}, 3, "no such file or folder: no.onnx"),
    ],
)
def test_invalid_options_are_refused(model: Path, changes: dict[str, object], code: int, error: str) -> None:
    from dlclive_core.cli.measure.benchmark import BenchmarkOptions, run_benchmark

    options = {field.name: None for field in fields(BenchmarkOptions)} | {
        "model": str(model), "runtimes": (), "precisions": (), "resizes": (), "sizes": (), "follows": (),
        "runtime_options": (), "frames": 2, "rounds": 1, "warmup": 0, "overwrite": False, "json": True,
    }  # fmt: skip
    with pytest.raises(DLCLiveError) as raised:
        run_benchmark(BenchmarkOptions(**{**options, **changes}))
    assert raised.value.exit_code == code
    assert error in str(raised.value)


def test_a_benchmark_without_usable_rows_exits_with_5(dlclive, model: Path) -> None:
    """No network accepts a 1 x 1 image: every candidate fails, and the output gives the reason."""
    done = dlclive("benchmark", model, *QUICK, "--synthetic", "160x120", "--runtime", "onnx", "--size", "1x1")
    assert done.code == 5
    assert "no candidate could be measured" in done.error
    assert "onnx:fp32:cpu at 1x1: failed: the image is 1 x 1 pixels" in done.out
