r"""Motion models of a keypoint between frames: the two textbook models of a tracked point.

Each coordinate of each keypoint is a system of its own, with the state s = (position, velocity) for the order
"velocity" and (position, velocity, acceleration) for "acceleration". Its highest derivative is a random walk: white
noise of spectral density q drives it, so after a time T

    s(T) = F(T) s(0) + w,   w ~ N(0, Q(T))

    velocity      F = [1 T]        Q = q [T^3/3  T^2/2]         q in px^2/s^3
                      [0 1]              [T^2/2  T    ]

    acceleration  F = [1 T T^2/2]  Q = q [T^5/20 T^4/8 T^3/6]   q in px^2/s^5
                      [0 1 T    ]        [T^4/8  T^3/3 T^2/2]
                      [0 0 1    ]        [T^3/6  T^2/2 T    ]

Source: Y. Bar-Shalom, X. R. Li, T. Kirubarajan, Estimation with Applications to Tracking and Navigation, Wiley 2001,
sections 6.2.2 (continuous white noise acceleration) and 6.2.3 (continuous Wiener process acceleration). These forms of
Q hold for any T, and two steps of T/2 give what one step of T gives, so frames may come at irregular times.
"""

from __future__ import annotations

from math import factorial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Order = Literal["velocity", "acceleration"]

# Prior of a new track: at rest, with these standard deviations. Wide enough for a running mouse at 2 px/mm; the first few
# frames outweigh it.
START_SPEED = 1000.0  # px/s
START_ACCELERATION = 10_000.0  # px/s^2


class Motion:
    """F, Q and the covariance of a new track, for one order.

    Args:
        order: "velocity" (two states) or "acceleration" (three).
        process_noise: standard deviation of the change of the highest derivative in one second: px/s for
            "velocity", px/s^2 for "acceleration". Its square is q.
        measurement_noise: standard deviation of a measured coordinate in px.

    Attributes:
        states: D, the number of states of a coordinate.
    """

    def __init__(self, order: Order, process_noise: float, measurement_noise: float) -> None:
        self.states = 2 if order == "velocity" else 3
        spread = (measurement_noise, START_SPEED, START_ACCELERATION)[: self.states]
        self.start = np.diag(np.square(spread)).astype(np.float64)
        # F[i, j] = T^n / n! with n = j - i; Q[i, j] = q T^(m+n+1) / (m! n! (m+n+1)), m = D-1-i, n = D-1-j
        steps = np.arange(self.states)
        ahead = steps[None, :] - steps[:, None]
        self._transition_powers = np.maximum(ahead, 0)
        self._transition = np.where(ahead >= 0, 1.0 / _factorials(self._transition_powers), 0.0)
        m, n = self.states - 1 - steps[:, None], self.states - 1 - steps[None, :]
        self._noise_powers = m + n + 1
        self._noise = process_noise**2 / (_factorials(m) * _factorials(n) * self._noise_powers)

    def transition(self, seconds: float) -> NDArray[np.float64]:
        """F: (D, D)."""
        transition: NDArray[np.float64] = self._transition * np.power(seconds, self._transition_powers)
        return transition

    def noise(self, seconds: float) -> NDArray[np.float64]:
        """Q: (D, D)."""
        noise: NDArray[np.float64] = self._noise * np.power(seconds, self._noise_powers)
        return noise


def _factorials(numbers: NDArray[np.int_]) -> NDArray[np.float64]:
    factorials: NDArray[np.float64] = np.vectorize(factorial, otypes=[np.float64])(numbers)
    return factorials
