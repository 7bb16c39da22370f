r"""Motion models of a keypoint between frames.

Each coordinate of each keypoint is a system of its own, with the state s = (position, velocity) for the order "velocity" and
(position, velocity, acceleration) for "acceleration". Its highest derivative h forgets itself within the time constant tau
(`persistence`) and is driven by white noise w of spectral density q:

    h' = -h / tau + w        so after a time T        s(T) = F(T) s(0) + noise ~ N(0, Q(T))

    F = [1 f]  f = tau (1 - e)         F = [1 T f]  f = tau^2 (u - 1 + e)      u = T / tau
        [0 e]  e = exp(-u)                 [0 1 g]  g = tau (1 - e)            e = exp(-u)
                                           [0 0 e]
    Q = q * integral from 0 to T of c(t) c(t)' dt      with c, the last column of F

These are the continuous-time correlated random walk, as in D. S. Johnson, J. M. London, M.-A. Lea, J. W. Durban, Ecology 89
(2008) 1208-1215 for animals that are tracked, and the manoeuvring target of R. A. Singer, IEEE Transactions on Aerospace and
Electronic Systems AES-6 (1970) 473-483. Without forgetting (tau infinite) they are the white noise acceleration and the Wiener
process acceleration of Y. Bar-Shalom, X. R. Li, T. Kirubarajan, Estimation with Applications to Tracking and Navigation,
Wiley 2001, sections 6.2.2 and 6.2.3. For all of them, two steps of T/2 are equal to one of T, so frames may come at irregular
times.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Order = Literal["velocity", "acceleration"]
Array = NDArray[np.float64]

# Prior of a new track: at rest, with these standard deviations. Wide enough for a running mouse at 2 px/mm; the first few
# frames outweigh it.
START_SPEED = 1000.0  # px/s
START_ACCELERATION = 10_000.0  # px/s^2

LONGEST_PART = 0.25  # in units of tau: over so short a time, five points integrate to the precision of float64
_ROOTS, _HEIGHTS = np.polynomial.legendre.leggauss(5)
_NODES, _WEIGHTS = (0.5 + 0.5 * _ROOTS).tolist(), 0.5 * _HEIGHTS  # of the integral from 0 to 1


class Motion:
    """F, Q and the covariance of a new track, for one order.

    Args:
        order: "velocity" (two states) or "acceleration" (three).
        process_noise: standard deviation of the change of the highest derivative in one second, if it forgot nothing: px/s for
            "velocity", px/s^2 for "acceleration". Its square is q.
        measurement_noise: standard deviation of a measured coordinate in px.
        persistence: tau in seconds; may be infinite.

    Attributes:
        states: S, the number of states of a coordinate.
        start: (S, S) covariance of a new track.
        transition: F, (S, S), for a number of seconds, read-only.
        step: F and Q for a number of seconds, read-only. The newest of both are remembered.
    """

    def __init__(
        self, order: Order, process_noise: float, measurement_noise: float, persistence: float = math.inf
    ) -> None:
        self.states = 2 if order == "velocity" else 3
        spread = (measurement_noise, START_SPEED, START_ACCELERATION)[: self.states]
        self.start = np.diag(np.square(spread)).astype(np.float64)
        self._density = process_noise**2
        self._tau = persistence
        # Frames mostly come at few different intervals: those of a camera's or a recording's clock.
        self.transition = lru_cache(maxsize=64)(self._transition)
        self.step = lru_cache(maxsize=64)(self._step)

    def noise(self, seconds: float) -> Array:
        """Q: (S, S)."""
        parts = seconds / (LONGEST_PART * self._tau)
        halvings = math.ceil(math.log2(parts)) if parts > 1 else 0
        part = seconds / 2**halvings
        columns = np.array([self._last_column(part * node) for node in _NODES])
        noise: Array = (columns.T * (self._density * part * _WEIGHTS)) @ columns
        if halvings:
            transition = self.transition(part)
            for _ in range(halvings):
                noise = transition @ noise @ transition.T + noise
                transition = transition @ transition
        return noise

    def _step(self, seconds: float) -> tuple[Array, Array]:
        noise = self.noise(seconds)
        noise.flags.writeable = False
        return self.transition(seconds), noise

    def _transition(self, seconds: float) -> Array:
        last = self._last_column(seconds)
        rows = [[1.0, last[0]], [0.0, last[1]]]
        if self.states == 3:
            rows = [[1.0, seconds, last[0]], [0.0, 1.0, last[1]], [0.0, 0.0, last[2]]]
        transition = np.array(rows)
        transition.flags.writeable = False
        return transition

    def _last_column(self, seconds: float) -> tuple[float, ...]:
        """The last column of F: how a highest derivative of 1 acts on the states."""
        if math.isinf(self._tau):
            column = (0.5 * seconds * seconds, seconds, 1.0)
        else:
            u = seconds / self._tau
            lost = -math.expm1(-u)
            column = (self._tau**2 * (u - lost), self._tau * lost, 1.0 - lost)
        return column[-self.states :]
