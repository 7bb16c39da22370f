"""Lists the candidates for the user's requests: what each runtime can do on this machine, with exports where needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlclive_core.benchmark.candidate import Candidate
from dlclive_core.benchmark.exports import Exports
from dlclive_core.benchmark.measurement import Measurement
from dlclive_core.benchmark.runtime_request import RuntimeRequest
from dlclive_core.data.card import ModelCard
from dlclive_core.data.precision import PRECISIONS
from dlclive_core.errors import UnsupportedModelError, UsageError, one_line
from dlclive_core.models.network import Network, Setting
from dlclive_core.plugins.catalog import PluginCatalog
from dlclive_core.regions import FollowingCropSpec, Resize


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewSpec:
    """The network's view of a frame; see Candidate."""

    resize: float = 1.0
    size: tuple[int, int] | None = None
    follow: FollowingCropSpec | None = None

    def __post_init__(self) -> None:
        Resize(self.resize)  # checks the factor before any slow step

    def input_size(self, frame_size: tuple[int, int]) -> tuple[int, int]:
        """(width, height) of the network's input for a frame of (width, height); the largest input if a window follows."""
        if self.size is not None:
            return self.size
        return int(frame_size[0] * self.resize), int(frame_size[1] * self.resize)


@dataclass(slots=True)
class CandidateList:
    """The candidates, the settings that failed before they could be candidates, and notes for the user."""

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
    """List all candidates of a model.

    A runtime that reads the file runs it in every precision it supports. For other precisions, and for runtimes that do not
    read the file, a model in fp32 is exported. Unless requested, int8 is tried only with a clip to calibrate on, and other
    exported precisions only on runtimes with a device besides the CPU.

    Args:
        source: the model's file, and `card` its card.
        frame_size: (width, height) of the frames.
        options: further options of `load_model`, for all candidates.

    Raises:
        UsageError: a request that cannot be fulfilled on this machine.
        UnsupportedModelError: there are no candidates.
    """
    candidate_list = CandidateList()
    builder = _ListBuilder(source, card, views, frame_size, exports, catalog, options, candidate_list)
    for request in requests:
        before = len(candidate_list.candidates) + len(candidate_list.failed)
        builder.add(request)
        if request.is_explicit and before == len(candidate_list.candidates) + len(candidate_list.failed):
            raise UsageError(f"{request.label}: {builder.reason(request)}")
    builder.check_precisions(requests)
    if not candidate_list.candidates and not candidate_list.failed:
        raise UnsupportedModelError(
            f"no installed runtime can run {source.name} as requested; dlclive plugins list shows the installed runtimes"
        )
    return candidate_list


@dataclass(slots=True)
class _ListBuilder:
    source: Path
    card: ModelCard
    views: Sequence[ViewSpec]
    frame_size: tuple[int, int]
    exports: Exports
    catalog: PluginCatalog
    options: Mapping[str, Any]
    result: CandidateList
    available: list[str] = field(default_factory=list)  # all settings that run here, requested or not

    def add(self, request: RuntimeRequest) -> None:
        reads_source = self.source.suffix.lower() in request.info.reads
        precisions: set[str] = set()
        if reads_source:
            precisions = self._add_file(request, self.source, self._settings(request, self.source))
        if self.card.precision != "fp32":
            return
        if not reads_source:
            precisions = self._add_exported(request, "fp32", all_precisions=True)
        for precision in PRECISIONS[1:]:
            if precision not in precisions and self._should_try(request, precision):
                precisions |= self._add_exported(request, precision)

    def _add_exported(self, request: RuntimeRequest, precision: str, *, all_precisions: bool = False) -> set[str]:
        """Add candidates on an exported file, in its own precision or in all that the runtime supports for it.

        Returns the precisions that are covered.
        """
        suffix = self.exports.suffix_for(request.info, precision)
        if suffix is None:
            return set()
        precisions: set[str] = set()
        for view in self.views:
            try:
                file = self.exports.file(suffix, precision, view.input_size(self.frame_size))
            except Exception as error:  # a failed export becomes a row with the reason
                precisions.add(precision)
                self._fail(request, precision, view, one_line(error))
                continue
            settings = [
                setting for setting in self._settings(request, file) if all_precisions or setting.precision == precision
            ]
            precisions |= self._add_file(request, file, settings, [view])
        return precisions

    def _add_file(
        self, request: RuntimeRequest, file: Path, settings: Sequence[Setting], views: Sequence[ViewSpec] | None = None
    ) -> set[str]:
        self.available += [f"{request.info.name}:{setting.precision}:{setting.device}" for setting in settings]
        for setting in filter(request.matches, settings):
            for view in self.views if views is None else views:
                self._append(request, setting, view, file)
        return {setting.precision for setting in settings}

    def _append(self, request: RuntimeRequest, setting: Setting, view: ViewSpec, file: Path) -> None:
        candidate = self._candidate(request, setting, view, file)
        if candidate not in self.result.candidates:  # two requests may overlap
            self.result.candidates.append(candidate)

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
            self.result.failed.append(Measurement(candidate=candidate, failure=reason))

    def _settings(self, request: RuntimeRequest, file: Path) -> Sequence[Setting]:
        factory = self.catalog.factory(request.info)
        if not issubclass(factory, Network):  # a model class without a list of settings
            return [Setting("auto", "auto")]
        return factory.settings(file)

    def _should_try(self, request: RuntimeRequest, precision: str) -> bool:
        if request.precisions is not None:
            return precision in request.precisions
        if precision == "int8":
            if not self.exports.can_calibrate and self.exports.suffix_for(request.info, precision) is not None:
                note = "int8 was not tried: pass a video of the animal to calibrate it on"
                if note not in self.result.notes:
                    self.result.notes.append(note)
            return self.exports.can_calibrate
        return any(
            not setting.endswith((":cpu", ":auto"))
            for setting in self.available
            if setting.startswith(request.info.name + ":")
        )

    def reason(self, request: RuntimeRequest) -> str:
        """Why a request has no candidates."""
        settings = [text for text in dict.fromkeys(self.available) if text.startswith(request.info.name + ":")]
        if settings:
            return f"{request.info.name} can run this model here as {', '.join(settings)}"
        if self.card.precision != "fp32":
            return (
                f"{self.source.name} is in {self.card.precision}; only fp32 models can be exported for other runtimes"
            )
        return f"cannot run {self.source.name} on this machine; this runtime reads {', '.join(request.info.reads)}"

    def check_precisions(self, requests: Sequence[RuntimeRequest]) -> None:
        """Raise UsageError for a requested precision without a candidate, not even a failed one."""
        candidates = (*self.result.candidates, *(measurement.candidate for measurement in self.result.failed))
        precisions = {candidate.precision for candidate in candidates}
        for precision in dict.fromkeys(name for request in requests for name in request.precisions or ()):
            if precision not in precisions:
                settings = ", ".join(dict.fromkeys(self.available)) or "none"
                raise UsageError(
                    f"nothing here runs {self.source.name} in {precision} as requested; available: {settings}"
                )
