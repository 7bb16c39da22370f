"""The candidates to try: settings, input sizes, following crops, thread counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dlclive_core.benchmark.candidate import Candidate
from dlclive_core.benchmark.candidate_list import CandidateList, ViewSpec, list_candidates
from dlclive_core.benchmark.exports import Exports
from dlclive_core.benchmark.runtime_request import RuntimeRequest, parse_runtime_requests
from dlclive_core.hookspecs import RuntimeInfo
from dlclive_core.machine.cores import usable_cores, usable_processors
from dlclive_core.plugins.catalog import PluginCatalog
from dlclive_core.plugins.model_formats import has_fixed_size
from dlclive_core.regions import FollowingCropSpec
from dlclive_core.tuning.plan import TunePlan
from dlclive_core.tuning.student import student_candidates


class CandidateFactory:
    """Creates candidates and exports their files."""

    def __init__(self, plan: TunePlan, exports: Exports, catalog: PluginCatalog) -> None:
        self._plan, self._exports, self._catalog = plan, exports, catalog

    def on_whole_frames(self) -> CandidateList:
        """Every setting of every installed runtime on whole frames, and the failed exports with their reasons.

        A student, if there is one, in every setting of every runtime that reads its file.
        """
        requests = parse_runtime_requests((), (), None, self._catalog)
        found = self._list(requests, [ViewSpec()])
        if self._plan.student is not None:
            found.candidates += student_candidates(self._plan.student, requests, self._catalog)
        return found

    def on_smaller_inputs(
        self, candidate: Candidate, resizes: Sequence[float], follows: Sequence[FollowingCropSpec]
    ) -> list[Candidate]:
        """The same setting on smaller inputs and in windows.

        A format with a fixed input size gets one file per size, and no windows.
        """
        if not has_fixed_size(candidate.path.suffix, self._catalog):
            resized = [replace(candidate, resize=factor) for factor in resizes]
            return [*resized, *self._following(candidate, follows)]
        info = self._catalog.find(RuntimeInfo, candidate.runtime)
        request = RuntimeRequest(info, (candidate.precision,), candidate.device)
        return self._list([request], [ViewSpec(resize=factor) for factor in resizes]).candidates

    def _following(self, candidate: Candidate, follows: Sequence[FollowingCropSpec]) -> list[Candidate]:
        """Candidates in windows, all on one file, which is made for windows if possible."""
        sizes = [follow.window for follow in follows if follow.window is not None]
        if not sizes:
            return [replace(candidate, follow=follow) for follow in follows]
        path = self._exports.for_windows(candidate.path, sizes[len(sizes) // 2])
        return [replace(candidate, path=path, follow=follow) for follow in follows]

    def with_other_thread_counts(self, candidate: Candidate) -> list[Candidate]:
        """On the CPU, the same candidate with one thread and with one thread per logical processor."""
        if candidate.device != "cpu" or "threads" in candidate.options:
            return []
        if "threads" not in self._catalog.find(RuntimeInfo, candidate.runtime).profile_options:
            return []
        cores = usable_cores()
        counts = {1, usable_processors()} - {cores}
        return [replace(candidate, options={**candidate.options, "threads": count}) for count in sorted(counts)]

    def _list(self, requests: Sequence[RuntimeRequest], views: Sequence[ViewSpec]) -> CandidateList:
        plan = self._plan
        height, width = plan.frames.evaluated[0].shape[:2]
        return list_candidates(
            plan.source, plan.card, requests, views, (width, height), self._exports, self._catalog, {}
        )
