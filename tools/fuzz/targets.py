"""What is tried: for each kind of file, valid ones, how they are changed, and the public function that reads them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from dlclive_io.outliers.frame_folder import FrameFolder
from dlclive_io.outliers.outlier_table import table_text
from dlclive_io.recovery.recover import recover
from dlclive_io.tables.journal_content import JournalContent
from dlclive_io.tables.table_layout import TableLayout

from dlclive_core import Calibration, DataError, DLCLiveError, ModelCard
from dlclive_core.cli.live.session_file import read_session_file
from dlclive_core.profiles import read_profile
from dlclive_core.runtimes import HeatmapDecoding, LabellingProject, PoseConfig, add_video_set, json_text, read_config
from tools.fuzz import pose_files, seeds
from tools.fuzz.mutation import as_json, as_yaml, changed_bytes, changed_values


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One kind of file.

    Attributes:
        name: on the command line.
        reader: what reads it, for the table.
        values: of valid files; empty where only bytes are changed.
        write: from values to a file.
        read: reads a file, in an empty folder; raises what the reader raises.
        files: valid files; made of `values` where it is empty.
    """

    name: str
    reader: str
    read: Callable[[bytes, Path], object]
    values: Sequence[Any] = ()
    write: Callable[[Any, Random], bytes] = as_json
    files: Sequence[bytes] = ()

    def valid(self) -> list[bytes]:
        """Files that must be read."""
        return [*self.files, *(self.write(values, _Plain()) for values in self.values)]

    def hostile(self, index: int, seed: int) -> bytes:
        """One input: always the same for an index and a seed."""
        random = Random(f"{self.name}:{seed}:{index}")
        valid = self._valid()
        if self.values and random.random() < 0.6:
            return self.write(changed_values(random.choice(self.values), random), random)
        return changed_bytes(random.choice(valid), random, valid)

    def _valid(self) -> list[bytes]:
        if self.name not in _VALID:
            _VALID[self.name] = self.valid()
        return _VALID[self.name]


_VALID: dict[str, list[bytes]] = {}


class _Plain(Random):
    """Writes files as programs do: the first of each choice, in UTF-8."""

    def random(self) -> float:
        return 0.4

    def choice(self, seq: Any) -> Any:
        return seq[0]


def _card(data: bytes, folder: Path) -> None:
    card = ModelCard.from_json(data.decode("utf-8", "surrogateescape"), "card")
    assert ModelCard.from_json(card.to_json()) == card
    TableLayout(card)


def _configuration(data: bytes, folder: Path) -> None:
    path = folder / "pytorch_config.yaml"
    path.write_bytes(data)
    config = PoseConfig.read(path)
    card = config.card(scorer="s", format="f", stride=8.0)
    assert ModelCard.from_json(card.to_json()) == card
    HeatmapDecoding.from_head(config.head(), stride=8.0)


def _in_a_file(name: str, read: Callable[[Path], object]) -> Callable[[bytes, Path], object]:
    def write_and_read(data: bytes, folder: Path) -> object:
        path = folder / name
        path.write_bytes(data)
        return read(path)

    return write_and_read


def _journal(path: Path) -> None:
    content = JournalContent(path)
    columns = len(TableLayout(content.card, content.dimensions).columns)
    for _ in content.frames(columns):
        pass


def _recovery(data: bytes, folder: Path) -> None:
    """What it cannot complete is in the report, with the reason; a reason that is Python's is a fault of the reader."""
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / "table.csv.part").write_bytes(data)
    (folder / "table.csv.part.lock").touch()  # of a run that was killed
    for file in recover(folder).files:
        if file.error:
            assert "Error: " not in file.error, file.error
            raise DLCLiveError(file.error)


def _kept_frame(data: bytes, folder: Path) -> None:
    """A frame whose JSON cannot be read is left out; what is read can be put into a table, and written again."""
    (folder / "img00000012.json").write_bytes(data)
    card = ModelCard.from_json(as_json(seeds.cards()[0], _Plain()).decode())
    for frame in FrameFolder(folder).frames(card):
        if isinstance(frame, Path):
            raise DLCLiveError(f"{frame.name} is damaged")
        assert TableLayout(card).row(frame.pose).ndim == 1
        assert table_text([frame])
        json_text(frame.facts())


def _labelling_project(path: Path) -> None:
    """What is read can be given a further video, or is left to the user."""
    project = LabellingProject.read(path.parent)
    try:
        add_video_set(path, "/data/new.mp4", (640, 480))
    except DataError as error:
        if "by hand" not in str(error):
            raise
    else:
        assert set(LabellingProject.read(path.parent).videos) == {*project.videos, "new"}


_WRITERS = {
    "deeplabcut": (pose_files.deeplabcut_headers, pose_files.deeplabcut_file),
    "coco": (pose_files.coco_values, as_json),
    "parquet": (pose_files.parquet_facts, pose_files.parquet_file),
}
"""Formats of which the values in a file can be changed, not its bytes alone."""


def _formats() -> list[Target]:
    """A target for each installed format of finished poses."""
    made = []
    for info in pose_files.formats():
        values, write = _WRITERS.get(info.name, (list, as_json))
        made.append(
            Target(
                name=info.name,
                reader=f"format `{info.name}`",
                files=pose_files.files(info),
                values=values(),
                write=write,
                read=pose_files.reader(info),
            )
        )
    if any(info.name == "coco" for info in pose_files.formats()):  # dlclive-formats is installed
        made.append(
            Target(
                name="openpose",
                reader="format `openpose`",
                values=pose_files.openpose_frames(),
                read=pose_files.read_openpose,
            )
        )
    return made


TARGETS = (
    Target(name="card", reader="`ModelCard.from_json`", values=seeds.cards(), read=_card),
    Target(
        name="model-config", reader="`PoseConfig.read`", values=seeds.configurations(), write=as_yaml, read=_configuration
    ),
    Target(
        name="project-config", reader="`read_config`", values=seeds.projects(), write=as_yaml,
        read=_in_a_file("config.yaml", read_config),
    ),
    Target(
        name="session", reader="`read_session_file`", values=seeds.sessions(), write=as_yaml,
        read=_in_a_file("rig.yaml", read_session_file),
    ),
    Target(
        name="profile", reader="`read_profile`", values=seeds.profiles(), read=_in_a_file("m.profile.json", read_profile)
    ),
    Target(
        name="journal", reader="`JournalContent`", values=seeds.journal_headers(),
        write=lambda header, random: seeds.journal(header), read=_in_a_file("poses.h5.journal", _journal),
    ),
    Target(
        name="calibration", reader="`Calibration.read`, OpenCV", values=seeds.calibrations(), write=as_yaml,
        read=_in_a_file("left.yml", lambda path: Calibration.read(path, size=(640, 480))),
    ),
    Target(
        name="calibration-toml", reader="`Calibration.read`, Anipose", files=seeds.toml_calibrations(),
        read=_in_a_file("calibration.toml", Calibration.read),
    ),
    Target(
        name="labelling-project", reader="`LabellingProject.read`, `add_video_set`", values=seeds.labelling_projects(),
        write=as_yaml, read=_in_a_file("config.yaml", _labelling_project),
    ),
    Target(name="kept-frame", reader="`FrameFolder.frames`", values=seeds.kept_frames(), read=_kept_frame),
    Target(name="csv", reader="`recover`", files=seeds.csv_files(), read=_recovery),
    *_formats(),
)  # fmt: skip
NAMES = tuple(target.name for target in TARGETS)


def target(name: str) -> Target:
    """The target of a name."""
    return next(item for item in TARGETS if item.name == name)
