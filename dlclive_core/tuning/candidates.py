"""Candidates to try: settings, input sizes, following crops, numbers of threads."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from dlclive_core.benchmark.candidate import Candidate
from dlclive_core.benchmark.candidate_list import CandidateList, ViewSpec, list_candidates
from dlclive_core.benchmark.exports import Exports
from dlclive_core.benchmark.runtime_request import RuntimeRequest, parse_runtime_requests
from dlclive_core.hookspecs import RuntimeInfo
from dlclive_core.machine.cores import usable_cores
from dlclive_core.plugins.catalog import PluginCatalog
from dlclive_core.plugins.model_formats import has_fixed_size
from dlclive_core.regions import FollowingCropSpec
from dlclive_core.tuning.plan import TunePlan


class Candidates:
    """Creates candidates, and exports the files that they need."""

    def __init__(self, plan: TunePlan, exports: Exports, catalog: PluginCatalog) -> None:
        self._plan, self._exports, self._catalog = plan, exports, catalog

    def whole(self) -> CandidateList:
        """Every setting of every runtime that is ready, on whole frames; and what could not be exported, with the reason."""
        return self._choose(parse_runtime_requests((), (), None, self._catalog), [ViewSpec()])

    def smaller(
        self, candidate: Candidate, resizes: Sequence[float], follows: Sequence[FollowingCropSpec]
    ) -> list[Candidate]:
        """The same setting on smaller pictures, and in windows. A file for one size gets files for other sizes, no windows."""
        if not has_fixed_size(candidate.path.suffix, self._catalog):
            resized = [replace(candidate, resize=factor) for factor in resizes]
            return [*resized, *self._following(candidate, follows)]
        info = self._catalog.find(RuntimeInfo, candidate.runtime)
        request = RuntimeRequest(info, (candidate.precision,), candidate.device)
        return self._choose([request], [ViewSpec(resize=factor) for factor in resizes]).candidates

    def _following(self, candidate: Candidate, follows: Sequence[FollowingCropSpec]) -> list[Candidate]:
        """In windows, on a file that is made for windows where there can be one: one file for all of them."""
        sizes = [follow.window for follow in follows if follow.window is not None]
        if not sizes:
            return [replace(candidate, follow=follow) for follow in follows]
        path = self._exports.for_windows(candidate.path, sizes[len(sizes) // 2])
        return [replace(candidate, path=path, follow=follow) for follow in follows]

    def threads(self, candidate: Candidate) -> list[Candidate]:
        """On the CPU with other numbers of threads than the physical cores: with one, and with all that there are."""
        if candidate.device != "cpu" or "threads" in candidate.options:
            return []
        if "threads" not in self._catalog.find(RuntimeInfo, candidate.runtime).profile_options:
            return []
        cores = usable_cores()
        numbers = {1, _processors()} - {cores}
        return [replace(candidate, options={**candidate.options, "threads": number}) for number in sorted(numbers)]

    def _choose(self, requests: Sequence[RuntimeRequest], views: Sequence[ViewSpec]) -> CandidateList:
        plan = self._plan
        height, width = plan.frames.judged[0].shape[:2]
        return list_candidates(
            plan.source, plan.card, requests, views, (width, height), self._exports, self._catalog, {}
        )


def _processors() -> int:
    """Threads that run at the same time: two for a core, on many machines."""
    try:
        return len(os.sched_getaffinity(0))  # type: ignore[attr-defined,unused-ignore]
    except AttributeError:
        return os.cpu_count() or 1
