"""The sink that writes NWB files when the session ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from dlclive_core import ModelCard, RecordingInfo
from dlclive_formats.nwb.nwb_format import SUFFIX, NwbFormat
from dlclive_formats.session.format_sink import FormatSink


class NwbSink(FormatSink):
    """Writes poses as NWB, one file for each animal, with the time of each frame. The options are those of `NwbFormat`.

    Args:
        path: ends in .nwb; for several animals their names are added.
        overwrite: replace existing files.
    """

    format, suffixes = "nwb", (SUFFIX,)
    dimensions = (2, 3)

    def __init__(
        self,
        path: Path,
        session_start: str = "",
        session_description: str = "",
        identifier: str = "",
        experimenter: Sequence[str] | str = (),
        institution: str = "",
        lab: str = "",
        experiment_description: str = "",
        keywords: Sequence[str] | str = (),
        subject_id: str = "",
        subject_description: str = "",
        species: str = "",
        sex: str = "U",
        age: str = "",
        source_video: Path | None = None,
        fps: float | None = None,
        overwrite: bool = False,
    ) -> None:
        super().__init__(
            path,
            NwbFormat,
            overwrite=overwrite,
            session_start=session_start,
            session_description=session_description,
            identifier=identifier,
            experimenter=experimenter,
            institution=institution,
            lab=lab,
            experiment_description=experiment_description,
            keywords=keywords,
            subject_id=subject_id,
            subject_description=subject_description,
            species=species,
            sex=sex,
            age=age,
            source_video=source_video,
            fps=fps,
        )

    def check(self, card: ModelCard) -> None:
        """Raise UsageError if NWB cannot hold the model's poses. When the session starts is known when it does."""
        self._writer.check(RecordingInfo(card=card, has_times=True, started_at=datetime.now(timezone.utc)))
