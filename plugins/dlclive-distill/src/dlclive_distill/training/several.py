"""A student of several animals: as many windows as animals, and what must be told apart among their answers."""

from __future__ import annotations

import torch
from torch import Tensor

from dlclive_core import UsageError
from dlclive_distill.training.family import FAMILY, StudentKind
from dlclive_distill.training.networks import COARSE_STEP, CROWD_CELL, CrowdNetwork
from dlclive_distill.training.peaks import highest_peaks
from dlclive_distill.training.student import Reading, Student, planes, reflected
from dlclive_distill.training.votes import Votes

FOUND = 0.3
"""Probability of the coarse network from which there is an animal."""
SEEN = 0.3
"""Confidence of its best keypoint from which there is an animal in a window."""
_SAME = 0.1  # of the window: answers whose keypoints are nearer to each other are of one animal


class SeveralStudent(Student):
    """Images (B, H, W, 3) uint8 RGB of one size to "keypoints" (B, N, K, 3) and "unlike" (B,), float32.

    The coarse network's N highest peaks each get a window, and the fine network answers for the animal in the middle of each.
    The rows are in the order of these peaks' heights, so an animal's row may change from frame to frame. A row is missing (NaN,
    NaN, 0) if either network sees no animal there, or if its animal is that of an earlier row. "unlike" is the worst of the
    animals that were found; of none, that of the highest peak, so that a dark frame is not taken for an empty one.

    Windows reach beyond the frame, where they show its reflection: the animal that is asked for stays in the middle.

    Args:
        kind: the architecture, one with windows.
        keypoints: K.
        size: (height, width) of the images.
        window: side of the windows in pixels, which becomes a multiple of two cells.
        animals: N.
    """

    def __init__(self, kind: StudentKind, keypoints: int, size: tuple[int, int], window: int, animals: int) -> None:
        super().__init__(kind, keypoints, size, window)
        self.animals = animals
        self.coarse = CrowdNetwork()

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        reading = self.read(image)
        there = self.there(reading)
        unlike = self.guard(reading.deep, reading.votes, reading.found).reshape(-1, self.animals)
        worst = torch.where(there, unlike, 0.0).amax(1)
        keypoints = reading.keypoints.reshape(-1, self.animals, reading.keypoints.shape[1], 3)
        missing = torch.tensor([torch.nan, torch.nan, 0.0], device=image.device)
        return {
            "keypoints": torch.where(there[:, :, None, None], keypoints, missing),
            "unlike": torch.where(there.any(1), worst, unlike[:, 0]),
        }

    def there(self, reading: Reading) -> Tensor:
        """(B, N): which windows of B images have an animal that no window before has."""
        shape = (-1, self.animals)
        sees = (reading.found.reshape(shape) >= FOUND) & (reading.votes.confidence.amax(1).reshape(shape) >= SEEN)
        keypoints = reading.keypoints.reshape(*shape, reading.keypoints.shape[1], 3)
        return sees & ~_repeats(keypoints, sees, _SAME * self.window)

    def of_animals(self, reading: Reading) -> Reading:
        """See `Student.of_animals`. Of one image; if there is no animal, of the highest peak, as in `forward`."""
        rows = self.there(reading)[0].nonzero()[:, 0]
        rows = rows if len(rows) else torch.zeros(1, dtype=torch.int64)
        votes = Votes(*(tensor[rows] for tensor in reading.votes))
        return Reading(reading.keypoints[rows], reading.deep[rows], votes, reading.found[rows])

    def find(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """The animals' centres (B, N, 2) in pixels, and how sure the coarse network is of each (B, N), 0..1."""
        assert self.coarse is not None
        logits = self.coarse(planes(image[:, ::COARSE_STEP, ::COARSE_STEP]))
        cells, found = highest_peaks(logits, self.animals)
        return cells * CROWD_CELL, found

    def _look(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As a `Student`'s, for all windows of all images, (B * N, ...)."""
        centres, found = self.find(image)
        corners = (centres - self.window / 2).round().reshape(-1, 2)
        left, top = corners[:, 0].long(), corners[:, 1].long()
        return found.reshape(-1), corners, self._cut(image, top, left)

    def _cut(self, image: Tensor, top: Tensor, left: Tensor) -> Tensor:
        """Windows (B * N, S, S, 3) of images: one look-up of pixels."""
        count, height, width, _ = image.shape
        steps = torch.arange(self.window, device=image.device)
        first = (torch.arange(count, device=image.device) * height)[:, None].expand(count, self.animals).reshape(-1)
        rows = first[:, None] + reflected(top[:, None] + steps, self.size[0])
        columns = reflected(left[:, None] + steps, self.size[1])
        pixels = (rows * width)[:, :, None] + columns[:, None]
        cut = image.reshape(-1, 3).index_select(0, pixels.flatten())
        return cut.reshape(-1, self.window, self.window, 3)


def make_student(
    kind: StudentKind,
    keypoints: int,
    size: tuple[int, int],
    window: int,
    animals: int = 1,
    grid: int | None = None,
) -> Student:
    """A new student with random weights, for one animal or for several; a grid is for one only."""
    if animals > 1:
        return SeveralStudent(kind, keypoints, size, window, animals)
    return Student(kind, keypoints, size, window, grid)


def check_windowed(kind: StudentKind, animals: int) -> None:
    """Raise UsageError if this student cannot find so many animals."""
    if animals > 1 and not kind.windowed:
        others = ", ".join(other.name for other in FAMILY if other.windowed)
        raise UsageError(f"the student {kind.name!r} finds one animal, and the teacher {animals}: choose from {others}")


def _repeats(keypoints: Tensor, sees: Tensor, reach: float) -> Tensor:
    """(B, N): the answer (B, N, K, 3) repeats an earlier one that sees an animal: their keypoints are near each other.

    What is small is the mean of their distances; keypoints count by the product of their confidences.
    """
    xy, confidence = keypoints[..., :2], keypoints[..., 2]
    apart = ((xy[:, :, None] - xy[:, None]) ** 2).sum(-1).sqrt()  # (B, N, N, K)
    weights = confidence[:, :, None] * confidence[:, None]
    mean = (apart * weights).sum(-1) / (weights.sum(-1) + 1e-9)
    animals = keypoints.shape[1]
    earlier = torch.ones(animals, animals, dtype=torch.bool, device=keypoints.device).triu(1)
    return ((mean < reach) & earlier & sees[:, :, None]).any(1)
