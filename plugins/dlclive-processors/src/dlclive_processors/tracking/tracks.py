r"""The animals that are followed: where each is expected, and how sure that is. Small arrays, all tracks at once."""

from __future__ import annotations

import math

import numpy as np

from dlclive_processors.tracking.detections import Detections, Floats, Places, Points

MEASURED_KEYPOINTS, MEASURED_BOX = 0.03, 0.06
"""Standard deviation of an animal's measured position, as a share of its size: of the mean of its keypoints, and of the middle
of its box, which moves with every keypoint at its edge that is found or not."""
START_SPEED = 10.0
"""Prior of a new track: at rest, with this standard deviation, in sizes per second. A running mouse has 10."""
SLOWING = 0.5
"""Seconds in which the expected speed of an unseen animal falls to 1 / e: straight on at first, but not out of the arena."""
SIZE_GAIN = 0.1
"""How much of a detection's size is taken over in each frame: a size is steady, and a hidden tail changes it."""


class Tracks:
    r"""M animals, each a rigid body of P points that moves at a constant velocity.

    The body's position is a Kalman filter's state (position, velocity) for x and y, which share one covariance. The model
    is the continuous white noise acceleration model of Bar-Shalom, Li, Kirubarajan, Estimation with Applications to Tracking
    and Navigation, Wiley 2001, section 6.2.2, here written out because frames are short:

        predict   z += v T        P00 += 2 T P01 + T^2 P11 + q T^3/3
                                  P01 += T P11 + q T^2/2,    P11 += q T
        update    r = mean over the points seen of (measured - expected),    g = (P00, P01) / (P00 + R)
                  z += g0 r,  v += g1 r,  P11 -= g1 P01,  P01 *= 1 - g0,  P00 *= 1 - g0

    Lengths are in sizes of the animal: q is the square of `process_noise` times its area, so that flies and rats need no
    different options. The body's shape is that of the last frame: `offsets`, whose mean is 0.

    Args:
        process_noise: standard deviation of the change of velocity in one second, in sizes per second.
        measurement_noise: standard deviation of a measured position, in sizes; its square, times the area, is R.

    Attributes:
        position, velocity: (M,) complex px and px/s.
        p00, p01, p11: (M,) covariance of a coordinate.
        offsets: (M, P) complex px; 0 where not known.
        known: (M, P) 1 for points that were seen at least once, else 0.
        points: (M,) how many are.
        is_complete: whether all points of all tracks are known, which saves much of the work.
        area: (M,) px^2, the square of the animal's size.
        last: (M,) complex px, where it was seen last.
        unseen: (M,) seconds since then.
        missed: (M,) frames since then.
        frames: (M,) frames in which it was seen.
        identity: (M,) its number, -1 before it has one.
        row: (M,) its row in the pose of this frame, -1 if it was not seen.
    """

    position: Points
    velocity: Points
    p00: Floats
    p01: Floats
    p11: Floats
    offsets: Points
    known: Floats
    points: Floats
    area: Floats
    last: Points
    unseen: Floats
    missed: Places
    frames: Places
    identity: Places
    row: Places

    _FIELDS = (
        "position", "velocity", "p00", "p01", "p11", "offsets", "known", "points", "area", "last", "unseen", "missed", "frames",
        "identity", "row",
    )  # fmt: skip

    def __init__(self, process_noise: float, measurement_noise: float) -> None:
        self._noise = process_noise**2
        self._measured = measurement_noise**2
        self.clear(0)

    def clear(self, points: int) -> None:
        """Drop all tracks; the next ones have this many points."""
        for name in self._FIELDS:
            shape = (0, points) if name in ("offsets", "known") else (0,)
            is_point = name in ("position", "velocity", "offsets", "last")
            is_count = name in ("missed", "frames", "identity", "row")
            setattr(self, name, np.zeros(shape, np.complex128 if is_point else np.intp if is_count else np.float64))
        self._look()

    def __len__(self) -> int:
        return len(self.position)

    @property
    def expected(self) -> Points:
        """(M, P) complex px: where each point is expected now."""
        return self.position[:, None] + self.offsets

    @property
    def variance(self) -> Floats:
        """(M,) px^2: of the expected position, at most one size: beyond that, being near proves nothing."""
        return np.minimum(self.p00, self.area)

    def advance(self, seconds: float) -> None:
        """Expect every animal a time later."""
        self.missed += 1
        self.row[:] = -1
        if seconds <= 0.0:
            return
        noise = self._noise * self.area
        self.position += self.velocity * seconds
        self.p00 += seconds * (2.0 * self.p01 + seconds * (self.p11 + noise * (seconds / 3.0)))
        self.p01 += seconds * (self.p11 + noise * (seconds / 2.0))
        self.p11 += seconds * noise
        self.unseen += seconds
        if max(self.missed.tolist(), default=0) > 1:
            self.velocity[self.missed > 1] *= math.exp(-seconds / SLOWING)

    def measure(self, tracks: Places, detections: Detections, which: Places) -> None:
        """Update tracks, each with its detection.

        Args:
            tracks, which: (A,) of the tracks, without repetition, and of the detections.
        """
        at: Places | slice = tracks
        if len(tracks) == len(self):  # the usual case, in which views take the place of copies
            at, which = slice(None), which[tracks.argsort()]
        points, seen, counts = (
            detections.points.take(which, 0),
            detections.seen.take(which, 0),
            detections.counts.take(which),
        )
        offsets, area = self.offsets[at], self.area[at]
        common, shared = seen, counts
        if not self.is_complete:
            common = seen * self.known[at]
            shared = np.maximum(np.add.reduce(common, axis=1), 1.0)
        measured = points - self.position[at, None]
        differences = measured - offsets
        if not (self.is_complete and detections.is_complete):
            differences *= common
        residual = np.add.reduce(differences, axis=1) / shared

        p00, p01 = self.p00[at], self.p01[at]
        scale = 1.0 / (p00 + self._measured * area)
        gain, speed_gain = p00 * scale, p01 * scale
        rest = 1.0 - gain
        step = gain * residual
        self.position[at] += step
        self.velocity[at] += speed_gain * residual
        self.p11[at] -= speed_gain * p01
        self.p01[at] = p01 * rest
        self.p00[at] = p00 * rest

        shape = measured - step[:, None]
        self._reshape(at, shape if detections.is_complete else np.where(seen, shape, offsets), seen)
        growth = SIZE_GAIN * (detections.areas[which] - area)
        if not detections.is_complete:  # half an animal says nothing about its size
            growth *= 2.0 * counts >= self.points[at]
        self.area[at] += growth
        self.last[at] = self.position[at]
        self.unseen[at] = 0.0
        self.missed[at] = 0
        self.frames[at] += 1
        self.row[at] = detections.rows[which]

    def _reshape(self, at: Places | slice, offsets: Points, seen: Floats) -> None:
        """Take over the shape of the last frame, as offsets from the position."""
        if self.is_complete:
            self.offsets[at] = offsets - np.add.reduce(offsets, axis=1)[:, None] / offsets.shape[1]
            return
        known = np.maximum(self.known[at], seen)
        points = np.add.reduce(known, axis=1)
        means = np.add.reduce(offsets, axis=1) / points
        # With a point that was not known before, the mean of the points is another place on the body.
        self.position[at] += np.where(points > self.points[at], means, 0.0)
        self.offsets[at] = (offsets - means[:, None]) * known
        self.known[at], self.points[at] = known, points
        self._look()

    def _look(self) -> None:
        self.is_complete = bool(self.known.all())

    def begin(self, detections: Detections) -> None:
        """Add a track for each detection."""
        count = len(detections)
        area = detections.areas
        new = {
            "position": detections.centres,
            "velocity": np.zeros(count, np.complex128),
            "p00": self._measured * area,
            "p01": np.zeros(count),
            "p11": START_SPEED**2 * area,
            "offsets": (detections.points - detections.centres[:, None]) * detections.seen,
            "known": detections.seen,
            "points": detections.counts,
            "area": area,
            "last": detections.centres,
            "unseen": np.zeros(count),
            "missed": np.zeros(count, np.intp),
            "frames": np.ones(count, np.intp),
            "identity": np.full(count, -1, np.intp),
            "row": detections.rows,
        }
        for name in self._FIELDS:
            setattr(self, name, np.concatenate([getattr(self, name), new[name]]))
        self._look()

    def keep(self, which: Places) -> None:
        """Drop all other tracks, and put these in this order."""
        for name in self._FIELDS:
            setattr(self, name, getattr(self, name)[which])
        self._look()
