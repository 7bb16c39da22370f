"""From requests to candidates: what each runtime can do with a model here, exporting it where it has to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlclive_core.benchmark.candidate import Candidate
from dlclive_core.benchmark.exports import Exports
from dlclive_core.benchmark.measurement import Measurement
from dlclive_core.benchmark.runtime_request import PRECISIONS, RuntimeRequest
from dlclive_core.data.card import ModelCard
from dlclive_core.errors import UnsupportedModelError, UsageError, one_line
from dlclive_core.models.network import Network, Setting
from dlclive_core.plugins.catalog import PluginCatalog
from dlclive_core.regions import FollowingCropSpec, Resize


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewSpec:
    """What the network sees of a frame; see Candidate."""

    resize: float = 1.0
    size: tuple[int, int] | None = None
    follow: FollowingCropSpec | None = None

    def __post_init__(self) -> None:
        Resize(self.resize)  # checks it, before anything takes long

    def picture_size(self, frame_size: tuple[int, int]) -> tuple[int, int]:
        """(width, height) of the picture made of a frame of (width, height), of the largest where it follows."""
        if self.size is not None:
            return self.size
        return int(frame_size[0] * self.resize), int(frame_size[1] * self.resize)


@dataclass(slots=True)
class CandidateList:
    """The candidates, what failed before it could be one, and what else should be said."""

    candidates: list[Candidate] = field(default_factory=list)
    failed: list[Measurement] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def list_candidates(
    source: Path,
    card: ModelCard,
    requests: Sequence[RuntimeRequest],
    views: Sequence[ViewSpec],
    frame_size: tuple[int, int],
    exports: Exports,
    catalog: PluginCatalog,
    options: Mapping[str, Any],
) -> CandidateList:
    """All candidates of a model.

    A runtime that reads the file runs it in all precisions that it can run it in; for others, and for runtimes that do not
    read it, the file is exported, if it is in fp32. Without a word from the user, int8 is tried where there is a clip to
    calibrate on, and fp16 files where there is something else than a CPU.

    Args:
        source: the model's file, and `card` its card.
        frame_size: (width, height) of the frames.
        options: further options of `load_model`, for all of them.

    Raises:
        UsageError: a request that nothing here fulfils.
        UnsupportedModelError: there is nothing at all.
    """
    choice = CandidateList()
    builder = _ListBuilder(source, card, views, frame_size, exports, catalog, options, choice)
    for request in requests:
        before = len(choice.candidates) + len(choice.failed)
        builder.add(request)
        if request.named and before == len(choice.candidates) + len(choice.failed):
            raise UsageError(f"{request.label}: {builder.reason(request)}")
    builder.check_precisions(requests)
    if not choice.candidates and not choice.failed:
        raise UnsupportedModelError(
            f"nothing that is installed can run {source.name} as asked; dlclive plugins list shows what is installed"
        )
    return choice


@dataclass(slots=True)
class _ListBuilder:
    source: Path
    card: ModelCard
    views: Sequence[ViewSpec]
    frame_size: tuple[int, int]
    exports: Exports
    catalog: PluginCatalog
    options: Mapping[str, Any]
    choice: CandidateList
    possible: list[str] = field(default_factory=list)  # settings that were found, wanted or not

    def add(self, request: RuntimeRequest) -> None:
        reads = self.source.suffix.lower() in request.info.reads
        have: set[str] = set()
        if reads:
            have = self._add_file(request, self.source, self._settings(request, self.source))
        if self.card.precision != "fp32":
            return
        if not reads:
            have = self._add_exported(request, "fp32", all_of_it=True)
        for precision in PRECISIONS[1:]:
            if precision not in have and self._is_wanted(request, precision):
                have |= self._add_exported(request, precision)

    def _add_exported(self, request: RuntimeRequest, precision: str, *, all_of_it: bool = False) -> set[str]:
        """Candidates on an exported file: in its own precision, or in all that the runtime makes of it."""
        suffix = self.exports.suffix_for(request.info, precision)
        if suffix is None:
            return set()
        have: set[str] = set()
        for view in self.views:
            try:
                file = self.exports.file(suffix, precision, view.picture_size(self.frame_size))
            except Exception as error:  # a format that cannot be made is a row with the reason
                have.add(precision)
                self._fail(request, precision, view, one_line(error))
                continue
            settings = [item for item in self._settings(request, file) if all_of_it or item.precision == precision]
            have |= self._add_file(request, file, settings, [view])
        return have

    def _add_file(
        self, request: RuntimeRequest, file: Path, settings: Sequence[Setting], views: Sequence[ViewSpec] | None = None
    ) -> set[str]:
        self.possible += [f"{request.info.name}:{item.precision}:{item.device}" for item in settings]
        for setting in filter(request.takes, settings):
            for view in self.views if views is None else views:
                self._append(request, setting, view, file)
        return {setting.precision for setting in settings}

    def _append(self, request: RuntimeRequest, setting: Setting, view: ViewSpec, file: Path) -> None:
        candidate = self._candidate(request, setting, view, file)
        if candidate not in self.choice.candidates:  # two requests may overlap
            self.choice.candidates.append(candidate)

    def _candidate(self, request: RuntimeRequest, setting: Setting, view: ViewSpec, file: Path) -> Candidate:
        return Candidate(
            runtime=request.info.name,
            precision=setting.precision,
            device=setting.device,
            path=file,
            resize=view.resize,
            size=view.size,
            follow=view.follow,
            options={**self.options, **request.options},
        )

    def _fail(self, request: RuntimeRequest, precision: str, view: ViewSpec, reason: str) -> None:
        if request.precisions is None or precision in request.precisions:
            candidate = self._candidate(request, Setting(request.device or "any", precision), view, self.source)
            self.choice.failed.append(Measurement(candidate=candidate, failure=reason))

    def _settings(self, request: RuntimeRequest, file: Path) -> Sequence[Setting]:
        factory = self.catalog.factory(request.info)
        if not issubclass(factory, Network):  # a plugin's own kind of model: as it comes
            return [Setting("auto", "auto")]
        return factory.settings(file)

    def _is_wanted(self, request: RuntimeRequest, precision: str) -> bool:
        if request.precisions is not None:
            return precision in request.precisions
        if precision == "int8":
            if not self.exports.can_calibrate and self.exports.suffix_for(request.info, precision) is not None:
                note = "int8 was not tried: it is calibrated on a clip of the animal, so give a video"
                if note not in self.choice.notes:
                    self.choice.notes.append(note)
            return self.exports.can_calibrate
        return any(
            not word.endswith((":cpu", ":auto")) for word in self.possible if word.startswith(request.info.name + ":")
        )

    def reason(self, request: RuntimeRequest) -> str:
        """Why a request gave nothing."""
        can = [word for word in dict.fromkeys(self.possible) if word.startswith(request.info.name + ":")]
        if can:
            return f"{request.info.name} can run this model here as {', '.join(can)}"
        if self.card.precision != "fp32":
            return f"{self.source.name} is in {self.card.precision}, and only models in fp32 are exported for other runtimes"
        return f"it cannot run {self.source.name} on this machine; it reads {', '.join(request.info.reads)}"

    def check_precisions(self, requests: Sequence[RuntimeRequest]) -> None:
        """Each precision that was asked for has at least one candidate, or one that failed."""
        have = {one.precision for one in (*self.choice.candidates, *(item.candidate for item in self.choice.failed))}
        for precision in dict.fromkeys(name for request in requests for name in request.precisions or ()):
            if precision not in have:
                can = ", ".join(dict.fromkeys(self.possible)) or "nothing"
                raise UsageError(f"nothing here runs {self.source.name} in {precision} as asked; there are: {can}")
