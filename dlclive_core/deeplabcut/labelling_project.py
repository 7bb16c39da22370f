"""A DeepLabCut project as those who label its frames see it: what `config.yaml` says of names, videos and iteration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from dlclive_core.data.card import ModelCard
from dlclive_core.deeplabcut.config_file import read_config
from dlclive_core.deeplabcut.project import PROJECT_CONFIG
from dlclive_core.errors import ModelError, UsageError, nearest, shown

LABELLED_DATA = "labeled-data"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabellingProject:
    """What frames and labels that are put into a project must fit.

    Attributes:
        folder: of the project.
        scorer: the person who labels.
        iteration: of the training data; machine labels belong to one.
        keypoints: of each animal.
        individuals: the animals of a multi-animal project, else empty.
        unique_keypoints: those that exist once in the scene.
        multi_animal: whether it is a multi-animal project.
        videos: the names, without folder and suffix, of the videos that it trains on.
    """

    folder: Path
    scorer: str
    iteration: int
    keypoints: tuple[str, ...]
    individuals: tuple[str, ...]
    unique_keypoints: tuple[str, ...]
    multi_animal: bool
    videos: tuple[str, ...]

    @property
    def config(self) -> Path:
        return self.folder / PROJECT_CONFIG

    @classmethod
    def read(cls, folder: Path) -> LabellingProject:
        """Read the `config.yaml` of a project. Raises ModelError, with the entry that is not as DeepLabCut writes it."""
        path = folder / PROJECT_CONFIG
        values = read_config(path)
        if "video_sets" not in values or "scorer" not in values:
            raise ModelError(
                f"{path} is not the configuration of a DeepLabCut project: it has no scorer and video_sets"
            )
        multi = values.get("multianimalproject") is True
        scorer, iteration = values.get("scorer"), values.get("iteration")
        if not isinstance(scorer, str) or not scorer:
            raise ModelError(f"{path}: scorer is {shown(scorer)}; it is the name of a person")
        if iteration is not None and (isinstance(iteration, bool) or not isinstance(iteration, int) or iteration < 0):
            raise ModelError(f"{path}: iteration is {shown(iteration)}; it is a number from 0")
        videos = values.get("video_sets") or {}
        if not isinstance(videos, Mapping):
            raise ModelError(f"{path}: video_sets is {shown(videos)}; it is a mapping from videos to their crops")
        return cls(
            folder=folder,
            scorer=scorer,
            iteration=iteration or 0,
            keypoints=_names(values, "multianimalbodyparts" if multi else "bodyparts", path),
            individuals=_names(values, "individuals", path) if multi else (),
            unique_keypoints=_names(values, "uniquebodyparts", path) if multi else (),
            multi_animal=multi,
            videos=tuple(video_name(str(video)) for video in videos),
        )

    def check(self, card: ModelCard) -> None:
        """Raise UsageError, naming what differs, unless the model has the project's keypoints and animals."""
        if card.multi_animal != self.multi_animal:
            kinds = ("a single-animal", "a multi-animal")
            mine, models = kinds[self.multi_animal], kinds[card.multi_animal]
            raise UsageError(
                f"{self.config} is {mine} project, and the run's model is from {models} one: choose the project that the "
                "model was trained in"
            )
        self._check_same("keypoint", card.skeleton.keypoints, self.keypoints)
        self._check_same("unique keypoint", card.unique_keypoints if self.multi_animal else (), self.unique_keypoints)
        if self.multi_animal:
            self._check_known("individual", card.individuals, self.individuals)

    def _check_same(self, what: str, of_model: Iterable[str], of_project: Iterable[str]) -> None:
        model = self._check_known(what, of_model, of_project)
        for name in of_project:
            if name not in model:
                raise UsageError(
                    f"the run's model has no {what} {name!r}, which {self.config} has; is it the project "
                    f"that the model was trained in? {nearest(name, model)}"
                )

    def _check_known(self, what: str, of_model: Iterable[str], of_project: Iterable[str]) -> set[str]:
        model, project = set(of_model), set(of_project)
        for name in of_model:
            if name not in project:
                raise UsageError(
                    f"{self.config} has no {what} {name!r}, which the run's model has; is it the project that the "
                    f"model was trained in? {nearest(name, project)}"
                )
        return model


def video_name(path: str) -> str:
    """The name under which DeepLabCut files a video's frames: without folder and suffix, on any system."""
    flavour = PureWindowsPath if "\\" in path else PurePosixPath
    return flavour(path).stem


def _names(values: Mapping[str, Any], key: str, path: Path) -> tuple[str, ...]:
    names = values.get(key)
    if names is None:
        return ()
    if not isinstance(names, list) or not all(isinstance(name, str | int) for name in names):
        raise ModelError(f"{path}: {key} is {shown(names)}; it is a list of names")
    return tuple(str(name) for name in names)
