"""From a SimCC head's logits along x and y to keypoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class SimCCDecoding:
    """How the logits of a SimCC head become keypoints; the defaults are those of deeplabcut 3.0.2.

    Attributes:
        split_ratio: bins per pixel of the network's input.
        sigma: standard deviations of the Gaussians that the network was trained on, in bins, along x and y.
        decode_beta: logits are multiplied by sigma * decode_beta, which sharpens the softmax.
        apply_softmax: convert logits to probabilities; otherwise use them unchanged.
        normalize_outputs: instead of the multiplication, set negative logits to 0, and divide rows whose maximum exceeds 1
            by that maximum.
    """

    split_ratio: float = 2.0
    sigma: tuple[float, float] = (6.0, 6.0)
    decode_beta: float = 150.0
    apply_softmax: bool = True
    normalize_outputs: bool = False

    @classmethod
    def from_predictor(cls, predictor: Mapping[str, Any]) -> SimCCDecoding:
        """Read the `predictor` part of a head. Exports from before 3.0.1 have neither `sigma` nor `decode_beta`."""
        options = {name: value for name, value in predictor.items() if value is not None}
        default = cls()
        sigma = options.get("sigma", default.sigma)
        along_x, along_y = sigma if isinstance(sigma, (list, tuple)) else (sigma, sigma)
        return cls(
            split_ratio=float(options.get("simcc_split_ratio", default.split_ratio)),
            sigma=(float(along_x), float(along_y)),
            decode_beta=float(options.get("decode_beta", default.decode_beta)),
            apply_softmax=bool(options.get("apply_softmax", default.apply_softmax)),
            normalize_outputs=bool(options.get("normalize_outputs", default.normalize_outputs)),
        )


def decode_simcc(along_x: Tensor, along_y: Tensor, decoding: SimCCDecoding) -> Tensor:
    """Take the highest bin of each row.

    Li et al. 2022, "SimCC: a simple coordinate classification perspective for human pose estimation" (arXiv 2107.03332):
    x = argmax(p_x) / split_ratio, y = argmax(p_y) / split_ratio, and confidence = min(max p_x, max p_y). A keypoint is
    missing if its confidence does not exceed that of uniform logits, 1 / bins along x (0 without softmax), as in deeplabcut
    3.0.2, which writes -1 bin there.

    Args:
        along_x: (N, K, bins) logits.
        along_y: (N, K, bins) logits; the number of bins may differ.
        decoding: split ratio, sigma and flags.

    Returns:
        (N, 1, K, 3) float32: x [px], y [px], confidence; pixels of the network's input. Missing: NaN, NaN, 0.
    """
    rows = [
        _probabilities(logits.to(torch.float32), sigma, decoding)
        for logits, sigma in zip((along_x, along_y), decoding.sigma, strict=True)
    ]
    # The bin of the highest probability, not logit: the first of those that rounding makes equal.
    x, y = (row.argmax(dim=2).to(torch.float32) / decoding.split_ratio for row in rows)
    score = torch.minimum(rows[0].amax(dim=2), rows[1].amax(dim=2))
    present = score > (1 / along_x.shape[2] if decoding.apply_softmax else 0.0)
    nan = torch.full_like(x, torch.nan)
    keypoints = torch.stack(
        [torch.where(present, x, nan), torch.where(present, y, nan), torch.where(present, score, 0.0)], dim=2
    )
    return keypoints.unsqueeze(1)


def _probabilities(logits: Tensor, sigma: float, decoding: SimCCDecoding) -> Tensor:
    if decoding.normalize_outputs:
        logits = logits.clamp(min=0.0)
        logits = logits / logits.amax(dim=2, keepdim=True).clamp(min=1.0)
    else:
        logits = logits * (sigma * decoding.decode_beta)
    return logits.softmax(dim=2) if decoding.apply_softmax else logits
