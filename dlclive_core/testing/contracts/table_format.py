"""The contract of formats of finished poses."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest

from dlclive_core.components import TableFormat
from dlclive_core.conversion import write_recording
from dlclive_core.data.foreign_card import foreign_card
from dlclive_core.data.pose_recording import ReadRecording, RecordingInfo, split_rows
from dlclive_core.errors import DataError
from dlclive_core.testing.contracts.base import Contract

FRAMES = 300


class TableFormatContract(Contract):
    """Override `format` and `suffix`, and `tolerance` for a format that does not keep float64."""

    suffix = ""
    tolerance = 1e-6  # px

    @pytest.fixture
    def format(self) -> TableFormat:
        """Must be overridden."""
        raise NotImplementedError

    @pytest.fixture
    def written(self, format: TableFormat, tmp_path: Path) -> Path:
        """A recording of one animal at 50 frames/s, with a keypoint that is missing now and then."""
        (path,) = write_recording(format, self.recording(FRAMES), tmp_path / f"mouse{self.suffix}")
        return path

    def test_recognises_its_own_file_and_no_other(self, format: TableFormat, written: Path, tmp_path: Path) -> None:
        """Troubleshooting: look at the content, not at the suffix; answer False for a file that cannot be read."""
        assert format.recognizes(written)
        for number, content in enumerate((b"", b"hello\n", b"{}", b"\x89HDF\r\n\x1a\n", b"\x80\x04N.")):
            other = tmp_path / f"{number}{self.suffix}"
            other.write_bytes(content)
            assert not format.recognizes(other)
        assert not format.recognizes(tmp_path)

    def test_what_is_written_comes_back(self, format: TableFormat, written: Path) -> None:
        """Troubleshooting: convert to our pixels, in which the centre of the top left one is (0.5, 0.5)."""
        back, expected = format.read(written), self.recording(FRAMES)
        assert back.info.card.skeleton.keypoints == expected.info.card.skeleton.keypoints
        assert back.frame_count == FRAMES
        blocks = list(back.blocks())
        np.testing.assert_array_equal(np.concatenate([rows.numbers for rows in blocks]), np.arange(FRAMES))
        wanted = np.concatenate([rows.flat() for rows in expected.blocks()])
        read = np.concatenate([rows.flat() for rows in blocks])
        np.testing.assert_allclose(read, wanted, rtol=0, atol=self.tolerance)

    def test_reads_in_blocks_and_more_than_once(self, format: TableFormat, written: Path) -> None:
        """Troubleshooting: yield at most some hundred frames at a time; `blocks` begins anew each time."""
        recording = format.read(written)
        for _ in range(2):
            sizes = [len(rows) for rows in recording.blocks()]
            assert sum(sizes) == FRAMES
            assert max(sizes) < 1000
        first = next(recording.blocks())
        assert first.numbers[0] == 0

    def test_an_empty_recording_is_a_file(self, format: TableFormat, tmp_path: Path) -> None:
        """Troubleshooting: a camera that gave no frame is not an error."""
        (path,) = write_recording(format, self.recording(0), tmp_path / f"mouse{self.suffix}")
        assert path.exists()

    def test_a_damaged_file_is_refused_with_one_line(self, format: TableFormat, written: Path) -> None:
        """Troubleshooting: turn what a parser raises into DataError; never unpickle."""
        if written.is_dir():
            pytest.skip("the format writes a folder")
        data = written.read_bytes()
        for share in (0, 1, 5, 9):
            written.write_bytes(data[: len(data) * share // 10])
            try:
                for _ in format.read(written).blocks():
                    pass
            except DataError as error:
                message = str(error)
            else:
                message = ""
            assert "\n" not in message

    @staticmethod
    def recording(frames: int) -> ReadRecording:
        """What is written."""
        card = foreign_card(Path("x"), ("nose", "left ear", "tail"), edges=((0, 1), (0, 2)), scorer="DLC_Resnet50_x")
        info = RecordingInfo(
            card=card,
            source="mouse.mp4",
            frame_size=(640, 480),
            fps=50.0,
            has_times=True,
            started_at=datetime(2026, 5, 4, 3, 2, 1, tzinfo=timezone.utc),
        )
        values = np.random.default_rng(0).uniform(1, 470, (frames, 3, 3))
        values[..., 2] = np.random.default_rng(1).uniform(0.05, 1, (frames, 3))
        values[7:8, 1] = values[200:201, 2] = (np.nan, np.nan, 0)
        numbers = np.arange(frames)
        flat = values.reshape(frames, 9)
        parts = [slice(at, at + 100) for at in range(0, frames, 100)]
        rows = [split_rows(numbers[part], numbers[part] / 50, flat[part], info) for part in parts]
        return ReadRecording(info, frames, lambda: iter(rows))
