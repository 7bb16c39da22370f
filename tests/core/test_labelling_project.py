"""What config.yaml says to those who add frames, and the entry of a video that is added to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlclive_core import DataError, ModelCard, ModelError, Skeleton, UsageError
from dlclive_core.runtimes import LabellingProject, add_video_set, read_config, video_name, video_set_line

SINGLE = """\
# Project definitions (do not edit)
Task: reach
scorer: Ada
multianimalproject: false

video_sets:  # all of them
  /data/videos/one.mp4:
    crop: 0, 640, 0, 480
  C:\\videos\\two.one.avi:
    crop: 0, 640, 0, 480
bodyparts:   # in order
- snout
- on
iteration: 3
"""
MULTI = """\
scorer: Ada
multianimalproject: true
individuals: [a, b]
multianimalbodyparts: [snout, tail]
uniquebodyparts: [lever]
bodyparts: MULTI!
video_sets: {}
iteration:
"""


def project(folder: Path, text: str) -> LabellingProject:
    (folder / "config.yaml").write_text(text, encoding="utf-8")
    return LabellingProject.read(folder)


def card(*keypoints: str, **facts: object) -> ModelCard:
    return ModelCard(net_type="test", skeleton=Skeleton(keypoints), **facts)  # type: ignore[arg-type]


def test_a_single_animal_project(tmp_path: Path) -> None:
    found = project(tmp_path, SINGLE)
    assert (found.scorer, found.iteration, found.keypoints) == ("Ada", 3, ("snout", "on"))
    assert (found.individuals, found.unique_keypoints, found.multi_animal) == ((), (), False)
    assert found.videos == ("one", "two.one")
    found.check(card("on", "snout"))


def test_a_multi_animal_project(tmp_path: Path) -> None:
    found = project(tmp_path, MULTI)
    assert (found.iteration, found.keypoints, found.individuals) == (0, ("snout", "tail"), ("a", "b"))
    assert (found.unique_keypoints, found.multi_animal, found.videos) == (("lever",), True, ())
    found.check(card("snout", "tail", multi_animal=True, individuals=("a", "b"), unique_keypoints=("lever",)))


@pytest.mark.parametrize(
    ("text", "model", "message"),
    [
        (
            SINGLE,
            card("snout", "of"),
            "has no keypoint 'of'.* choose from on, snout|has no keypoint 'of'.*did you mean 'on'",
        ),
        (SINGLE, card("snout"), "no keypoint 'on', which .*config.yaml has"),
        (SINGLE, card("snout", "on", multi_animal=True), "is a single-animal project"),
        (MULTI, card("snout", "tail"), "is a multi-animal project"),
        (
            MULTI,
            card("snout", "tail", multi_animal=True, individuals=("c",)),
            "has no individual 'c'|unique keypoint 'lever'",
        ),
        (MULTI, card("snout", "tail", multi_animal=True, individuals=("a",)), "no unique keypoint 'lever'"),
    ],
)
def test_another_model_is_refused(tmp_path: Path, text: str, model: ModelCard, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        project(tmp_path, text).check(model)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("video_sets:  # all of them", "videos:", "it has no scorer and video_sets"),
        ("scorer: Ada", "scorer: [Ada]", "scorer is"),
        ("iteration: 3", "iteration: -1", "iteration is -1"),
        ("iteration: 3", "iteration: true", "iteration is True"),
        ("- snout\n- on\n", "  snout: on\n", "bodyparts is"),
    ],
)
def test_a_config_that_is_none_is_refused(tmp_path: Path, before: str, after: str, message: str) -> None:
    assert before in SINGLE
    with pytest.raises(ModelError, match=message):
        project(tmp_path, SINGLE.replace(before, after))


def test_names_of_videos() -> None:
    assert [video_name(path) for path in ("/a/b.c.mp4", "C:\\x\\y.avi", "z.mkv")] == ["b.c", "y", "z"]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "video",
    ["/data/new one.mp4", "C:\\rig\\new.avi", "/data/new: #1.mp4", "/däta/ü.mp4", "/data/'a'.mp4", "/data/true"],
)
@pytest.mark.parametrize("text", [SINGLE, MULTI, MULTI.replace("{}", "''  # none"), MULTI.replace(" {}", "")])
def test_an_entry_is_added_and_nothing_else_changes(tmp_path: Path, text: str, video: str, end: str) -> None:
    config = tmp_path / "config.yaml"
    before = text.replace("\n", end).encode()
    config.write_bytes(before)
    old = read_config(config)
    backup = add_video_set(config, video, (1280, 720))
    assert backup.read_bytes() == before
    new = read_config(config)
    assert new["video_sets"] == {**(old["video_sets"] or {}), video: {"crop": "0, 1280, 0, 720"}}
    assert {key: value for key, value in new.items() if key != "video_sets"} == {
        key: value for key, value in old.items() if key != "video_sets"
    }
    lines = config.read_bytes().decode().split(end)
    kept = [line for line in text.split("\n") if not line.startswith("video_sets")]
    assert [line for line in lines if line in kept] == kept
    assert ("# all of them" in text) == ("# all of them" in config.read_text(encoding="utf-8"))
    assert add_video_set(config, f"{video}2", (1, 1)) == tmp_path / "config.yaml.bak2"


def test_a_flow_mapping_of_several_lines_is_left_to_the_user(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    text = MULTI.replace("{}", "{/a/b.mp4: {crop: '0, 1, 0, 1'},\n  /a/c.mp4: {crop: '0, 1, 0, 1'}}")
    config.write_text(text)
    with pytest.raises(DataError, match=r"by hand: /n\.mp4: \{crop: \"0, 8, 0, 6\"\}"):
        add_video_set(config, "/n.mp4", (8, 6))
    assert config.read_text() == text
    assert [path.name for path in tmp_path.iterdir()] == ["config.yaml"]


@pytest.mark.parametrize("video", ["/a/b.mp4", "/a/b: c.mp4", "/a/#.mp4"])
def test_the_line_of_a_video_is_yaml(tmp_path: Path, video: str) -> None:
    (tmp_path / "a.yaml").write_text(video_set_line(video, (640, 480)))
    assert read_config(tmp_path / "a.yaml") == {video: {"crop": "0, 640, 0, 480"}}
