"""Puts kept frames with their poses into a DeepLabCut project, as pictures with machine labels."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlclive_core import (
    AnnotatedFrame,
    AnnotationReport,
    DataError,
    FileLock,
    ModelCard,
    OutputExistsError,
    UsageError,
    draft_beside,
    file_name_part,
    write_whole,
)
from dlclive_core.runtimes import LABELLED_DATA, LabellingProject, add_video_set, video_name, video_set_line
from dlclive_io.deeplabcut.hdf5_pandas import read_labels
from dlclive_io.labelling.known_pictures import KnownPictures
from dlclive_io.labelling.machine_labels import CSV_NAME, MachineLabels, labels_name
from dlclive_io.labelling.project_pictures import ProjectPictures
from dlclive_io.outliers.frame_folder import HEADER, FrameFolder, facts_fault, picture_fault, read_png
from dlclive_io.outliers.kept_frame import PICTURE, KeptFrame
from dlclive_io.output_file import reason
from dlclive_io.tables.table_layout import TableLayout

_DRAFT = re.compile(r"(img\d+\.png|machinelabels(-iter\d+\.h5|\.csv))\.[0-9a-f]{8}\.part")


def add_frames(
    folder: Path, project: Path, *, video: str | None = None, add_video: bool = False, dry_run: bool = False
) -> AnnotationReport | None:
    """Put the frames that the sink `outliers` kept into `labeled-data/<video>` of a project.

    Writes the pictures that are missing, `machinelabels-iter<n>.h5` with the model's poses, and the same as
    `machinelabels.csv`; earlier machine labels stay. Left alone are frames that a person has labelled
    (`CollectedData_<scorer>.h5`), those with machine labels, those whose name another picture has, and those whose picture
    lies in the folder of any video already. Nothing else in the project is touched. If the process is killed, calling it
    again completes the work.

    Args:
        folder: of the sink, also of a killed run.
        project: the project's folder, or its config.yaml.
        video: name of the folder in `labeled-data`, or the video's path, whose name without suffix it is; by default the
            name of the video, or that of the camera with the time at which the run began.
        add_video: add the video to `video_sets` in config.yaml, after a backup, if it is not there: without an entry
            DeepLabCut does not train on its frames.
        dry_run: write nothing.

    Returns:
        What was added, and what was not; None if `project` holds no config.yaml.

    Raises:
        UsageError: the project has other keypoints, `video` is not a name, or another process is writing.
        ModelError: config.yaml is not a project's. DataError: something cannot be read or written.
    """
    project = project.parent if project.name == "config.yaml" else project
    if not (project / "config.yaml").is_file():
        return None
    kept = FrameFolder.read(_folder_of(folder))
    card = kept.card
    found = LabellingProject.read(project)
    found.check(card)
    target = _Target.of(found, card, kept, video)
    frames = list(kept.frames(card))
    if not frames:
        return AnnotationReport(project=project, folder=target.folder, notices=(f"{kept.path} holds no frames",))
    if dry_run:
        results, size, _ = target.look(kept, frames)
        notices = (*target.already(results), *target.notices(size, is_added=False))
        return AnnotationReport(project=project, folder=target.folder, frames=results, notices=notices)
    with target.only_writer():
        results, size, labels = target.look(kept, frames)
        files = target.write(kept, frames, results, labels) if labels is not None else ()
    is_added = False
    if add_video and size is not None and target.lacks_entry:
        backup = add_video_set(found.config, target.video_path, size)
        files, is_added = (*files, found.config, backup), True
    return AnnotationReport(
        project=project,
        folder=target.folder,
        frames=results,
        files=files,
        notices=(*target.already(results), *target.notices(size, is_added=is_added)),
    )


def _folder_of(folder: Path) -> Path:
    """The sink's folder: the given one, or the only one in the folder of a run. Raises UsageError."""
    if not folder.is_dir():
        raise UsageError(f"no folder {folder}: give the folder of the sink 'outliers', or that of the run")
    if (folder / HEADER).is_file():
        return folder
    inside = sorted(path.parent for path in folder.glob(f"*/{HEADER}"))
    if len(inside) == 1:
        return inside[0]
    if not inside:
        raise UsageError(f"{folder} holds no kept frames: give the folder of the sink 'outliers', such as out/outliers")
    raise UsageError(f"{folder} holds {len(inside)} folders of kept frames: give one of {', '.join(map(str, inside))}")


@dataclass(frozen=True, slots=True)
class _Target:
    """The folder of a video in a project.

    Attributes:
        video_path: for `video_sets`: the video's path, or one of its name in the project, which need not exist.
        layout: of the rows of machine labels.
        pictures: that are there.
    """

    project: LabellingProject
    folder: Path
    video_path: str
    layout: TableLayout
    pictures: ProjectPictures

    @classmethod
    def of(cls, project: LabellingProject, card: ModelCard, kept: FrameFolder, video: str | None) -> _Target:
        """Raises UsageError for a name that no folder of a project may have."""
        given = video or _name_of(kept)
        is_file = Path(given).is_file()
        name = video_name(given) if is_file or set("/\\") & set(given) else given
        if not name or name != file_name_part(name) or name.startswith(".") or "_labeled" in name:
            raise UsageError(
                f"the frames need the name of a video, and {given!r} gives none that DeepLabCut takes; pass --video NAME"
            )
        folder = project.folder / LABELLED_DATA / name
        path = Path(given).absolute() if is_file else (project.folder / "videos" / f"{name}.mp4").absolute()
        numbers = [frame.frame for frame in kept.frames(card) if isinstance(frame, KeptFrame)]
        return cls(project, folder, str(path), TableLayout(card), ProjectPictures(folder, kept.frame_count, numbers))

    @property
    def lacks_entry(self) -> bool:
        """Whether config.yaml does not list the video, so that DeepLabCut would not train on its frames."""
        return self.folder.name not in self.project.videos

    @property
    def labels_file(self) -> Path:
        return self.folder / labels_name(self.project.iteration)

    def notices(self, size: tuple[int, int] | None, *, is_added: bool) -> tuple[str, ...]:
        """What the user should know."""
        if not self.lacks_entry or size is None:
            return ()
        if is_added:
            missing = "" if Path(self.video_path).is_file() else ", which need not exist for training"
            return (f"{self.project.config} now lists {self.video_path}{missing}",)
        line = video_set_line(self.video_path, size)
        return (
            "DeepLabCut trains on the frames only if config.yaml lists the video: pass --add-video, or add to video_sets of "
            f"{self.project.config}: {line}",
        )

    def already(self, frames: Iterable[AnnotatedFrame]) -> tuple[str, ...]:
        """One line on the frames that the project has already: how many are where. Nothing if there is more to add."""
        results = list(frames)
        places = Counter(
            self._place(frame) for frame in results if frame.result in ("labelled", "present", "elsewhere")
        )
        is_more = any(frame.result == "added" for frame in results)
        if not places or (is_more and not any(frame.result == "elsewhere" for frame in results)):
            return ()
        where = ", ".join(f"{count} in {place}" for place, count in places.items())
        return (f"already in the project: {where}; {'they are left out' if is_more else 'nothing is left to add'}",)

    def _place(self, frame: AnnotatedFrame) -> str:
        folder = frame.image.rpartition("/")[0] if frame.result == "elsewhere" else self.folder.name
        return f"{LABELLED_DATA}/{folder}"

    def only_writer(self) -> _OnlyWriter:
        return _OnlyWriter(self.folder)

    def look(
        self, kept: FrameFolder, frames: Iterable[KeptFrame | Path]
    ) -> tuple[tuple[AnnotatedFrame, ...], tuple[int, int] | None, MachineLabels | None]:
        """What becomes of each frame, the (width, height) of their images, and the labels with those of the new frames.

        There is no size if all of them are elsewhere: the video then gets no folder, and needs no entry in config.yaml.
        """
        labelled = {row[-1] for file in self.folder.glob("CollectedData_*.h5") for row in read_labels(file).rows}
        labels = MachineLabels.read(self.labels_file, self.folder.name, self.layout.names, self.layout.columns)
        before, known = labels.images, KnownPictures(self.project.folder)
        results, size = [], None
        for frame in frames:
            file = frame if isinstance(frame, Path) else kept.path / f"{frame.name}{PICTURE}"
            image = None if isinstance(frame, Path) else read_png(file)
            if isinstance(frame, Path) or image is None:
                results.append(_damaged(frame, file))
                continue
            name = self.pictures.name(frame.frame)
            result = self._result(frame, name, image, labelled, before)
            twin = known.find(file) if result == "added" and not self.pictures.holds(frame.frame) else None
            if twin is not None:
                results.append(_annotated(frame, f"{twin.parent.name}/{twin.name}", "elsewhere"))
                continue
            size = size or (image.shape[1], image.shape[0])
            if result == "added":
                labels.add(name, self.layout.row(frame.pose))
            results.append(_annotated(frame, name, result))
        return tuple(results), size, labels if any(it.result == "added" for it in results) else None

    def write(
        self,
        kept: FrameFolder,
        frames: Iterable[KeptFrame | Path],
        results: Iterable[AnnotatedFrame],
        labels: MachineLabels,
    ) -> tuple[Path, ...]:
        """Write the pictures, then the labels: a label always has its picture. Raises DataError."""
        for frame, result in zip(frames, results, strict=True):
            if isinstance(frame, KeptFrame) and result.result == "added":
                self.pictures.add(frame.frame, kept.path / f"{frame.name}{PICTURE}")
        table = self.folder / CSV_NAME
        write_whole(
            table, labels.csv_text()
        )  # before the labels: if a kill comes between, the next call does both again
        try:
            draft = draft_beside(self.labels_file)
        except OSError as error:
            raise DataError(f"cannot write into {self.folder}: {reason(error)}") from None
        try:
            labels.write_hdf5(draft)
            with draft.open("rb+") as file:  # earlier labels are in it: they must survive a power failure
                os.fsync(file.fileno())
            draft.replace(self.labels_file)
        except OSError as error:
            raise DataError(f"cannot write {self.labels_file}: {reason(error)}") from None
        finally:
            draft.unlink(missing_ok=True)
        return self.labels_file, table

    def _result(
        self, frame: KeptFrame, name: str, image: NDArray[np.uint8], labelled: set[str], before: set[str]
    ) -> str:
        if name in labelled:
            return "labelled"
        if name in before:
            return "present"
        return "other picture" if self.pictures.is_other(frame.frame, image) else "added"


def _name_of(kept: FrameFolder) -> str:
    """A name for the frames: that of the video, or of the camera with the time at which the run began."""
    source = str(kept.header.get("source") or "")
    began = kept.started_at
    if not kept.header.get("is_live") or began is None:
        return file_name_part(video_name(source))
    return file_name_part(f"{str(kept.header.get('name') or source).replace(':', '_')}_{began:%Y-%m-%d_%H-%M-%S}")


class _OnlyWriter:
    """Creates the video's folder, and locks it while the block runs. A folder in which nothing was written is removed.

    Drafts that a killed process of ours left there are removed, too.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = FileLock(folder / "machinelabels.lock")

    def __enter__(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            is_ours = self._lock.acquire()
        except OSError as error:
            raise DataError(f"cannot write into {self._folder}: {reason(error)}") from None
        if not is_ours:
            raise OutputExistsError(f"another process is adding frames to {self._folder}: wait for it, then try again")
        for path in [path for path in self._folder.iterdir() if _DRAFT.fullmatch(path.name)]:
            path.unlink(missing_ok=True)

    def __exit__(self, *_: object) -> None:
        self._lock.release()
        if not any(self._folder.iterdir()):
            self._folder.rmdir()


def _damaged(frame: KeptFrame | Path, file: Path) -> AnnotatedFrame:
    """A frame of which a file, the picture or the JSON, cannot be read."""
    if isinstance(frame, KeptFrame):
        return replace(_annotated(frame, "", "damaged"), fault=f"{file.name} {picture_fault(file)}")
    return AnnotatedFrame(
        frame=int(frame.stem.removeprefix("img")),
        seconds=float("nan"),
        reason="",
        score=0.0,
        image="",
        result="damaged",
        fault=f"{file.name} {facts_fault(file)}",
    )


def _annotated(frame: KeptFrame, image: str, result: str) -> AnnotatedFrame:
    return AnnotatedFrame(
        frame=frame.frame, seconds=frame.seconds, reason=frame.reason, score=frame.score, image=image, result=result
    )
