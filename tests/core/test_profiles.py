"""Profiles: round trips through the file, when they apply, and when they are refused."""

import json
import logging
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dlclive_core import DLCLive, FollowingCrop, MemorySink, PluginCatalog, Resize, RuntimeInfo, Session, UsageError
from dlclive_core import load_model as load
from dlclive_core.errors import PluginError
from dlclive_core.machine.system import sha256
from dlclive_core.plugins.catalog import Plugin
from dlclive_core.profiles import (
    Machine,
    Profile,
    TableRow,
    Variant,
    profile_path,
    profile_to_json,
    read_profile,
)
from dlclive_core.regions import FollowingCropSpec
from dlclive_core.testing import BlobModel, BlobSource


class Blobs(BlobModel):
    """A runtime that records its arguments."""

    def __init__(self, path, *, device, precision, threads: int = 1) -> None:
        super().__init__()
        self.loaded = (Path(path).name, device, precision, threads)


def catalog() -> PluginCatalog:
    parts = tuple(
        RuntimeInfo(
            name=name,
            summary="",
            factory=f"{__name__}:Blobs",
            reads=(".onnx", ".pt"),
            preference=preference,
            profile_options=("threads",),
        )
        for name, preference in (("slow", 1), ("quick", 0))
    )
    return PluginCatalog([Plugin(name="p", distribution="d", version="1", status="ready", components=parts)])


@pytest.fixture
def model(tmp_path: Path) -> Path:
    file = tmp_path / "mouse.onnx"
    file.write_bytes(b"a network")
    return file


def build_profile(model: Path, **changes) -> Profile:
    profile = Profile(
        model=model.name, sha256=sha256(model), machine=Machine.this(), runtime="quick", device="cpu", precision="bf16",
        options={"threads": 2}, resize=0.5, follow=FollowingCropSpec(threshold=0.5, margin=12, window=(64, 48), at_once=True),
        clip="clip.mp4", max_error=0.5, created="2026-11-25T12:00:00+01:00", versions={"numpy": "2"},
        table=(
            TableRow(label="quick:bf16:cpu", p50_ms=1.5, p99_ms=2.5, p95_px=0.25, lost=1, frames=90),
            TableRow(label="slow:fp32:cpu", p50_ms=9.0, p99_ms=9.5, p95_px=math.inf, frames=90, why="too far off"),
        ),
    )  # fmt: skip
    return replace(profile, **changes)


def write_profile(model: Path, **changes) -> Path:
    path = profile_path(model)
    path.write_text(profile_to_json(build_profile(model, **changes)), encoding="utf-8")
    return path


def test_a_profile_survives_the_round_trip(model: Path) -> None:
    variant = Variant("mouse.dlclive/mouse.xml", "a" * 64, (("mouse.dlclive/mouse.bin", "b" * 64),))
    student = replace(variant, student="window-128")
    for changes in ({}, {"variant": variant}, {"variant": student}, {"follow": None, "max_error": None, "resize": 1.0}):
        path = write_profile(model, **changes)
        assert read_profile(path) == build_profile(model, path=path, **changes)
    assert path.name == "mouse.profile.json"


@pytest.mark.parametrize("rotates", [True, False])
def test_version_1_is_read_and_its_label_sizes_are_swapped(model: Path, rotates: bool) -> None:
    """Version 1 had `turns` for `rotates`, the window as (width, height), and labels with sizes as HEIGHTxWIDTH."""
    follow = FollowingCropSpec(window=(64, 48), rotates=rotates)
    setting = "quick:bf16:cpu"
    old = ["at 0.5, following 48x64 or 64x48", "at 120x160", "at 0.5, threads=2"]
    new = ["at 0.5, following 64x48 or 48x64", "at 160x120", "at 0.5, threads=2"]

    def table(labels: list[str]) -> tuple[TableRow, ...]:
        return tuple(TableRow(label=f"{setting} {label}") for label in labels)

    path = write_profile(model, follow=follow, table=table(old))
    values = json.loads(path.read_text()) | {"dlclive_profile": 1}
    values["follow"]["turns"] = values["follow"].pop("rotates")
    path.write_text(json.dumps(values))
    assert read_profile(path) == build_profile(model, path=path, follow=follow, table=table(new))


def test_version_2_is_read_and_knows_no_students(model: Path) -> None:
    variant = Variant("mouse.dlclive/mouse.onnx", "a" * 64)
    path = write_profile(model, variant=variant)
    values = json.loads(path.read_text()) | {"dlclive_profile": 2}
    del values["variant"]["student"]
    path.write_text(json.dumps(values))
    assert read_profile(path) == build_profile(model, path=path, variant=variant)


def test_the_label_names_the_student_that_answers(model: Path) -> None:
    variant = Variant("mouse.dlclive/mouse.onnx", "a" * 64, student="window-128")
    profile = build_profile(model, variant=variant, resize=1.0, follow=None)
    assert profile.label == "student window-128, quick:bf16:cpu threads=2"
    assert build_profile(model).student == ""


def test_labels_of_the_current_version_are_unchanged(model: Path) -> None:
    table = (TableRow(label="quick:bf16:cpu following 64x48 or 48x64"),)
    assert read_profile(write_profile(model, table=table)).table == table


def change(values: dict, field: str, value: object) -> None:
    *parents, last = field.split(".")
    for parent in parents:
        values = values[int(parent) if parent.isdigit() else parent]
    if value is ...:
        del values[last]
    else:
        values[last] = value


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("runtime", ..., "runtime is missing"),
        ("runtime", "", "runtime must be text, not ''"),
        ("runtme", "onnx", "unknown field runtme"),
        ("machine.cores", "two", "machine.cores must be an integer"),
        ("machine.memory", 3, "unknown field machine.memory"),
        ("machine.gpus", "one", "machine.gpus must be a list of strings"),
        ("sha256", "abc", "sha256 must be a SHA-256"),
        ("resize", 0, "resize must be a number above 0"),
        ("resize", True, "resize must be a number above 0"),
        ("follow.window", [64], "follow.window must be 2 integers"),
        ("follow.window", [0, 4], "a window of 0 x 4 pixels is empty"),
        ("follow.threshold", 2, "confidence from 0 to 1"),
        ("follow.at_once", 1, "follow.at_once must be true or false"),
        ("goal", "mean", "goal must be one of p50, p99"),
        ("options", [], "options is not a JSON object"),
        ("options", {"a b": 1}, "options.a b is not a valid option"),
        ("options", {"threads": [1]}, "options.threads is not a valid option"),
        ("options", {"threads": 10**6}, "options.threads is not a valid option"),
        ("options", {"threads": math.nan}, "options.threads is not a valid option"),
        ("options", {"spinning": "x" * 65}, "options.spinning is not a valid option"),
        ("table.1.label", 3, r"table\[1\].label must be text"),
        ("table", {}, "table must be a list"),
        (
            "variant",
            {"file": "../x.onnx", "sha256": "a" * 64, "others": []},
            "'../x.onnx' is not below the folder of the profile",
        ),
        (
            "variant",
            {"file": "/x.onnx", "sha256": "a" * 64, "others": []},
            "'/x.onnx' is not below the folder of the profile",
        ),
        (
            "variant",
            {"file": "C:x.onnx", "sha256": "a" * 64, "others": []},
            "'C:x.onnx' is not below the folder of the profile",
        ),
        ("dlclive_profile", 4, "version 4; this dlclive-core reads versions 1 to 3: update dlclive-core"),
        ("dlclive_profile", 0, "version 0;"),
        ("dlclive_profile", 1, "follow.turns is missing"),
    ],
)
def test_errors_name_the_file_and_the_field(model: Path, field: str, value: object, message: str) -> None:
    path = write_profile(model)
    values = json.loads(path.read_text())
    change(values, field, value)
    path.write_text(json.dumps(values))
    with pytest.raises(UsageError, match=message) as raised:
        read_profile(path)
    assert str(path) in str(raised.value)
    assert "--profile none" in str(raised.value)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[]", b"[" * 100_000, b"3"])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.profile.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="profile"):
        read_profile(path)
    with pytest.raises(UsageError, match="no such profile"):
        read_profile(tmp_path / "y.json")


def test_the_profile_beside_a_model_is_used(model: Path) -> None:
    path = write_profile(model)
    with load(model, catalog=catalog()) as loaded:
        assert loaded.loaded == ("mouse.onnx", "cpu", "bf16", 2)
        assert loaded.profile is not None
        assert loaded.profile.path == path
        window, smaller = loaded.profile.regions()
    assert isinstance(window, FollowingCrop)
    assert (window.threshold, window.margin, window.window, window.at_once) == (0.5, 12, (64, 48), True)
    assert isinstance(smaller, Resize)
    assert smaller.factor == 0.5


def test_the_callers_options_override_the_profiles(model: Path) -> None:
    write_profile(model)
    with load(model, catalog=catalog(), threads=5) as loaded:
        assert loaded.loaded == ("mouse.onnx", "cpu", "bf16", 5)


@pytest.mark.parametrize(
    "arguments", [{"runtime": "slow"}, {"device": "cpu"}, {"precision": "fp32"}, {"profile": None}]
)
def test_a_profile_is_not_used_if_the_caller_sets_runtime_device_or_precision(model: Path, arguments: dict) -> None:
    write_profile(model)
    with load(model, catalog=catalog(), **arguments) as loaded:
        assert loaded.profile is None
        assert loaded.loaded[3] == 1


def test_without_a_profile_the_defaults_apply(model: Path) -> None:
    with load(model, catalog=catalog()) as loaded:
        assert loaded.profile is None
        assert loaded.loaded == ("mouse.onnx", "auto", "auto", 1)


def test_a_model_that_has_changed_is_refused(model: Path) -> None:
    path = write_profile(model)
    model.write_bytes(b"another network")
    for profile in ("auto", path):
        with pytest.raises(
            UsageError, match=r"mouse.onnx has changed since .*mouse.profile.json was made.*--profile none"
        ):
            load(model, profile=profile, catalog=catalog())
    with load(model, profile="none", catalog=catalog()) as loaded:
        assert loaded.profile is None


def test_a_profile_of_the_file_with_another_suffix_does_not_apply(model: Path) -> None:
    path = write_profile(model)
    other = model.with_suffix(".pt")
    other.write_bytes(b"weights")
    with load(other, catalog=catalog()) as loaded:
        assert loaded.profile is None
    with pytest.raises(UsageError, match=r"is for mouse.onnx, not for mouse.pt"):
        load(other, profile=path, catalog=catalog())


def test_a_profile_of_another_machine_is_not_used_but_reported(model: Path, caplog: pytest.LogCaptureFixture) -> None:
    here = Machine.this()
    path = write_profile(model, machine=replace(here, cores=here.cores + 1, gpus=("A GPU",)))
    with caplog.at_level(logging.WARNING), load(model, catalog=catalog()) as loaded:
        assert loaded.profile is None
    (notice,) = caplog.messages
    assert "another machine" in notice
    assert f"{here.cores + 1} cores there, {here.cores} cores here" in notice
    caplog.clear()
    with caplog.at_level(logging.WARNING), load(model, profile=path, catalog=catalog()) as loaded:
        assert loaded.profile is not None  # named by the user
    assert len(caplog.messages) == 1


def test_a_variant_replaces_the_model_and_is_checked(model: Path) -> None:
    folder = model.parent / "mouse.dlclive"
    folder.mkdir()
    files = [folder / "mouse.onnx", folder / "mouse.bin"]
    for file in files:
        file.write_bytes(file.name.encode())
    variant = Variant("mouse.dlclive/mouse.onnx", sha256(files[0]), (("mouse.dlclive/mouse.bin", sha256(files[1])),))
    write_profile(model, variant=variant, precision="int8")
    with load(model, catalog=catalog()) as loaded:
        assert loaded.loaded[:3] == ("mouse.onnx", "cpu", "int8")
    files[1].write_bytes(b"other weights")
    with pytest.raises(UsageError, match=r"mouse.bin, which .* loads in place of the model, has changed since"):
        load(model, catalog=catalog())
    files[0].unlink()
    with pytest.raises(UsageError, match=r"mouse.dlclive.mouse.onnx, which .* loads in place of the model, is missing"):
        load(model, catalog=catalog())
    with load(model, precision="fp32", catalog=catalog()) as loaded:
        assert loaded.profile is None


def test_a_missing_runtime_is_reported_with_the_profile(model: Path) -> None:
    write_profile(model, runtime="gone")
    with pytest.raises(PluginError, match=r"mouse.profile.json asks for gone: .*--profile none"):
        load(model, catalog=catalog())


@pytest.mark.parametrize(
    "options",
    [
        {"trust": True},
        {"threads": 2, "trust": True},
        {"detector": "their.onnx"},  # a file
        {"conditions": "their.onnx"},  # an option of load_model itself, which loads another model
        {"cuda_stream": 140_000_000_000 % 4096},  # an address
        {"anything": "else"},
    ],
)
def test_a_profile_sets_only_what_the_runtime_lets_a_profile_set(model: Path, options: dict) -> None:
    write_profile(model, options=options)
    bad = next(name for name in options if name != "threads")
    for profile in ("auto", profile_path(model), build_profile(model, options=options)):
        with pytest.raises(
            UsageError, match=rf"sets '{bad}', which no profile may set.*it may set threads.*none"
        ) as raised:
            load(model, profile=profile, catalog=catalog())
        assert "\n" not in str(raised.value)


def test_a_profile_sets_nothing_for_a_runtime_that_says_nothing(model: Path) -> None:
    silent = RuntimeInfo(name="quick", summary="", factory=f"{__name__}:Blobs", reads=(".onnx",))
    plugin = Plugin(name="p", distribution="d", version="1", status="ready", components=(silent,))
    write_profile(model, options={"threads": 2})
    with pytest.raises(
        UsageError, match=r"sets 'threads', which no profile may set for runtime 'quick' .it may set nothing"
    ):
        load(model, catalog=PluginCatalog([plugin]))
    write_profile(model, options={})
    with load(model, catalog=PluginCatalog([plugin])) as loaded:
        assert loaded.loaded == ("mouse.onnx", "cpu", "bf16", 1)


def test_our_runtimes_let_a_profile_set_nothing_but_speed() -> None:
    options = {info.name: set(info.profile_options) for info in PluginCatalog.installed().components(RuntimeInfo)}
    assert {"onnx", "openvino", "tensorrt", "torch"} <= options.keys()
    unsafe = {
        "trust",
        "detector",
        "cache",
        "cuda_stream",
        "allow_fallback",
        "conditions",
        "path",
        "device",
        "precision",
    }
    assert {name: options[name] & unsafe for name in options} == {name: set() for name in options}
    assert all("threads" in options[name] for name in ("onnx", "openvino", "torch"))  # what `dlclive tune` tries


def test_a_profile_and_a_runtime_exclude_each_other(model: Path) -> None:
    path = write_profile(model)
    with pytest.raises(UsageError, match="not both"):
        load(model, "slow", profile=path, catalog=catalog())


def test_a_session_uses_the_regions_of_its_models_profile(model: Path) -> None:
    write_profile(model)
    with load(model, catalog=catalog()) as loaded:
        session = Session(source=BlobSource(), model=loaded)
        assert [type(region) for region in session.region.regions] == [FollowingCrop, Resize]
        again = Session(source=BlobSource(), model=loaded)
        assert again.region.regions[0] is not session.region.regions[0]  # each follows its own animal
        assert Session(source=BlobSource(), model=loaded, regions=[]).region.regions == ()


def test_poses_are_in_frame_pixels(model: Path) -> None:
    write_profile(model, resize=1.0, follow=FollowingCropSpec(margin=20, at_once=True))
    source, sink = BlobSource(frames=12), MemorySink()
    with load(model, catalog=catalog()) as loaded:
        Session(source=source, model=loaded, sinks=[sink]).run()
    for index, pose in enumerate(sink.poses):
        np.testing.assert_allclose(pose.xy[0], source.truth(index)[:, :2], atol=0.6)


def test_dlclive_uses_the_profile_unless_regions_are_given(model: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_profile(model, follow=FollowingCropSpec(margin=20), resize=1.0)
    source = BlobSource(size=(160, 120))
    with DLCLive(model, convert2rgb=False, catalog=catalog()) as live:
        live.init_inference(source.draw(0))
        assert live.model.profile is not None
        np.testing.assert_allclose(live.get_pose(source.draw(1))[:, :2], source.truth(1)[:, :2], atol=0.6)
    assert not caplog.messages
    with DLCLive(model, resize=0.5, catalog=catalog()) as live:
        live.get_pose(source.draw(0))
    assert "your cropping, dynamic and resize options replace" in caplog.messages[0]
