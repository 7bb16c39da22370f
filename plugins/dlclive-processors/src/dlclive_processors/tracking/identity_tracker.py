"""A stable identity for each of several animals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from dlclive_core import Frame, ModelCard, Pose, Processor, RunInfo, Skeleton, UsageError, check_number, check_whole
from dlclive_processors.frame_clock import FrameClock, FrameTimes, times_only
from dlclive_processors.tracking.association import Association
from dlclive_processors.tracking.detections import DetectionFinder
from dlclive_processors.tracking.identities import MOST_FOLLOWED, Identities
from dlclive_processors.tracking.rows import IdentityRows, track_name
from dlclive_processors.tracking.similarity import BoxSimilarity, KeypointSimilarity
from dlclive_processors.tracking.tracks import MEASURED_BOX, MEASURED_KEYPOINTS, Tracks

Cost = Literal["oks", "box"]
MOST_NAMED = 1000


class IdentityTracker(Processor):
    """Gives each animal an identity that it keeps from frame to frame, and puts its keypoints into a row of its own.

    Bottom-up and top-down networks without an identity head find animals in every image anew, in any order. The tracker expects
    every animal a frame later where its motion leads, compares what was found with that, and names it: `Pose.ids`. Processors
    after it, such as `kalman`, and tables follow the name.

    The rows of the returned pose are in the order of the identities. For a known number of animals, there is always a row for
    each, and an animal that is not seen in a frame is missing in its row, (NaN, NaN, 0). Otherwise, there is a row for each
    animal that was seen within `max_gap`. Keypoints and boxes of an animal are those of the model, unchanged.

    Rows without keypoints are no animals. Two rows on one animal count once. An animal has no identity, and is left out, until
    it was seen in `min_frames` frames in a row. Of more rows than twice the animals (128 where their number is not known), the
    strongest are looked at. If a recording goes back in time, all identities begin again.

    Args:
        cost: what is compared: "oks", object keypoint similarity, or "box", the overlap of boxes (those of the pose; without
            them, those around its keypoints).
        animals: their number: there are never more identities, and an animal that returns gets one that is free. Default: the
            individuals of a multi-animal project; 0, or by default without such a project: not known. The identities have
            the project's names if its individuals are as many, else they are `track_1`, `track_2`, ...
        sigma: for "oks", how precisely a keypoint can be expected, as a share of the animal's size; one for all keypoints.
        size: px, of an animal: roughly the side of a square of its area. Default: from its keypoints or box.
        min_confidence: an animal gets an identity only if a third of its keypoints reach this; afterwards, keypoints of 0.1 and
            more are enough.
        min_similarity: what is less similar than this to what was expected is another animal.
        duplicate_from: rows of this similarity or more are one animal.
        min_frames: frames in a row before an animal gets an identity.
        max_gap: seconds for which an unseen animal is expected to move on; then it is lost, until it is found again.
        process_noise: how freely an animal changes its velocity, as a standard deviation in one second, in sizes per second.

    Raises:
        UsageError: an invalid option, or when the run begins: the model has an identity head.
    """

    replays = True

    def __init__(
        self,
        *,
        cost: Cost = "oks",
        animals: int | None = None,
        sigma: float = 0.1,
        size: float | None = None,
        min_confidence: float = 0.6,
        min_similarity: float = 0.1,
        duplicate_from: float = 0.9,
        min_frames: int = 3,
        max_gap: float = 1.0,
        process_noise: float = 5.0,
    ) -> None:
        if cost not in get_args(Cost):
            raise UsageError(f"cost is {cost!r}; choose from {', '.join(get_args(Cost))}")
        self._animals = None
        if animals is not None:
            self._animals = check_whole("animals", animals, least=0, most=MOST_NAMED, of="of animals, 0 for any")
        self._min_frames = check_whole("min_frames", min_frames, least=1, most=1000, of="of frames")
        self._max_gap = check_number("max_gap", max_gap, above=0, most=600)
        speed = check_number("process_noise", process_noise, above=0, most=1000)
        measure = (
            KeypointSimilarity(check_number("sigma", sigma, above=0, most=1)) if cost == "oks" else BoxSimilarity()
        )
        self._finder = DetectionFinder(
            boxes=cost == "box",
            min_confidence=check_number("min_confidence", min_confidence, least=0, most=1),
            size=None if size is None else check_number("size", size, least=1, most=100_000),
        )
        self._association = Association(
            measure,
            check_number("min_similarity", min_similarity, above=0, most=1),
            check_number("duplicate_from", duplicate_from, above=0, most=1),
        )
        self._speed = speed
        self._tracks = Tracks(speed, MEASURED_KEYPOINTS if cost == "oks" else MEASURED_BOX)
        self._is_box = cost == "box"
        self._skeleton: Skeleton | None = None
        self._last: FrameTimes | None = None
        self._was_wrong = False
        self._know(None)

    @property
    def statistics(self) -> Mapping[str, float]:
        """Counts of this run.

        identities: that were given; returned: how often a lost animal got its identity back; duplicates: rows that lay on
        another animal; left_out: rows of animals that had no identity.
        """
        return {
            "identities": self._identities.given,
            "returned": self._identities.returned,
            "duplicates": self._duplicates,
            "left_out": self._left_out,
        }

    def check(self, card: ModelCard) -> None:
        """Raise UsageError if the model has an identity head, which knows the animals by their looks."""
        if card.identity:
            raise UsageError(
                f"{card.net_type} has an identity head, which names the animals already: leave out the processor track"
            )

    def open(self, run: RunInfo) -> None:
        """Begin a run: forget all animals, and learn the names of the project's."""
        self.check(run.card)
        self._know(run)

    def process(self, pose: Pose, frame: Frame) -> Pose:
        """Return a pose whose rows are identities, and that has their names."""
        if pose.skeleton is not self._skeleton and pose.skeleton != self._skeleton:
            self._begin(pose.skeleton)
        step = self._clock.between(self._last, frame) if self._last is not None else 0.0
        is_onward = 0.0 <= step < math.inf  # else back in time, or no time at all
        if not is_onward:
            step = 0.0
            if not self._clock.is_live:
                self._begin(pose.skeleton)
        # One wrong stamp of a camera must not give the animals other names: the times go on from the frame before it. After two
        # in a row it was that frame's that was wrong.
        if is_onward or self._was_wrong or not self._clock.is_live or self._last is None:
            self._last = times_only(frame)
        self._was_wrong = not is_onward
        detected = self._follow(pose, step)
        result, named = self._rows.place(pose, self._tracks)
        self._left_out += detected - named
        return result

    def close(self) -> None:
        """Forget where the animals are. The statistics remain."""
        self._tracks.clear(0)
        self._skeleton = None
        self._last = None
        self._was_wrong = False

    def _know(self, run: RunInfo | None) -> None:
        """Learn from the run how many animals there are, and what they are called."""
        individuals = run.card.individuals if run is not None and run.card.multi_animal else ()
        number = len(individuals) if self._animals is None else self._animals
        tracks = tuple(track_name(place) for place in range(number))
        self._rows = IdentityRows((individuals if number == len(individuals) else tracks) or None)
        self._most = 2 * (number or MOST_FOLLOWED)
        self._identities = Identities(number or None, self._speed, self._min_frames)
        self._clock = FrameClock(run)
        self._duplicates = self._left_out = 0
        self.close()

    def _begin(self, skeleton: Skeleton) -> None:
        self._tracks.clear(2 if self._is_box else len(skeleton))
        self._identities.forget()
        self._skeleton = skeleton

    def _follow(self, pose: Pose, step: float) -> int:
        """Update the tracks with a frame; return how many animals were detected in it."""
        tracks, identities = self._tracks, self._identities
        if step > self._max_gap:
            self._drop(np.ones(len(tracks), dtype=bool))
        tracks.advance(step)
        identities.advance(step)
        found = self._finder.find(pose, self._most)
        detections = self._association.without_duplicates(found, pose)
        self._duplicates += len(found) - len(detections)
        followed, matched = self._association.pairs(tracks, detections)
        tracks.measure(followed, detections, matched)
        if len(followed) < len(tracks):
            named = tracks.identity >= 0
            self._drop(np.where(named, tracks.unseen > self._max_gap, tracks.missed > 0))
        if len(matched) < len(detections):
            new = detections.sure.copy()
            new[matched] = False
            if new.any():
                tracks.begin(detections.take(new))
        if -1 in tracks.identity.tolist():
            newcomers = np.flatnonzero((tracks.identity < 0) & (tracks.frames >= self._min_frames))
            replaced = identities.name(tracks, newcomers)
            if len(replaced):
                tracks.keep(np.delete(np.arange(len(tracks)), replaced))
        return len(detections)

    def _drop(self, which: NDArray[np.bool_]) -> None:
        """Give up tracks; those that had an identity are remembered as lost."""
        if which.any():
            self._identities.lose(self._tracks, np.flatnonzero(which & (self._tracks.identity >= 0)))
            self._tracks.keep(np.flatnonzero(~which))
