"""One student in training: its steps, its running average, and how far it is from the teacher."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import numpy as np
import torch
from dlclive_torch.device import cpu_has_bf16
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from dlclive_distill.matching import aligned
from dlclive_distill.training.family import StudentKind
from dlclive_distill.training.footing import Footing
from dlclive_distill.training.samples import coarse_batch, fine_batch
from dlclive_distill.training.several import make_student
from dlclive_distill.training.student import Student, as_batch, planes
from dlclive_distill.training.targets import SURE, FineTargets
from dlclive_distill.training.votes import count_votes

BATCH, COARSE_BATCH = 32, 24
COARSE_EVERY = 2  # steps: the coarse network learns faster

_RATE, _DECAY = 2e-3, 1e-2  # of AdamW (Loshchilov and Hutter, 2019)
_WARM_UP = 100  # steps of a growing rate
_LAST_RATE = 0.02  # of the first
_AVERAGED = 500.0  # steps over which weights are averaged
_PEAKS = 9.0  # weight of cells with a keypoint, above that of cells without
_HEATMAPS, _COARSE = 4.0, 2.0  # weights of these losses
_BETA = 0.1  # cells: errors above it count linearly, so that the teacher's own outliers do not pull
_NEAR = 2.0  # cells: votes farther off train the heatmap, not the position

_GUARD = "guard."

Batch = tuple[Tensor, FineTargets, tuple[Tensor, Tensor, Tensor] | None]


class Trainer:
    """Trains a student.

    Every step draws its pictures from the seed and its own number, so a training that was interrupted goes on as if it had not
    been.

    Args:
        kind, window: of the student.
        footing: the frames.
        thumbnails: of the frames, for the coarse network.
        seed: of the weights and pictures.
        device: where to train.
    """

    def __init__(
        self,
        kind: StudentKind,
        window: int,
        footing: Footing,
        thumbnails: NDArray[np.uint8],
        *,
        seed: int,
        device: torch.device,
    ) -> None:
        self.kind, self._footing, self._thumbnails, self._seed, self._device = kind, footing, thumbnails, seed, device
        height, width = footing.size
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.student = make_student(
                kind, footing.keypoints.shape[2], (height, width), window, footing.animals, footing.grid
            )
        self.student.to(device)
        self.student.fine.to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.student).eval()
        self._optimiser = torch.optim.AdamW(self.student.parameters(), lr=_RATE, weight_decay=_DECAY)
        self._half = device.type == "cuda" or (device.type == "cpu" and cpu_has_bf16())
        step = 2 * kind.cell
        window = self.student.window
        self._side = (window, window) if kind.windowed else (width // step * step, height // step * step)

    def draw(self, step: int) -> Batch:
        """The pictures and targets of a step. Any thread may call it."""
        random = np.random.default_rng([self._seed, step])
        pictures, targets = fine_batch(
            self._footing, BATCH, self._side, self.kind.cell, random, follows=self.kind.windowed
        )
        coarse = None
        if self.kind.windowed and step % COARSE_EVERY == 0:
            coarse = coarse_batch(self._footing, self._thumbnails, COARSE_BATCH, random)
        return pictures, targets, coarse

    def step(self, number: int, steps: int, batch: Batch) -> float:
        """Take step `number` of `steps` (the first is 0) with its batch; return the loss."""
        for group in self._optimiser.param_groups:
            group["lr"] = _rate(number, steps)
        self.student.train()
        pictures, targets, coarse = batch
        loss = self._fine_loss(pictures, targets)
        if coarse is not None:
            loss = loss + _COARSE * self._coarse_loss(*coarse)
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.student.parameters(), 5.0)
        self._optimiser.step()
        self._take_average(number + 1)
        return float(loss.detach())

    def tensors(self) -> dict[str, Tensor]:
        """All that changes in a training; not the guards, which are fitted after it."""
        tensors = {
            f"{prefix}.{name}": tensor
            for prefix, module in (("student", self.student), ("average", self.average))
            for name, tensor in module.state_dict().items()
            if not name.startswith(_GUARD)
        }
        for index, state in self._optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{index}.{name}": tensor for name, tensor in state.items()}
        return tensors

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from what `tensors` returned. Raises RuntimeError or KeyError if they are another student's."""
        for module, prefix in ((self.student, "student."), (self.average, "average.")):
            kept = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
            guard = {name: value for name, value in module.state_dict().items() if name.startswith(_GUARD)}
            module.load_state_dict(kept | guard)
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            if name.startswith("optimiser."):
                _, index, key = name.split(".")
                state.setdefault(int(index), {})[key] = value
        groups = self._optimiser.state_dict()["param_groups"]
        self._optimiser.load_state_dict({"state": state, "param_groups": groups})

    def _fine_loss(self, pictures: Tensor, targets: FineTargets) -> Tensor:
        targets = FineTargets(*(tensor.to(self._device) for tensor in targets))
        inputs = self.student.prepared(pictures.to(self._device))
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._half):
            logits, offsets, _ = self.student.fine(inputs)
        logits, offsets = logits.float(), offsets.float()
        heatmaps = functional.binary_cross_entropy_with_logits(logits, targets.heatmaps, reduction="none")
        heatmaps = (heatmaps * (1 + _PEAKS * targets.heatmaps)).mean()
        count, keypoints, height, width = logits.shape
        moved = offsets.view(count, keypoints, 2, height, width).permute(0, 1, 3, 4, 2)
        vectors = _weighted(_distance(moved, targets.offsets), targets.near)
        xy = count_votes(logits, offsets).xy
        distance = (xy.detach() - targets.xy).norm(dim=-1)
        positions = _weighted(_distance(xy, targets.xy), targets.sure * (distance < _NEAR))
        return _HEATMAPS * heatmaps + vectors + positions

    def _coarse_loss(self, pictures: Tensor, chance: Tensor, weights: Tensor) -> Tensor:
        assert self.student.coarse is not None
        chance = chance.to(self._device)
        logits = self.student.coarse(planes(pictures.to(self._device)))
        loss = functional.binary_cross_entropy_with_logits(logits, chance, reduction="none") * (1 + _PEAKS * chance)
        return (loss * weights.to(self._device)[:, None, None]).mean()

    @torch.no_grad()
    def _take_average(self, steps: int) -> None:
        """Weights averaged over the last steps; over fewer at the beginning."""
        share = min(1 - 1 / _AVERAGED, steps / (steps + 10))
        for average, present in zip(
            self.average.state_dict().values(), self.student.state_dict().values(), strict=True
        ):
            if average.dtype.is_floating_point:
                average.lerp_(present, 1 - share)
            else:
                average.copy_(present)


def distances(
    student: Student, frames: NDArray[np.uint8], teacher: NDArray[np.float32], reach: float
) -> NDArray[np.float64]:
    """Pixels between a student's keypoints in frames (N, H, W, 3) and the teacher's (N, A, K, 3), where the teacher is sure.

    Several animals are matched. One that the student does not find, nor anything within `reach` px of it, counts as far away
    as the frame is wide.
    """
    found = np.stack([predict(student, frame) for frame in frames])
    if teacher.shape[1] > 1:
        found = np.stack([aligned(*pair, reach) for pair in zip(found, teacher, strict=True)])
    apart = np.hypot(*(found[..., axis] - teacher[..., axis] for axis in (0, 1)))
    return np.nan_to_num(np.asarray(apart[teacher[..., 2] >= SURE], np.float64), nan=float(frames.shape[2]))


def predict(student: Student, frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(A, K, 3) keypoints in a frame (H, W, 3)."""
    with torch.inference_mode():
        return student(as_batch(frame))["keypoints"][0].numpy()


def _rate(step: int, steps: int) -> float:
    """Cosine, after a warm-up (Loshchilov and Hutter, 2017)."""
    falling = 0.5 * (1 + np.cos(np.pi * min(1.0, step / max(1, steps))))
    return float(_RATE * min(1.0, (step + 1) / _WARM_UP) * (_LAST_RATE + (1 - _LAST_RATE) * falling))


def _distance(found: Tensor, expected: Tensor) -> Tensor:
    return functional.smooth_l1_loss(found, expected, reduction="none", beta=_BETA).sum(-1)


def _weighted(values: Tensor, weights: Tensor) -> Tensor:
    return (values * weights).sum() / weights.sum().clamp_min(1)
