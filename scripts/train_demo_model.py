"""Train the small network in dlclive_core/demo on rendered mice, and export it.

    python scripts/train_demo_model.py --minutes 30 --out build/mouse
    python scripts/train_demo_model.py --minutes 20 --rate 0.0015 --clips 1400 --first-seed 1100000
        --resume build/mouse/mouse.pt --out build/mouse

For developers. Needs dlclive-torch and some tens of minutes on a CPU. The seeds are disjoint: training uses 1,000,000 and
above, validation 500,000 and above, and the demo and the tests use seeds below 100,000.
"""

from __future__ import annotations

import argparse
import math
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import torch
from dlclive_torch.decoding import decode_heatmap
from dlclive_torch.graph import KeypointGraph
from dlclive_torch.onnx_file import write_onnx
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from dlclive_core import ModelCard
from dlclive_core.deeplabcut.config import HeatmapDecoding
from dlclive_core.demo.motion import MOUSE
from dlclive_core.demo.objects import Thing, pillar, shelf
from dlclive_core.demo.source import MouseSource
from dlclive_core.machine.system import sha256

TRAINING_SEEDS, VALIDATION_SEEDS = 1_000_000, 500_000
CROP = 224  # pixels: the side of a training picture
FRAMES_A_CLIP = 5
BATCH = 12
DECODING = HeatmapDecoding(stride=4, locref_std=4.0, apply_sigmoid=True)
SPREAD = 1.3  # cells: the standard deviation of a target's Gaussian
REACH = 2.5  # cells: the radius around a keypoint in which the refinement is learned
OCCLUDED = 0.4  # share of the pictures with an additional object on the mouse
PAD = 16
BODY = 108  # pixels: the largest distance between two keypoints of a mouse, in frames up to 640 x 480
FLIPPED = [0, 2, 1, 3, 4]  # mirroring swaps the ears


class Residual(nn.Module):
    """Inverted residual (Sandler et al. 2018): widen, filter each channel, narrow. Added to its input if the shapes match."""

    def __init__(self, inside: int, outside: int, *, stride: int = 1, kernel: int = 3, widen: int = 3) -> None:
        super().__init__()
        wide = inside * widen
        self.layers = nn.Sequential(
            nn.Conv2d(inside, wide, 1, bias=False),
            nn.BatchNorm2d(wide),
            nn.ReLU(),
            nn.Conv2d(wide, wide, kernel, stride, kernel // 2, groups=wide, bias=False),
            nn.BatchNorm2d(wide),
            nn.ReLU(),
            nn.Conv2d(wide, outside, 1, bias=False),
            nn.BatchNorm2d(outside),
        )
        self.added = stride == 1 and inside == outside

    def forward(self, features: Tensor) -> Tensor:
        new: Tensor = self.layers(features)
        return features + new if self.added else new


class MouseNetwork(nn.Module):
    """Down to 1/16 of the size, up again to 1/4 with the finer features added; a heatmap and a refinement per keypoint."""

    def __init__(self, keypoints: int = len(MOUSE)) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU())
        self.quarter = nn.Sequential(Residual(16, 24, stride=2), Residual(24, 24))
        self.eighth = nn.Sequential(Residual(24, 40, stride=2, kernel=5), Residual(40, 40), Residual(40, 40))
        self.sixteenth = nn.Sequential(
            Residual(40, 72, stride=2, kernel=5),
            Residual(72, 72, kernel=5),
            Residual(72, 72, kernel=5),
            Residual(72, 72, kernel=5),
        )
        self.to_eighth, self.to_quarter = nn.Conv2d(72, 40, 1), nn.Conv2d(40, 24, 1)
        self.at_eighth, self.at_quarter = Residual(40, 40), nn.Sequential(Residual(24, 24), Residual(24, 24))
        self.heatmap, self.locref = nn.Conv2d(24, keypoints, 1), nn.Conv2d(24, 2 * keypoints, 1)

    def maps(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 3, H, W) normalised -> heatmap logits (N, K, H/4, W/4) and refinements (N, 2K, H/4, W/4)."""
        quarter = self.quarter(self.stem(images))
        eighth = self.eighth(quarter)
        sixteenth = self.sixteenth(eighth)
        up = functional.interpolate(self.to_eighth(sixteenth), scale_factor=2.0, mode="nearest")
        eighth = self.at_eighth(eighth + up)
        up = functional.interpolate(self.to_quarter(eighth), scale_factor=2.0, mode="nearest")
        quarter = self.at_quarter(quarter + up)
        return self.heatmap(quarter), self.locref(quarter)

    def forward(self, images: Tensor) -> Tensor:
        """Keypoints (N, 1, K, 3) in pixels of the images."""
        heatmap, locref = self.maps(images)
        return decode_heatmap(within_reach(heatmap), locref, DECODING)


def within_reach(heatmap: Tensor) -> Tensor:
    """Lower the logits further from the most confident keypoint than a mouse is long, to suppress false detections."""
    count, _, height, width = heatmap.shape
    best = heatmap.amax(dim=1).flatten(1).argmax(dim=1)
    row = torch.div(best, width, rounding_mode="floor")
    column = best - row * width
    down = torch.arange(height, device=heatmap.device)[None, :, None] - row[:, None, None]
    across = torch.arange(width, device=heatmap.device)[None, None, :] - column[:, None, None]
    away = (down**2 + across**2 > (BODY / DECODING.stride) ** 2).to(heatmap.dtype)
    return heatmap - 20 * away.reshape(count, 1, height, width)


def more_things(rng: np.random.Generator, source: MouseSource, keypoints: NDArray[np.float32]) -> list[Thing]:
    """Up to three objects beside the mouse, most of them in its colours, and sometimes one on it."""
    things = []
    for _ in range(rng.integers(0, 4)):
        away = rng.uniform(-130, 130, 2)
        look = source.look
        colour = (look.fur, look.patch, look.ear, look.tail)[rng.integers(4)] * rng.uniform(0.7, 1.3) + rng.normal(
            0, 10, 3
        )
        if rng.random() < 0.4:
            colour = rng.uniform(20, 235, 3)
        if np.hypot(*away) > 0.8 * source.length:
            things.append(_thing(rng, keypoints[3] + away, source.length, colour))
    if rng.random() < OCCLUDED:
        on = keypoints[rng.integers(len(keypoints))] + rng.normal(0, 6, 2)
        things.append(_thing(rng, on, source.length, rng.uniform(20, 235, 3)))
    return things


def _thing(
    rng: np.random.Generator, position: NDArray[np.float64], length: float, colour: NDArray[np.float64]
) -> Thing:
    make = pillar if rng.random() < 0.5 else shelf
    return make(rng, position, length, np.clip(colour, 5, 250).astype(np.float32))


def clip(seed: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Some frames of one clip, cropped to CROP x CROP around the mouse (sometimes anywhere), and their keypoints."""
    rng = np.random.default_rng(seed)
    height = int(rng.integers(232, 520))
    width = int(height * rng.uniform(1.0, 1.5))
    source = MouseSource(seed=seed, frames=60, size=(width, height))
    for again in range(1, 9):  # spotted mice are harder, so they are oversampled
        if len(source.look.spots) or rng.random() < 0.5:
            break
        source = MouseSource(seed=seed + again * 1_000_000, frames=60, size=(width, height))
    things = source.things
    images = np.empty((FRAMES_A_CLIP, CROP, CROP, 3), np.uint8)
    keypoints = np.empty((FRAMES_A_CLIP, len(MOUSE), 3), np.float32)
    for row, index in enumerate(rng.choice(60, FRAMES_A_CLIP, replace=False)):
        source.things = (*things, *more_things(rng, source, source.truth(int(index))[:, :2]))
        truth = source.truth(int(index))
        centre = truth[3, :2] + rng.uniform(-80, 80, 2) if rng.random() < 0.75 else rng.uniform(0, (width, height))
        left, top = np.clip(np.rint(centre - CROP / 2), 0, (width - CROP, height - CROP)).astype(int)
        images[row] = source.render(int(index))[top : top + CROP, left : left + CROP]
        truth[:, :2] -= (left, top)
        truth[:, 2] *= ((truth[:, :2] >= 0) & (truth[:, :2] < CROP)).all(axis=1)
        keypoints[row] = truth
    return images, keypoints


def render_pool(clips: int, first: int, workers: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Many pictures, rendered in advance so that training does not wait for them."""
    with ProcessPoolExecutor(workers) as pool:
        parts = list(pool.map(clip, range(first, first + clips), chunksize=16))
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def augment(images: Tensor, keypoints: Tensor) -> tuple[Tensor, Tensor]:
    """Mirror and rotate the batch, then change the light, colours and noise of each picture. Values are in 0..1."""
    keypoints = keypoints.clone()
    if torch.rand(()) < 0.5:
        images, keypoints = images.flip(3), keypoints[:, FLIPPED]
        keypoints[..., 0] = CROP - keypoints[..., 0]
    for _ in range(int(torch.randint(4, ()))):  # x, y -> y, CROP - x
        images = images.rot90(1, (2, 3))
        keypoints = torch.stack([keypoints[..., 1], CROP - keypoints[..., 0], keypoints[..., 2]], dim=2)
    count = len(images)
    images = images * (0.75 + 0.5 * torch.rand(count, 1, 1, 1)) * (0.92 + 0.16 * torch.rand(count, 3, 1, 1))
    images = (images.clamp(1e-4, 1)) ** (0.75 + 0.6 * torch.rand(count, 1, 1, 1))
    grey = torch.rand(count, 1, 1, 1) < 0.25
    images = torch.where(grey, images.mean(1, keepdim=True).expand_as(images), images)
    blurred = functional.avg_pool2d(images, 3, 1, 1)
    images = torch.where(torch.rand(count, 1, 1, 1) < 0.2, blurred, images)
    images = images + 0.03 * torch.rand(count, 1, 1, 1) * torch.randn_like(images)
    return images.clamp(0, 1), keypoints


def targets(keypoints: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Gaussians (N, K, h, w), refinements (N, K, 2, h, w), their mask (N, K, h, w), and the Gaussians with hidden keypoints."""
    cells = CROP // int(DECODING.stride)
    centres = (torch.arange(cells) + 0.5) * DECODING.stride
    dx = keypoints[..., 0, None, None] - centres[None, None, None, :]
    dy = keypoints[..., 1, None, None] - centres[None, None, :, None]
    squared = (dx**2 + dy**2) / DECODING.stride**2
    visible = keypoints[..., 2, None, None]
    gaussians = torch.exp(-squared / (2 * SPREAD**2))
    offsets = torch.stack(torch.broadcast_tensors(dx, dy), dim=2) / float(DECODING.locref_std or 1)
    return visible * gaussians, offsets, visible * (squared <= REACH**2), gaussians


def loss_of(network: MouseNetwork, images: Tensor, keypoints: Tensor) -> Tensor:
    """Weighted cross entropy on the heatmaps, Huber on the refinements near a keypoint."""
    visible, offsets, near, gaussians = targets(keypoints)
    heatmap, locref = network.maps(normalised(images))
    weight = 1 + 10 * gaussians  # equal for visible and hidden keypoints, or the network would be confident of both
    on_map = (weight * functional.binary_cross_entropy_with_logits(heatmap, visible, reduction="none")).mean()
    error = functional.smooth_l1_loss(locref.reshape(offsets.shape), offsets, reduction="none", beta=0.1).sum(2)
    return on_map + 0.15 * (error * near).sum() / near.sum().clamp(min=1)


def normalised(images: Tensor) -> Tensor:
    """Normalise as KeypointGraph does with ImageNet's statistics."""
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    return (images - mean) / std


@torch.no_grad()
def validate(network: MouseNetwork, images: NDArray[np.uint8], keypoints: NDArray[np.float32]) -> tuple[float, float]:
    """The root mean square and median error in pixels of the visible keypoints."""
    network.eval()
    poses = [
        network(normalised(torch.from_numpy(images[i : i + 32]).permute(0, 3, 1, 2).float() / 255))
        for i in range(0, len(images), 32)
    ]
    network.train()
    visible = keypoints[..., 2] > 0
    error = np.linalg.norm(torch.cat(poses)[:, 0].numpy()[visible][:, :2] - keypoints[visible][:, :2], axis=1)
    return float(np.sqrt((error**2).mean())), float(np.median(error))


def train(
    minutes: float, clips: int, first_seed: int, rate: float, workers: int, checkpoint: Path, resume: Path | None
) -> MouseNetwork:
    """Train for this time, with a learning rate that falls to zero."""
    torch.manual_seed(0)
    began = time.monotonic()
    images, keypoints = render_pool(clips, first_seed, workers)
    check = render_pool(40, VALIDATION_SEEDS, workers)
    print(f"rendered {len(images)} pictures in {time.monotonic() - began:.0f} s", flush=True)
    network = MouseNetwork()
    if resume is not None:
        network.load_state_dict(torch.load(resume, weights_only=True))
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=0.01)
    rng = np.random.default_rng(0)
    began, step, shown = time.monotonic(), 0, 0.0
    while (share := (time.monotonic() - began) / (60 * minutes)) < 1:
        for group in optimizer.param_groups:
            group["lr"] = rate * (0.5 + 0.5 * math.cos(math.pi * share)) * min(1.0, (step + 1) / 100)
        batch = rng.choice(len(images), BATCH, replace=False)
        pictures = torch.from_numpy(images[batch]).permute(0, 3, 1, 2).float() / 255
        loss = loss_of(network, *augment(pictures, torch.from_numpy(keypoints[batch])))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        step += 1
        if time.monotonic() - shown > 150:
            shown = time.monotonic()
            rms, median = validate(network, *check)
            print(
                f"{share:4.0%} step {step} loss {loss.item():.4f} validation rms {rms:.2f} px, median {median:.2f} px",
                flush=True,
            )
            torch.save(network.state_dict(), checkpoint)
    rms, median = validate(network, *check)
    print(f"done: {step} steps, validation rms {rms:.2f} px, median {median:.2f} px", flush=True)
    torch.save(network.state_dict(), checkpoint)
    return network


def export(network: MouseNetwork, weights: Path, target: Path) -> None:
    """Write the network in the format of dlclive's exports."""
    graph = KeypointGraph(network, normalisation="imagenet", pad_divisor=(PAD, PAD)).eval()
    card = ModelCard(
        net_type="dlclive_mouse",
        skeleton=MOUSE,
        scorer="DLC_DlcliveMouse_demo",
        stride=DECODING.stride,
        normalisation="imagenet",
        pad_divisor=(PAD, PAD),
        format="onnx",
        source_sha256=sha256(weights),
    )
    write_onnx(graph, card, target)


def main() -> None:
    """Train, then export; or only export a checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--clips", type=int, default=1500, help=f"clips to render; {FRAMES_A_CLIP} pictures each")
    parser.add_argument("--first-seed", type=int, default=TRAINING_SEEDS, help="the seed of the first clip")
    parser.add_argument("--rate", type=float, default=4e-3, help="initial learning rate")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--resume", type=Path, help="initial weights")
    parser.add_argument("--export-only", action="store_true", help="export the weights in --out")
    parser.add_argument("--out", type=Path, default=Path("build/mouse"), help="folder for weights and model")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    weights = options.out / "mouse.pt"
    if options.export_only:
        network = MouseNetwork()
        network.load_state_dict(torch.load(weights, weights_only=True))
    else:
        network = train(
            options.minutes,
            options.clips,
            options.first_seed,
            options.rate,
            options.workers,
            weights,
            options.resume,
        )
    export(network, weights, options.out / "mouse.onnx")


if __name__ == "__main__":
    main()
