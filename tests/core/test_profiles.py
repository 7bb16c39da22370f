"""Profiles: written and read again, picked up where they fit, refused where the model has changed."""

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
    Measured,
    Profile,
    Variant,
    profile_path,
    profile_to_json,
    read_profile,
)
from dlclive_core.regions import FollowingCropSpec
from dlclive_core.testing import BlobModel, BlobSource


class Blobs(BlobModel):
    """A runtime that remembers how it was loaded."""

    def __init__(self, path, *, device, precision, threads: int = 1) -> None:
        super().__init__()
        self.loaded = (Path(path).name, device, precision, threads)


def catalog() -> PluginCatalog:
    parts = tuple(
        RuntimeInfo(name=name, summary="", factory=f"{__name__}:Blobs", reads=(".onnx", ".pt"), preference=preference)
        for name, preference in (("slow", 1), ("quick", 0))
    )
    return PluginCatalog([Plugin(name="p", distribution="d", version="1", status="ready", components=parts)])


@pytest.fixture
def model(tmp_path: Path) -> Path:
    file = tmp_path / "mouse.onnx"
    file.write_bytes(b"a network")
    return file


def a_profile(model: Path, **changes) -> Profile:
    profile = Profile(
        model=model.name, sha256=sha256(model), machine=Machine.this(), runtime="quick", device="cpu", precision="bf16",
        options={"threads": 2}, resize=0.5, follow=FollowingCropSpec(threshold=0.5, margin=12, window=(64, 48), at_once=True),
        clip="clip.mp4", max_error=0.5, created="2026-11-25T12:00:00+01:00", versions={"numpy": "2"},
        table=(
            Measured(label="quick:bf16:cpu", p50_ms=1.5, p99_ms=2.5, p95_px=0.25, lost=1, frames=90),
            Measured(label="slow:fp32:cpu", p50_ms=9.0, p99_ms=9.5, p95_px=math.inf, frames=90, why="too far off"),
        ),
    )  # fmt: skip
    return replace(profile, **changes)


def write(model: Path, **changes) -> Path:
    path = profile_path(model)
    path.write_text(profile_to_json(a_profile(model, **changes)), encoding="utf-8")
    return path


def test_a_profile_is_read_as_it_was_written(model: Path) -> None:
    variant = Variant("mouse.dlclive/mouse.xml", "a" * 64, (("mouse.dlclive/mouse.bin", "b" * 64),))
    for changes in ({}, {"variant": variant}, {"follow": None, "max_error": None, "resize": 1.0}):
        path = write(model, **changes)
        assert read_profile(path) == a_profile(model, path=path, **changes)
    assert path.name == "mouse.profile.json"


@pytest.mark.parametrize("rotates", [True, False])
def test_a_profile_of_version_1_is_still_read(model: Path, rotates: bool) -> None:
    follow = FollowingCropSpec(window=(64, 48), rotates=rotates)
    path = write(model, follow=follow)
    values = json.loads(path.read_text()) | {"dlclive_profile": 1}
    values["follow"]["turns"] = values["follow"].pop("rotates")
    path.write_text(json.dumps(values))
    assert read_profile(path) == a_profile(model, path=path, follow=follow)


def change(values: dict, field: str, value: object) -> None:
    *places, last = field.split(".")
    for place in places:
        values = values[int(place) if place.isdigit() else place]
    if value is ...:
        del values[last]
    else:
        values[last] = value


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("runtime", ..., "runtime is missing"),
        ("runtime", "", "runtime is a text, not ''"),
        ("runtme", "onnx", "there is no runtme in a profile"),
        ("machine.cores", "two", "machine.cores is a whole number"),
        ("machine.memory", 3, "there is no machine.memory"),
        ("machine.gpus", "one", "machine.gpus is a list of texts"),
        ("sha256", "abc", "sha256 is a SHA-256"),
        ("resize", 0, "resize is a number above 0"),
        ("resize", True, "resize is a number above 0"),
        ("follow.window", [64], "follow.window is 2 whole numbers"),
        ("follow.window", [0, 4], "a window of 0 x 4 pixels is empty"),
        ("follow.threshold", 2, "confidence from 0 to 1"),
        ("follow.at_once", 1, "follow.at_once is true or false"),
        ("goal", "mean", "goal is one of p50, p99"),
        ("options", [], "options is no JSON object"),
        ("options", {"a b": 1}, "options.a b is no option"),
        ("options", {"threads": [1]}, "options.threads is no option"),
        ("table.1.label", 3, r"table\[1\].label is a text"),
        ("table", {}, "table is a list"),
        ("variant", {"file": "../x.onnx", "sha256": "a" * 64, "others": []}, "'../x.onnx' is not below its folder"),
        ("variant", {"file": "/x.onnx", "sha256": "a" * 64, "others": []}, "'/x.onnx' is not below its folder"),
        ("variant", {"file": "C:x.onnx", "sha256": "a" * 64, "others": []}, "'C:x.onnx' is not below its folder"),
        ("dlclive_profile", 3, "it has version 3, this dlclive-core reads versions 1 to 2: update dlclive-core"),
        ("dlclive_profile", 0, "it has version 0"),
        ("dlclive_profile", 1, "follow.turns is missing"),
    ],
)
def test_what_is_wrong_is_named(model: Path, field: str, value: object, said: str) -> None:
    path = write(model)
    values = json.loads(path.read_text())
    change(values, field, value)
    path.write_text(json.dumps(values))
    with pytest.raises(UsageError, match=said) as raised:
        read_profile(path)
    assert str(path) in str(raised.value)
    assert "--profile none" in str(raised.value)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[]", b"[" * 100_000, b"3"])
def test_what_is_no_profile_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.profile.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="profile"):
        read_profile(path)
    with pytest.raises(UsageError, match="no such profile"):
        read_profile(tmp_path / "y.json")


def test_the_profile_beside_a_model_is_used(model: Path) -> None:
    path = write(model)
    with load(model, catalog=catalog()) as loaded:
        assert loaded.loaded == ("mouse.onnx", "cpu", "bf16", 2)
        assert loaded.profile is not None
        assert loaded.profile.path == path
        window, smaller = loaded.profile.regions()
    assert isinstance(window, FollowingCrop)
    assert (window.threshold, window.margin, window.window, window.at_once) == (0.5, 12, (64, 48), True)
    assert isinstance(smaller, Resize)
    assert smaller.factor == 0.5


def test_options_of_the_caller_come_before_those_of_the_profile(model: Path) -> None:
    write(model)
    with load(model, catalog=catalog(), threads=5) as loaded:
        assert loaded.loaded == ("mouse.onnx", "cpu", "bf16", 5)


@pytest.mark.parametrize("how", [{"runtime": "slow"}, {"device": "cpu"}, {"precision": "fp32"}, {"profile": None}])
def test_it_is_not_used_where_the_caller_says_how(model: Path, how: dict) -> None:
    write(model)
    with load(model, catalog=catalog(), **how) as loaded:
        assert loaded.profile is None
        assert loaded.loaded[3] == 1


def test_without_one_nothing_changes(model: Path) -> None:
    with load(model, catalog=catalog()) as loaded:
        assert loaded.profile is None
        assert loaded.loaded == ("mouse.onnx", "auto", "auto", 1)


def test_a_model_that_has_changed_is_refused_in_one_line(model: Path) -> None:
    path = write(model)
    model.write_bytes(b"another network")
    for wanted in ("auto", path):
        with pytest.raises(
            UsageError, match=r"mouse.onnx has changed since .*mouse.profile.json was made.*--profile none"
        ):
            load(model, profile=wanted, catalog=catalog())
    with load(model, profile="none", catalog=catalog()) as loaded:
        assert loaded.profile is None


def test_a_profile_of_the_file_with_another_suffix_is_not_meant(model: Path) -> None:
    path = write(model)
    other = model.with_suffix(".pt")
    other.write_bytes(b"weights")
    with load(other, catalog=catalog()) as loaded:
        assert loaded.profile is None
    with pytest.raises(UsageError, match=r"is for mouse.onnx, not for mouse.pt"):
        load(other, profile=path, catalog=catalog())


def test_a_profile_of_another_machine_is_told_and_not_used(model: Path, caplog: pytest.LogCaptureFixture) -> None:
    here = Machine.this()
    path = write(model, machine=replace(here, cores=here.cores + 1, gpus=("A GPU",)))
    with caplog.at_level(logging.WARNING), load(model, catalog=catalog()) as loaded:
        assert loaded.profile is None
    (notice,) = caplog.messages
    assert "another machine" in notice
    assert f"{here.cores + 1} cores there, {here.cores} cores here" in notice
    caplog.clear()
    with caplog.at_level(logging.WARNING), load(model, profile=path, catalog=catalog()) as loaded:
        assert loaded.profile is not None  # who names it wants it
    assert len(caplog.messages) == 1


def test_a_variant_is_loaded_in_place_of_the_model_and_checked(model: Path) -> None:
    folder = model.parent / "mouse.dlclive"
    folder.mkdir()
    files = [folder / "mouse.onnx", folder / "mouse.bin"]
    for file in files:
        file.write_bytes(file.name.encode())
    variant = Variant("mouse.dlclive/mouse.onnx", sha256(files[0]), (("mouse.dlclive/mouse.bin", sha256(files[1])),))
    write(model, variant=variant, precision="int8")
    with load(model, catalog=catalog()) as loaded:
        assert loaded.loaded[:3] == ("mouse.onnx", "cpu", "int8")
    files[1].write_bytes(b"other weights")
    with pytest.raises(UsageError, match=r"mouse.bin has changed since .* was made"):
        load(model, catalog=catalog())
    files[0].unlink()
    with pytest.raises(UsageError, match=r"mouse.dlclive.mouse.onnx is not there any more"):
        load(model, catalog=catalog())
    with load(model, precision="fp32", catalog=catalog()) as loaded:
        assert loaded.profile is None


def test_a_runtime_that_is_not_installed_any_more_is_named_with_the_profile(model: Path) -> None:
    write(model, runtime="gone")
    with pytest.raises(PluginError, match=r"mouse.profile.json asks for gone: .*--profile none"):
        load(model, catalog=catalog())


def test_a_profile_and_a_runtime_cannot_both_be_named(model: Path) -> None:
    path = write(model)
    with pytest.raises(UsageError, match="not both"):
        load(model, "slow", profile=path, catalog=catalog())


def test_a_session_takes_the_regions_of_its_models_profile(model: Path) -> None:
    write(model)
    with load(model, catalog=catalog()) as loaded:
        session = Session(source=BlobSource(), model=loaded)
        assert [type(region) for region in session.region.regions] == [FollowingCrop, Resize]
        again = Session(source=BlobSource(), model=loaded)
        assert again.region.regions[0] is not session.region.regions[0]  # each follows its own animal
        assert Session(source=BlobSource(), model=loaded, regions=[]).region.regions == ()


def test_the_poses_are_those_of_the_whole_frame(model: Path) -> None:
    write(model, resize=1.0, follow=FollowingCropSpec(margin=20, at_once=True))
    source, sink = BlobSource(frames=12), MemorySink()
    with load(model, catalog=catalog()) as loaded:
        Session(source=source, model=loaded, sinks=[sink]).run()
    for index, pose in enumerate(sink.poses):
        np.testing.assert_allclose(pose.xy[0], source.truth(index)[:, :2], atol=0.6)


def test_dlclive_takes_it_too_unless_it_is_given_its_own(model: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(model, follow=FollowingCropSpec(margin=20), resize=1.0)
    source = BlobSource(size=(160, 120))
    with DLCLive(model, convert2rgb=False, catalog=catalog()) as live:
        live.init_inference(source.draw(0))
        assert live.model.profile is not None
        np.testing.assert_allclose(live.get_pose(source.draw(1))[:, :2], source.truth(1)[:, :2], atol=0.6)
    assert not caplog.messages
    with DLCLive(model, resize=0.5, catalog=catalog()) as live:
        live.get_pose(source.draw(0))
    assert "as given" in caplog.messages[0]
