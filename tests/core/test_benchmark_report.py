"""A benchmark as JSON, tables and a plot, including unknown, failed and infinite values."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

from dlclive_core import Pose
from dlclive_core.benchmark import Candidate, Measurement, compare_poses
from dlclive_core.benchmark.clip import Clip
from dlclive_core.benchmark.peak import Peak
from dlclive_core.benchmark.result import Benchmark, Row
from dlclive_core.benchmark.verdict import Verdict
from dlclive_core.cli.measure.benchmark_json import backbone, benchmark_json
from dlclive_core.cli.measure.benchmark_picture import benchmark_picture
from dlclive_core.cli.measure.benchmark_table import format_number, markdown, print_benchmark
from dlclive_core.regions import FollowingCropSpec
from dlclive_core.testing import BlobModel, BlobSource

SOURCE = BlobSource(frames=3)
POSES = tuple(Pose(SOURCE.truth(index)[None], SOURCE.skeleton) for index in range(3))


def row(
    setting: str, seconds: list[float], *, lost: bool = False, verdict: Verdict | None = None, **changes: object
) -> Row:
    runtime, precision, device = setting.split(":")
    candidate = Candidate(runtime=runtime, precision=precision, device=device, path=Path(f"m.{runtime}"), **changes)
    poses = [Pose.missing(SOURCE.skeleton)] * 3 if lost else POSES
    measurement = Measurement(
        candidate=candidate,
        times=np.array(seconds),
        first=0.5 if seconds else float("nan"),
        load=1.0 if seconds else float("nan"),
        raw_call=np.array(seconds) * 0.96,
        input_size=(160, 120),
        device="cpu (a test)",
        searched=2 if candidate.follow else 0,
        lateness=np.array([0.012, 0.010]) if candidate.follow else np.empty(0),
        dropped=3 if candidate.follow else 0,
    )
    error = compare_poses(POSES, poses) if seconds else None
    return Row(
        measurement=measurement,
        accuracy=error,
        operations=2e9,
        share_of_peak=0.42,
        verdict=verdict or Verdict(),
        bytes=17_900_000,
    )


@pytest.fixture
def benchmark(tmp_path: Path) -> Benchmark:
    source = tmp_path / "m.onnx"
    source.write_bytes(b"a model")
    frames = tuple(SOURCE.draw(index) for index in range(3))
    return Benchmark(
        source=source,
        sha256="ab" * 32,
        card=BlobModel().card,
        clip=Clip("mouse.mp4", frames, 30.0, 2330),
        rounds=2,
        rate=60.0,
        rows=(
            row("onnx:fp32:cpu", [0.110, 0.090, 0.130]),
            row("onnx:int8:cpu", [0.030, 0.031, 0.2], lost=True),
            row("torch:fp32:cpu", [1.0, 1.2], verdict=Verdict("doubtful", "it was | busy")),
            row("torch:bf16:cpu", [0.0001], verdict=Verdict("rejected", "<faster> than it can be")),
            row("openvino:bf16:cpu", [], verdict=Verdict("failed", "no such & device")),
            row("onnx:fp32:cpu", [0.005, 0.006], follow=FollowingCropSpec(window=(80, 60))),
        ),
        reference="onnx:fp32:cpu",
        peaks={"cpu": Peak({"fp32": 1e11}, "measured"), "npu": Peak()},
        machine={"processor": "A CPU", "packages": {"numpy": "2.4"}, "load": [1, 2, 3], "gpus": [{"name": "A GPU"}]},
        load_after=None,
        notes=("something to know",),
    )


def test_the_json_is_complete_and_strict(benchmark: Benchmark) -> None:
    result = json.loads(json.dumps(benchmark_json(benchmark), allow_nan=False))
    assert result["format"] == 2
    assert result["model"]["sha256"] == "ab" * 32
    assert result["clip"] == {
        "name": "mouse.mp4", "seconds": pytest.approx(77.67, abs=0.01), "frame_count": 2330, "fps": 30.0, "frames": 3,
        "width": 160, "height": 120,
    }  # fmt: skip
    assert result["system"]["packages"] == {"numpy": "2.4"}
    assert result["notes"] == ["something to know"]
    first, lost, _, _, failed, follow = result["rows"]
    assert first["times_ms"] == [110, 90, 130]
    assert first["bare_ms"] == [105.6, 86.4, 124.8]
    assert first["mean_ms"] == pytest.approx(110)
    assert first["sd_ms"] == pytest.approx(16.33, abs=0.01)
    assert first["mean_with_first_ms"] == pytest.approx((110 + 90 + 130 + 500) / 4)
    assert first["p50_ms"] == pytest.approx(110)
    assert first["fps"] == pytest.approx(1 / 0.110)
    assert first["overhead"] == pytest.approx(1 / 0.96)
    assert first["error"]["max_px"] == 0
    assert first["share_of_peak"] == 0.42
    assert lost["error"]["median_px"] == "inf"
    assert lost["error"]["flips"] == 9
    assert (failed["p50_ms"], failed["first_ms"], failed["error"]) == (None, None, None)
    assert (failed["verdict"], failed["why"]) == ("failed", "no such & device")
    assert follow["follow"]["window"] == [80, 60]
    assert follow["searched"] == 2
    assert (result["rate"], follow["late_ms"], follow["dropped"], first["late_ms"]) == (60.0, [12, 10], 3, [])


def test_the_markdown_page_is_complete(benchmark: Benchmark) -> None:
    page = markdown(benchmark)
    tables = [line for line in page.partition("Replay at")[0].splitlines() if line.startswith("|")]
    head = next(index for index, line in enumerate(tables) if line.startswith("| runtime"))
    widths = {len(re.split(r"(?<!\\)\|", line)) for line in tables[head:]}
    assert len(widths) == 1
    assert len(tables[head:]) == 2 + len(benchmark.rows)
    assert "| onnx:fp32:cpu following 80x60 | 5 | 3 | 11.0 | 12.0 | 12.0 |" in page
    facts_table = "\n".join(tables[:head])
    for text in (
        "A CPU",
        "A GPU",
        "blobs",
        "mouse.mp4: 160 x 120, 30 frames/s, 77.7 s, first 3 of 2330 frames, 2 times",
    ):
        assert text in facts_table
    assert "9.09" in tables[head + 2]
    assert "110 ± 16.3" in tables[head + 2]
    assert "208 ± 169" in tables[head + 2]  # with the first inference
    assert "not found / not found" in tables[head + 3]
    assert "it was \\| busy" in page
    assert "failed: no such & device" in page
    assert "80x60, 2 lost" in page
    assert "Peak of cpu: 100 GFLOP/s in fp32, measured." in page
    assert "Note: something to know" in page


def test_the_terminal_table_fits_and_is_explained(benchmark: Benchmark, capsys: pytest.CaptureFixture[str]) -> None:
    print_benchmark(benchmark)
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines()[:12])) <= 160
    assert "openvino:bf16:cpu: failed: no such & device" in out
    assert "distance from onnx:fp32:cpu on the same frames, over its 9 keypoints" in out
    assert "42 %" in out
    _, arrivals = out.split("Replay at 60 frames/s")
    (line,) = [line.split() for line in arrivals.splitlines() if line.startswith("  onnx")]
    assert line == ["onnx:fp32:cpu", "following", "80x60", "5", "3", "11.0", "12.0", "12.0"]
    assert "following 80x60: lost the animal and searched the whole frame in 2 of 2 frames" in out
    assert "1.04 x" in out


def test_the_plot_has_a_bar_for_each_usable_row(benchmark: Benchmark) -> None:
    root = ElementTree.fromstring(benchmark_picture(benchmark))
    space = "{http://www.w3.org/2000/svg}"
    texts = [item.text or "" for item in root.iter(f"{space}text")]
    names = [text for text in texts if text.endswith(":cpu") or ":cpu following" in text]
    fastest = ["onnx:fp32:cpu following 80x60", "onnx:int8:cpu", "onnx:fp32:cpu", "torch:fp32:cpu"]
    assert names == [*fastest, "torch:bf16:cpu", "openvino:bf16:cpu"]
    bars = [item for item in root.iter(f"{space}rect") if float(item.get("height", 0)) == 18]
    widths = [float(bar.get("width", 0)) for bar in bars]
    assert len(widths) == 4
    assert widths == sorted(widths)
    assert widths[2] / widths[3] == pytest.approx(0.110 / 1.1, rel=0.02)
    assert "rejected: <faster> than it can be" in texts
    assert "110 / 130" in texts
    assert [text for text in texts if "not found" in text]
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    for item in root.iter(f"{space}text"):
        assert 0 <= float(item.get("x", 0)) <= width
        assert 0 <= float(item.get("y", 0)) <= height


def test_the_plot_of_failures_only_lists_them(benchmark: Benchmark) -> None:
    from dataclasses import replace

    failures = replace(benchmark, rows=benchmark.rows[4:5])
    assert not failures.has_usable_rows
    assert "no candidate could be measured" in benchmark_picture(failures)
    assert "failed: no such &amp; device" in benchmark_picture(failures)


@pytest.mark.parametrize(
    ("net_type", "name"),
    [
        ("resnet_50", "resnet_50"),
        ("top_down_hrnet_w32", "hrnet_w32"),
        ("dekr_w18", "hrnet_w18"),
        ("rtmpose_m", "cspnext_m"),
        ("ctd_prenet_rtmpose_x_human", "cspnext_x_human"),
    ],
)
def test_the_backbone_is_derived_from_the_network_type(net_type: str, name: str) -> None:
    assert backbone(net_type) == name


def test_numbers_have_about_three_digits() -> None:
    assert [format_number(value) for value in (0.123, 9.876, 12.34, 1234.5)] == ["0.12", "9.88", "12.3", "1234"]
    assert format_number(float("nan")) == "-"
    assert format_number(float("inf")) == "not found"
