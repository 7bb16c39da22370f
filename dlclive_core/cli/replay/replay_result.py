"""The result of a replay of one session, for the table, the picture and JSON."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from dlclive_core.cli.replay.comparison import Comparison
from dlclive_core.cli.replay.event_file import Episode


@dataclass(frozen=True, slots=True)
class Firing:
    """How often and how long something was on.

    Attributes:
        episodes: from each beginning to its end.
        until: seconds at which the session ended; an episode without an end lasts until then.
    """

    episodes: tuple[Episode, ...]
    until: float

    @property
    def on_time(self) -> float:
        """Seconds, summed over all individuals."""
        return sum(max(0.0, self.end(episode) - episode.begin) for episode in self.episodes)

    def end(self, episode: Episode) -> float:
        """The end of an episode."""
        return self.until if episode.end is None else episode.end

    def per_minute(self, seconds: float) -> float:
        """Beginnings per minute of a session of this length; 0 for one without a length."""
        return 60 * len(self.episodes) / seconds if seconds > 0 else 0.0

    def to_dict(self, seconds: float) -> dict[str, Any]:
        """For JSON; times are in seconds."""
        begins = [episode.begin for episode in self.episodes]
        return {
            "events": len(self.episodes),
            "first": begins[0] if begins else None,
            "last": begins[-1] if begins else None,
            "on_time": self.on_time,
            "per_minute": self.per_minute(seconds),
        }


@dataclass(frozen=True, slots=True)
class TriggerResult:
    """One events file: as recorded, and as replayed.

    Attributes:
        label: of the processor.
        settings: of the replayed one; empty if there is none.
        file: name of the events file.
        recorded, replayed: None where there is no such file.
        comparison: None if they were not compared, because the settings are others.
        threshold: the replayed processor's option of this name; None if it has none.
        unit: of the events' values; empty if it is not known.
    """

    label: str
    settings: str
    file: str
    recorded: Firing | None
    replayed: Firing | None
    comparison: Comparison | None = None
    threshold: float | None = None
    unit: str = ""


@dataclass(slots=True, kw_only=True)
class ReplayResult:
    """What one session gave.

    Attributes:
        name: of the session.
        is_exact: whether the same settings give the same events, to the last bit.
        notices: why it is not, and what could not be read.
        frames: replayed.
        began, ended: seconds of the first and of the last frame, on the axis of the events.
        same_poses, other_poses: frames whose pose after the processors has the recorded checksum, and another one; both 0
            with other settings.
        statistics: of the processors, by name.
    """

    name: str
    is_exact: bool
    notices: list[str] = field(default_factory=list)
    frames: int = 0
    began: float = math.nan
    ended: float = math.nan
    same_poses: int = 0
    other_poses: int = 0
    triggers: list[TriggerResult] = field(default_factory=list)
    statistics: dict[str, dict[str, float]] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """How long the session was."""
        return self.ended - self.began if self.frames else 0.0

    @property
    def difference(self) -> str:
        """The first difference from the recorded run, in one line; empty if there is none."""
        for trigger in self.triggers:
            if trigger.comparison is not None and not trigger.comparison.same:
                return f"{trigger.file} differs from the recorded one: {trigger.comparison.text}"
        if self.other_poses:
            return f"{self.other_poses} of {self.frames} poses differ from the recorded ones"
        return ""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.name,
            "exact": self.is_exact,
            "notices": self.notices,
            "frames": self.frames,
            "seconds": self.seconds,
            "poses": {"same": self.same_poses, "different": self.other_poses},
            "triggers": [
                {
                    "trigger": trigger.label,
                    "settings": trigger.settings,
                    "file": trigger.file,
                    "recorded": trigger.recorded and trigger.recorded.to_dict(self.seconds),
                    "replayed": trigger.replayed and trigger.replayed.to_dict(self.seconds),
                    "comparison": trigger.comparison and asdict(trigger.comparison),
                }
                for trigger in self.triggers
            ],
            "processors": self.statistics,
        }
