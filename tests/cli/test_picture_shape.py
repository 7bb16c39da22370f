"""Sizes that change the picture's shape are warned of in one line."""

import pytest

from dlclive_core.cli.picture_shape import shape_warning


@pytest.mark.parametrize(
    ("size", "picture", "advice"),
    [
        ((640, 480), (480, 640), "480x640 keeps their shape"),
        ((640, 640), (640, 480), "640x480 keeps their shape"),
        ((320, 100), (640, 480), "320x240 keeps their shape"),
        ((320, 240), (640, 480), ""),
        ((213, 160), (640, 480), ""),
        ((1, 1), (640, 480), "1x1 keeps their shape"),
    ],
)
def test_another_aspect_ratio_is_warned_of(size: tuple[int, int], picture: tuple[int, int], advice: str) -> None:
    line = shape_warning("--size", size, picture, "stretches the picture")
    assert line.endswith(advice)
    assert bool(line) == bool(advice)
    assert "\n" not in line


def test_the_benchmark_warns_of_each_such_size(dlclive, model) -> None:
    sizes = ("--size", "120x160", "--size", "160x120")
    quick = ("--max-frames", 1, "--rounds", 1, "--warmup", 0, "--runtime", "onnx", "--precision", "fp32")
    done = dlclive("benchmark", model, *quick, "--synthetic", "320x240", *sizes)
    assert done.code in (0, 5), (
        done.err
    )  # on a busy machine, a single frame may show what cannot be true, and is rejected
    warnings = [line for line in done.err.splitlines() if line.startswith("warning: ")]
    assert warnings == [
        "warning: --size 120x160 stretches the picture: the pictures are 320x240 (WIDTHxHEIGHT); 120x90 keeps their shape"
    ]


def test_an_export_warns_before_it_starts(dlclive, model, clip) -> None:
    done = dlclive("export", model, "a.xml", "--size", "240x320", "--video", clip)
    warnings = [line for line in done.err.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == 1
    assert "the pictures are 320x240 (WIDTHxHEIGHT); 320x240 keeps their shape" in warnings[0]
