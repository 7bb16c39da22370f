"""The guard: whether a frame is unlike those that a student was trained on, from what its networks make of it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dlclive_distill.training.votes import Votes

LIMIT = 1.0
"""Above it a frame counts as unlike the training."""

_BEHIND = 16  # directions of the deep features that are judged one by one
_FAR = 5.0  # standard deviations from which a feature no longer counts more
_SIMPLE = 3e-3  # weight of the squares of the weights
_CLEAR = 1e-4  # least distance of a probability from 0 and 1, so that its logit is finite


class Guard(nn.Module):
    """Features of the networks to one number for a frame; above 1 it is unlike the training.

    Judged are: the confidence of the keypoints and of the animal's centre, as logits; the spread of the votes; the deepest
    features, their means and their maxima over the window; and how far the means are from those of the training frames, as
    the logarithm of a Mahalanobis distance (P. C. Mahalanobis, 1936) in the directions of the largest variance, and of the
    distance outside of them. A logistic regression on these, fitted to frames that were darkened, blurred, covered, mirrored
    or replaced, tells the odds that the student is off: unlike = exp(score - limit), where score are the log odds, and `limit`
    the score that frames on which it is right hardly pass.

    Args:
        deep: C, channels of the deepest features.
        keypoints: K.
    """

    def __init__(self, deep: int, keypoints: int) -> None:
        super().__init__()
        self.count = 6 + 2 * keypoints + 2 * deep
        count = min(_BEHIND, deep)
        self.register_buffer("mean", torch.zeros(deep))
        self.register_buffer("directions", torch.zeros(deep, count))
        self.register_buffer("scales", torch.ones(count))
        self.register_buffer("rest", torch.tensor(1.0))
        self.register_buffer("centre", torch.zeros(self.count))
        self.register_buffer("scale", torch.ones(self.count))
        self.register_buffer("weights", torch.zeros(self.count))
        self.register_buffer("bias", torch.tensor(-10.0))
        self.mean: Tensor
        self.directions: Tensor
        self.scales: Tensor
        self.rest: Tensor
        self.centre: Tensor
        self.scale: Tensor
        self.weights: Tensor
        self.bias: Tensor

    def forward(self, deep: Tensor, votes: Votes, found: Tensor) -> Tensor:
        """(B,) of the features as in `features`."""
        return self.score(self.features(deep, votes, found)).clamp(-10.0, 10.0).exp()

    def score(self, features: Tensor) -> Tensor:
        """(B,) log odds of features (B, F) that the student is off, less the limit."""
        return self._standard(features) @ self.weights + self.bias

    def _standard(self, features: Tensor) -> Tensor:
        return ((features - self.centre) / self.scale).clamp(-_FAR, _FAR)

    def features(self, deep: Tensor, votes: Votes, found: Tensor) -> Tensor:
        """What is judged, (B, F).

        Args:
            deep: (B, C, h, w) the deepest features of the fine network.
            votes: of the keypoints.
            found: (B,) confidence of the centre.
        """
        logits = _logit(votes.confidence)
        behind, outside = self.distances(deep)
        of_all = [
            logits.mean(dim=1),
            logits.amin(dim=1),
            votes.spread.amax(dim=1).log(),
            _logit(found),
            behind,
            outside,
        ]
        of_each = [logits, votes.spread.log(), pooled(deep), deep.float().amax((2, 3))]
        return torch.cat([torch.stack(of_all, dim=1), *of_each], dim=1)

    def distances(self, deep: Tensor) -> tuple[Tensor, Tensor]:
        """Logarithms (B,) of the distances to the training's features: along the directions, and outside of them."""
        away = pooled(deep) - self.mean
        along = away @ self.directions
        outside = ((away**2).sum(1) - (along**2).sum(1)).clamp_min(0) / self.rest
        inside = ((along / self.scales) ** 2).mean(1)
        return (inside + 1e-3).log(), (outside + 1e-3).log()

    def fit_distances(self, pooled_features: Tensor) -> None:
        """Take the distribution of `pooled` features (N, C) of the training frames."""
        self.mean.copy_(pooled_features.mean(0))
        away = pooled_features - self.mean
        _, singular, directions = torch.linalg.svd(away, full_matrices=False)
        count = self.directions.shape[1]
        variances = singular**2 / max(1, len(away) - 1)
        self.directions.copy_(directions[:count].T)
        self.scales.copy_(variances[:count].sqrt().clamp_min(1e-4))
        self.rest.copy_(variances[count:].sum().clamp_min(1e-6))

    def fit_score(self, features: Tensor, is_off: Tensor) -> None:
        """Fit the score to features (N, F) and whether the student was off there, (N,) bool."""
        self.centre.copy_(features.mean(0))
        self.scale.copy_(features.std(0).clamp_min(1e-3))
        inputs = self._standard(features)
        weights = torch.zeros(self.count, requires_grad=True)
        bias = torch.zeros((), requires_grad=True)
        optimiser = torch.optim.LBFGS([weights, bias], max_iter=200, line_search_fn="strong_wolfe")

        def loss() -> Tensor:
            optimiser.zero_grad()
            value = nn.functional.binary_cross_entropy_with_logits(inputs @ weights + bias, is_off.float())
            value = value + _SIMPLE * (weights**2).sum()
            value.backward()  # type: ignore[no-untyped-call]
            return value

        optimiser.step(loss)  # type: ignore[no-untyped-call]
        with torch.no_grad():
            self.weights.copy_(weights)

    def fit_limit(self, right: Tensor, passing: float) -> None:
        """Put the limit where a share `passing` of features (N, F) of frames on which the student is right are below it."""
        self.bias.zero_()
        self.bias.copy_(-torch.quantile(self.score(right), passing))


def pooled(deep: Tensor) -> Tensor:
    """The mean of features (B, C, h, w) over the cells, (B, C)."""
    return deep.float().mean((2, 3))


def _logit(chance: Tensor) -> Tensor:
    chance = chance.clamp(_CLEAR, 1 - _CLEAR)
    return (chance / (1 - chance)).log()
