"""What NWB wants to know of a session, beyond its poses."""

# Without postponed annotations: the command line reads the types from `NwbFormat`, which lies in another module.

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dlclive_core import RecordingInfo, UsageError
from dlclive_formats.nwb.timing import NO_TIMES

SEXES = ("M", "F", "U", "O")
_DURATION = re.compile(
    r"P(?=[\dT])(\d+(\.\d+)?Y)?(\d+(\.\d+)?M)?(\d+(\.\d+)?W)?(\d+(\.\d+)?D)?(T(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?"
)
_SPECIES = re.compile(r"[A-Z][a-z]+ [a-z]+.*|https?://purl\.obolibrary\.org/obo/NCBITaxon_\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class NwbOptions:
    """See `NwbFormat`.

    Raises:
        UsageError: a value that NWB, or the archive DANDI, does not take.
    """

    session_start: str = ""
    session_description: str = ""
    identifier: str = ""
    experimenter: Sequence[str] | str = ()
    institution: str = ""
    lab: str = ""
    experiment_description: str = ""
    keywords: Sequence[str] | str = ()
    subject_id: str = ""
    subject_description: str = ""
    species: str = ""
    sex: str = "U"
    age: str = ""
    source_video: Path | None = None
    fps: float | None = None

    def __post_init__(self) -> None:
        if self.session_start:
            _moment(self.session_start)
        if self.sex not in SEXES:
            raise UsageError(f"sex is {self.sex!r}: write M, F, O (other) or U (unknown)")
        if self.age and not _DURATION.fullmatch(self.age):
            raise UsageError(f"age is {self.age!r}: write an ISO 8601 duration, such as P90D for 90 days or P12W")
        if self.species and not _SPECIES.fullmatch(self.species):
            raise UsageError(f"species is {self.species!r}: write the Latin name, such as Mus musculus")
        if self.source_video is not None and not Path(self.source_video).is_file():
            raise UsageError(f"source_video: no file {self.source_video}")
        if self.fps is not None and not 0 < self.fps < 1e9:
            raise UsageError(f"fps is {self.fps!r}: write frames per second, such as 30")

    def started_at(self, info: RecordingInfo) -> datetime:
        """When the session started. Raises UsageError if nobody said."""
        if self.session_start:
            return _moment(self.session_start)
        if info.started_at is None:
            raise UsageError(
                "NWB needs the time at which the session started, which this recording does not tell: "
                "pass session_start, as in nwb:FILE,session_start=2026-11-29T14:03:00+01:00"
            )
        return info.started_at.astimezone() if info.started_at.tzinfo is None else info.started_at

    def rate(self, info: RecordingInfo) -> float | None:
        """Frames per second that somebody declared."""
        declared = self.fps or info.fps
        return float(declared) if declared else None

    def check(self, info: RecordingInfo) -> None:
        """Raise UsageError unless a recording can be written with these options."""
        self.started_at(info)
        if not info.has_times and self.rate(info) is None:
            raise UsageError(NO_TIMES)
        if len(info.card.individuals) > 1:
            for name in ("subject_id", "identifier"):
                if getattr(self, name):
                    raise UsageError(
                        f"{name} is for one animal, and there are {len(info.card.individuals)}, each with a file of its own: "
                        "leave it out; the names of the animals are used"
                    )

    def experimenters(self) -> list[str]:
        """Names, one each."""
        return _several(self.experimenter)

    def keyword_list(self) -> list[str]:
        """At least one keyword."""
        return _several(self.keywords) or ["pose estimation"]


def _several(value: Sequence[str] | str) -> list[str]:
    return [value] if isinstance(value, str) and value else [str(item) for item in value]


def _moment(text: str) -> datetime:
    """A time. Raises UsageError for one without time zone: the computer's need not be that of the lab."""
    try:
        moment = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)  # "Z": Python 3.11
    except ValueError:
        raise UsageError(
            f"session_start is {text!r}: write date, time and time zone, such as 2026-11-29T14:03:00+01:00"
        ) from None
    if moment.utcoffset() is None:
        raise UsageError(
            f"session_start is {text!r}, without a time zone: add it, as in {moment.isoformat()}+01:00 for Berlin in winter, "
            f"or {moment.isoformat()}Z for UTC"
        )
    return moment
