"""The names that DeepLabCut gives its snapshots, and which of them is used."""

from pathlib import Path

import pytest

from dlclive_core.deeplabcut.locate import locate_model
from dlclive_core.deeplabcut.snapshots import Snapshot, detector_snapshots, is_detector_snapshot, list_snapshots

ADAPTED = "runner:\n  snapshot_prefix: snapshot-hrnet_w32\ndetector:\n  runner:\n    snapshot_prefix: snapshot-fasterrcnn_v2\n"
"""What a SuperAnimal model's configuration says once it is adapted to a video."""


def make(folder: Path, *names: str, config: str = "runner:\n  snapshot_prefix: null\ndetector: null\n") -> Path:
    (folder / "pytorch_config.yaml").write_text(config)
    for name in names:
        (folder / name).touch()
    return folder


@pytest.mark.parametrize(
    ("name", "prefix", "uid"),
    [
        ("snapshot-050.pt", "snapshot", "50"),
        ("snapshot-1000.pt", "snapshot", "1000"),
        ("snapshot-best-000.pt", "snapshot", "best-0"),
        ("snapshot-detector-best-190.pt", "snapshot-detector", "best-190"),
        ("snapshot-hrnet_w32-best-004.pt", "snapshot-hrnet_w32", "best-4"),
        ("snapshot-fasterrcnn_resnet50_fpn_v2-004.pt", "snapshot-fasterrcnn_resnet50_fpn_v2", "4"),
    ],
)
def test_a_name_is_read(name: str, prefix: str, uid: str) -> None:
    snapshot = Snapshot.from_path(Path(name))
    assert snapshot is not None
    assert (snapshot.prefix, snapshot.uid) == (prefix, uid)


@pytest.mark.parametrize(
    "name", ["snapshot.pt", "snapshot-best.pt", "snapshot-050.pth", "model.pt", "snapshot-050.pt.part"]
)
def test_other_names_are_none(name: str) -> None:
    assert Snapshot.from_path(Path(name)) is None


def test_the_best_is_last_and_then_the_latest(tmp_path: Path) -> None:
    make(tmp_path, "snapshot-100.pt", "snapshot-best-020.pt", "snapshot-1000.pt", "snapshot-detector-100.pt")
    snapshots = list_snapshots(tmp_path)
    assert [item.uid for item in snapshots.poses] == ["100", "1000", "best-20"]
    assert [item.uid for item in snapshots.detectors] == ["100"]


def test_adapted_models_are_told_from_their_detectors_by_the_configuration(tmp_path: Path) -> None:
    poses = ("snapshot-hrnet_w32-003.pt", "snapshot-hrnet_w32-best-004.pt")
    detectors = ("snapshot-fasterrcnn_v2-002.pt", "snapshot-fasterrcnn_v2-004.pt")
    make(tmp_path, *poses, *detectors, config=ADAPTED)
    located = locate_model(tmp_path, {".pt"})
    assert located.name == "snapshot-hrnet_w32-best-004.pt"
    assert [path.name for path in detector_snapshots(located)] == list(detectors)
    assert is_detector_snapshot(tmp_path / detectors[0])
    assert not is_detector_snapshot(located)


def test_without_the_configuration_only_its_own_names_are_known(tmp_path: Path) -> None:
    make(tmp_path, "snapshot-hrnet_w32-003.pt", "snapshot-005.pt", "snapshot-detector-best-010.pt", config="[")
    snapshots = list_snapshots(tmp_path)
    assert [item.path.name for item in snapshots.poses] == ["snapshot-005.pt"]
    assert [item.path.name for item in snapshots.detectors] == ["snapshot-detector-best-010.pt"]


def test_a_prefix_of_ones_own(tmp_path: Path) -> None:
    make(tmp_path, "mouse-010.pt", "mouse-best-005.pt", config="runner: {snapshot_prefix: mouse}\n")
    assert locate_model(tmp_path, {".pt"}).name == "mouse-best-005.pt"
