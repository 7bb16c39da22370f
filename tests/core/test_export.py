"""Exports: routes through several formats, error bounds, the division of frames, and the written files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dlclive_core import (
    ModelError,
    OutputExistsError,
    UnsupportedModelError,
    UsageError,
    export_model,
)
from dlclive_core.data.precision import PRECISIONS
from dlclive_core.export.bounds import BOUNDS
from dlclive_core.plugins.spread_frames import LONGEST, spread_frames
from dlclive_core.testing import BlobSource
from tests.core.export_lab import (
    CALIBRATION,
    DEVICES,
    EXPORTS,
    LOADED,
    frames,
)


def test_every_precision_has_a_bound() -> None:
    assert BOUNDS.keys() == set(PRECISIONS)


def test_a_route_may_have_an_intermediate_file(catalog, begin, tmp_path: Path) -> None:
    export = export_model(begin(), tmp_path / "m.int8.end", precision="int8", frames=frames(40), catalog=catalog)
    assert EXPORTS == [(".begin.middle", "fp32", 0), (".middle.end", "int8", 30)]
    assert sorted(item.name for item in tmp_path.iterdir()) == ["m.begin", "m.int8.bin", "m.int8.end"]
    assert export.files == (tmp_path / "m.int8.bin", tmp_path / "m.int8.end")
    assert export.parity.images == 10
    assert (export.error_px, export.bound_px, export.card.precision) == (0, 0.5, "int8")


@pytest.mark.parametrize(
    ("target", "precision", "route"),
    [
        ("a.middle", "fp16", [".begin.middle"]),
        ("a.middle", "int8", [".begin.middle", ".middle.middle"]),
        ("a.end", "bf16", [".begin.middle", ".middle.end"]),
    ],
)
def test_the_route_depends_on_format_and_precision(
    catalog, begin, tmp_path: Path, target: str, precision: str, route: list[str]
) -> None:
    export_model(begin(), tmp_path / target, precision=precision, frames=frames(20), catalog=catalog)
    assert [name for name, _, _ in EXPORTS] == route


def test_an_exporter_that_does_not_convert_gets_a_file_in_its_precision(catalog, begin, tmp_path: Path) -> None:
    export_model(begin(), tmp_path / "a.typed", precision="fp16", frames=frames(), catalog=catalog)
    assert [step[:2] for step in EXPORTS] == [(".begin.middle", "fp16"), (".middle.typed", "fp16")]
    with pytest.raises(UsageError, match=r"no precision 'bf16' for \.typed files: choose from fp32, fp16$"):
        export_model(begin(), tmp_path / "b.typed", precision="bf16", catalog=catalog)


def test_no_frame_is_used_twice(catalog, begin, tmp_path: Path) -> None:
    export_model(begin(), tmp_path / "a.middle", precision="int8", frames=frames(20), catalog=catalog)
    assert [index for index in range(20) if index % 4] == CALIBRATION


def test_a_missing_route_or_precision_is_named(catalog, begin, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no precision 'fp8' for \.end files: choose from fp32, bf16, int8"):
        export_model(begin(), tmp_path / "a.end", precision="fp8", catalog=catalog)
    with pytest.raises(UnsupportedModelError, match=r"from \.begin to \.else; installed: \.begin to \.middle"):
        export_model(begin(), tmp_path / "a.else", catalog=catalog)


@pytest.mark.parametrize(
    ("precision", "off", "many", "message"),
    [
        ("fp32", 0.04, 999, None),
        ("fp32", 0.06, 1, r"in fp32 differs from its source by 0\.060 px over all keypoints"),
        ("fp16", 0.2, 999, None),
        ("fp16", 9.0, 1, None),  # 1 of 120 is beyond the 99th percentile
        ("fp16", 9.0, 3, r"9\.000 px at the 99th percentile of the confident keypoints .* more than the 0\.25 px"),
        ("int8", 0.4, 999, None),
        ("int8", 9.0, 1, None),  # 1 of 30 is beyond the 95th percentile
        ("int8", 9.0, 3, r"9\.000 px at the 95th percentile of the confident keypoints .* more than the 0\.5 px"),
    ],
)
def test_each_precision_has_its_bound(
    catalog, begin, tmp_path: Path, precision: str, off: float, many: int, message: str | None
) -> None:
    source = begin(then={"off": off, "many": many})
    images = frames(40)  # 120 keypoints; int8 is verified on ten frames with 30 keypoints
    if message is None:
        export = export_model(source, tmp_path / "a.middle", precision=precision, frames=images, catalog=catalog)
        assert export.parity.max_px == pytest.approx(off, abs=1e-3)
        return
    with pytest.raises(ModelError, match=message):
        export_model(source, tmp_path / "a.middle", precision=precision, frames=images, catalog=catalog)
    assert [item.name for item in tmp_path.iterdir()] == ["m.begin"]
    export_model(source, tmp_path / "a.middle", precision=precision, frames=images, max_error=10, catalog=catalog)


def test_without_confident_keypoints_the_bound_applies_to_all(catalog, begin, tmp_path: Path) -> None:
    source = begin(sure=0.5, then={"off": 9.0, "many": 1})
    with pytest.raises(ModelError, match=r"9\.000 px over all keypoints .* no keypoint of these frames is confident"):
        export_model(source, tmp_path / "a.middle", precision="fp16", frames=frames(40), catalog=catalog)


@pytest.mark.parametrize(
    ("exact", "export", "message"),
    [
        ({"off": -0.12}, {"off": 0.2}, None),
        (
            {"off": -0.12},
            {"off": 0.3},
            r"by 0\.300 px over all keypoints .* the 0\.24 px .* fp32 itself leaves 0\.120 px",
        ),
        ({"off": 0.01}, {"off": 0.06}, r"0\.060 px .* more than the 0\.05 px allowed; fp32 itself leaves 0\.010 px"),
        ({"off": 9.0}, {"off": 0.6}, r"0\.600 px .* more than the 0\.5 px allowed; fp32 itself leaves 9\.000 px"),
        # what one keypoint leaves open is no licence for the others
        ({"off": 9.0, "many": 1}, {"off": 0.4, "many": 2}, None),
        ({"off": 9.0, "many": 1}, {"off": 0.4}, r"half of the keypoints .* by 0\.400 px or more .* than the 0\.05 px"),
        ({"sure": 0.99}, {"sure": 0.985}, None),
        ({"sure": 0.99}, {"sure": 0.96}, r"confidences .* by 0\.0\d+ .* more than the 0\.0\d+ allowed; fp32 itself"),
        ({"sure": 0.5}, {"sure": 0.9}, r"confidences .* more than the 0\.05 allowed; fp32 itself"),
        ({}, {"sure": 0.98}, r"confidences .* more than the 0\.01 allowed; fp32 itself"),
    ],
)
def test_what_fp32_leaves_open_widens_its_bound(
    catalog, begin, tmp_path: Path, exact: dict, export: dict, message: str | None
) -> None:
    source = begin(exact=exact, then=export).rename(tmp_path / "m.fine")
    if message is None:
        done = export_model(source, tmp_path / "a.middle", frames=frames(), catalog=catalog)
        assert done.rounding is not None
        assert done.error_px == done.parity.max_px <= done.bound_px <= 0.5
        assert done.bound_px == pytest.approx(min(max(2 * done.rounding.px, 0.05), 0.5))
        assert done.parity.p95_confidence <= done.bound_confidence <= 0.05
        return
    with pytest.raises(ModelError, match=message):
        export_model(source, tmp_path / "a.middle", frames=frames(), catalog=catalog)
    assert [item.name for item in tmp_path.iterdir()] == ["m.fine"]


@pytest.mark.parametrize(
    ("export", "options", "message"),
    [
        ({"off": 0.04}, {}, None),
        ({"off": 0.3}, {"precision": "fp16"}, "more than the 0.25 px allowed; nothing was written"),
        ({"off": 0.2}, {"max_error": 0.1}, "more than the 0.1 px allowed; nothing was written"),
        ({"sure": 0.5}, {"max_error": 0.1}, None),
    ],
)
def test_fp64_is_computed_only_where_it_can_decide(
    catalog, begin, tmp_path: Path, export: dict, options: dict, message: str | None
) -> None:
    source = begin(exact={"off": 0.2}, then=export).rename(tmp_path / "m.fine")
    if message is None:
        assert export_model(source, tmp_path / "a.middle", frames=frames(), catalog=catalog, **options).rounding is None
    else:
        with pytest.raises(ModelError, match=message):
            export_model(source, tmp_path / "a.middle", frames=frames(), catalog=catalog, **options)
    assert "fp64" not in LOADED


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (None, r"calibration needs frames of the animal: pass a clip .*--video CLIP; got 0 frames"),
        (frames(15), "with at least 16 frames, as --video CLIP; got 15 frames"),
        (frames(20, visible=0.0), "finds no animal in the clip: no keypoint of 5 frames has a confidence of 0.6"),
    ],
)
def test_calibration_refuses_too_few_frames_or_frames_without_an_animal(
    catalog, begin, tmp_path: Path, images, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        export_model(begin(), tmp_path / "a.middle", precision="int8", frames=images, catalog=catalog)
    assert EXPORTS == []


def test_only_files_that_would_be_written_block_an_export(catalog, begin, tmp_path: Path) -> None:
    beside = tmp_path / "a.detector.middle"
    beside.write_text("another file")
    export = export_model(begin(), tmp_path / "a.middle", frames=frames(), catalog=catalog)
    assert (export.detector, beside.read_text()) == (None, "another file")
    with pytest.raises(OutputExistsError, match=r"a\.middle already exists"):
        export_model(begin(), tmp_path / "a.middle", frames=frames(), catalog=catalog)


def test_a_file_beside_the_target_is_overwritten_only_on_request(catalog, begin, tmp_path: Path) -> None:
    beside = tmp_path / "a.detector.middle"
    beside.write_text("another file")
    source = begin(detector=True)
    with pytest.raises(OutputExistsError, match=r"a\.detector\.middle already exists"):
        export_model(source, tmp_path / "a.middle", frames=frames(), catalog=catalog)
    assert beside.read_text() == "another file"
    assert not (tmp_path / "a.middle").exists()
    export = export_model(source, tmp_path / "a.middle", frames=frames(), overwrite=True, catalog=catalog)
    assert export.detector == beside
    assert beside.read_text() == "detector"
    (tmp_path / "a.middle").unlink()
    export_model(
        source, tmp_path / "a.middle", frames=frames(), catalog=catalog
    )  # the detector exists with the same content


def test_a_model_is_not_exported_onto_itself(catalog, begin, tmp_path: Path) -> None:
    source = begin().rename(tmp_path / "m.middle")
    with pytest.raises(UsageError, match="is the model itself"):
        export_model(source, source, precision="int8", frames=frames(20), overwrite=True, catalog=catalog)


def test_a_format_that_runs_only_on_a_gpu_is_compared_there(catalog, begin, tmp_path: Path) -> None:
    export_model(begin(), tmp_path / "a.gpu", frames=frames(), catalog=catalog)
    assert DEVICES == ["cpu", "cuda:0"]


def test_a_smaller_frame_that_is_padded_to_the_fixed_size_is_accepted(catalog, begin, tmp_path: Path) -> None:
    fixed = begin(then={"card": {"input_size": (128, 160), "pad_divisor": (32, 32)}}, card={"pad_divisor": (32, 32)})
    export = export_model(fixed, tmp_path / "a.middle", size=(160, 128), frames=frames(), catalog=catalog)
    assert export.parity.keypoints == 15
    with pytest.raises(UsageError, match="160 x 120 are smaller than the fixed input of 192 x 128"):
        export_model(fixed, tmp_path / "b.middle", size=(192, 128), frames=frames(), catalog=catalog)


@pytest.mark.parametrize("length", [1, 19, 20, 41, 300])
def test_frames_are_spread_over_a_clip_of_any_length(length: int) -> None:
    images = spread_frames(Numbered(length), 20)
    numbers = [int(image[0, 0, 0]) + 256 * int(image[0, 1, 0]) for image in images]
    assert len(numbers) == min(length, 20)
    steps = np.diff(numbers)
    assert numbers[0] == 0
    if length > 1:
        assert steps.min() > 0
        assert steps.max() <= 2 * max(1, length // 20)
        assert numbers[-1] >= length - 1 - 2 * max(1, length // 20)


def test_only_the_beginning_of_an_endless_clip_is_used() -> None:
    assert len(spread_frames(Numbered(10**6), 20)) == 20
    assert Numbered.last == LONGEST - 1


class Numbered(BlobSource):
    """Grey frames with their numbers in the first two pixels."""

    last = 0

    def __init__(self, length: int) -> None:
        super().__init__(frames=length, size=(4, 3))

    def draw(self, index: int) -> np.ndarray:
        Numbered.last = index
        image = np.zeros((3, 4), np.uint8)
        image[0, :2] = (index % 256, index // 256)
        return image
