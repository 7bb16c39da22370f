"""Recordings on disks whose files can grow no further: they continue in the next file, and no frame is lost unsaid."""

from __future__ import annotations

import csv
import errno
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlclive_io import largest_file as limits
from dlclive_io.video.segments import Segment
from dlclive_io.video.video_file import VideoFile
from dlclive_io.video.video_recording import VideoRecording
from dlclive_io.video.video_writer import VideoWriter

from dlclive_core import DataError, Estimate, Frame, ModelCard, Pose, Skeleton
from dlclive_core.testing import run_info

SKELETON = Skeleton(("nose",))
CARD = ModelCard(net_type="test", skeleton=SKELETON)
LIMIT = 600_000  # bytes

SCRIPT = """
    import resource, sys
    from pathlib import Path
    import numpy as np
    from dlclive_core import DataError, Estimate, Frame, ModelCard, Pose, Skeleton
    from dlclive_core.testing import run_info
    from dlclive_io.video import video_recording

    if {unknown}:
        video_recording.largest_file = lambda folder: None
    skeleton = Skeleton(("nose",))
    images = np.random.default_rng(0).integers(0, 255, (10, 96, 96, 3), dtype=np.uint8)
    run = run_info(ModelCard(net_type="test", skeleton=skeleton), is_live=True, fps=30.0)
    sink = video_recording.VideoRecording(Path({path!r}), {options})
    resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
    try:
        with sink:
            sink.open(run)
            for number in range(300):
                at = run.started_clock + number / 30
                sink.write(Estimate(Frame(images[number % 10], number, at), Pose.missing(skeleton), at, at, at))
            sink.finish()
        print("finished")
    except DataError as error:
        print("DataError:", error)
"""


def _run(path: Path, *, unknown: bool, options: str = "") -> str:
    script = textwrap.dedent(SCRIPT).format(path=str(path), unknown=unknown, limit=LIMIT, options=options)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def _rows(folder: Path) -> list[tuple[str, int, int]]:
    with (folder / "raw_timestamps.csv").open(newline="") as file:
        return [(row["video"], int(row["video_frame"]), int(row["frame"])) for row in csv.DictReader(file)]


def _check(films: Any, folder: Path, suffix: str) -> list[tuple[str, int, int]]:
    """Every video is whole and smaller than the limit, and each of its frames has its row, in order."""
    rows = _rows(folder)
    videos = [path for path in folder.iterdir() if path.suffix == suffix]
    assert len(videos) > 2
    assert {path.name for path in videos} == {name for name, _, _ in rows}
    for path in videos:
        assert path.stat().st_size <= LIMIT
        source = VideoFile(path)
        frames = films.read(source)
        assert source.corrupt == 0
        mine = [(place, frame) for name, place, frame in rows if name == path.name]
        assert [position for position, _ in mine] == list(range(len(frames)))
        times = [frame.device_time for frame in frames]
        np.testing.assert_allclose(times, [number / 30 for _, number in mine], atol=1e-3)
    assert not list(folder.glob("*.part*"))
    return rows


@pytest.mark.skipif(sys.platform == "win32", reason="limits of the size of files are POSIX")
@pytest.mark.parametrize(("suffix", "options"), [(".mkv", ""), (".mp4", ""), (".mkv", "codec='ffv1'")])
def test_a_known_limit_costs_no_frame(films: Any, tmp_path: Path, suffix: str, options: str) -> None:
    assert _run(tmp_path / f"raw{suffix}", unknown=False, options=options) == "finished"
    rows = _check(films, tmp_path, suffix)
    assert [frame for _, _, frame in rows] == list(range(300))
    assert {f"raw{suffix}", f"raw-2{suffix}"} <= {name for name, _, _ in rows}


@pytest.mark.skipif(sys.platform == "win32", reason="limits of the size of files are POSIX")
@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_an_unknown_limit_costs_frames_once_and_says_how_many(films: Any, tmp_path: Path, suffix: str) -> None:
    error = _run(tmp_path / f"raw{suffix}", unknown=True)
    rows = _check(films, tmp_path, suffix)
    lost = 300 - len(rows)
    assert 0 < lost <= 30
    assert error == (
        f"DataError: the recording is complete except for frames of a file that could not grow: {lost} of raw{suffix}"
    )
    missing = sorted(set(range(300)) - {frame for _, _, frame in rows})
    assert missing == list(range(missing[0], missing[0] + lost))  # those around the failure, no others


def _estimate(number: int) -> Estimate:
    image = np.full((32, 32), number, np.uint8)
    return Estimate(Frame(image, number, 0.0), Pose.missing(SKELETON), 0.0, 0.0, 0.0)


def test_a_full_disk_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: VideoWriter, image: np.ndarray, pts: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(VideoWriter, "write", full)
    with VideoRecording(tmp_path / "raw.mkv") as sink:
        sink.open(run_info(CARD))
        with pytest.raises(DataError, match="No space left on device"):
            sink.write(_estimate(0))
    assert not (tmp_path / "raw-2.mkv.part").exists()


def test_a_file_too_small_for_one_frame_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_large(self: VideoWriter, image: np.ndarray, pts: int) -> None:
        raise OSError(errno.EFBIG, "File too large")

    monkeypatch.setattr(VideoWriter, "write", too_large)
    monkeypatch.setattr(Segment, "abandon", lambda self: 0)
    with VideoRecording(tmp_path / "raw.mkv") as sink:
        sink.open(run_info(CARD))
        with pytest.raises(DataError, match="not even one frame fits"):
            sink.write(_estimate(0))


MOUNTS = [
    "22 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw",
    "60 22 8:17 / /media/me/USB\\040STICK rw,nosuid shared:2 - vfat /dev/sdb1 rw,utf8",
    "61 22 8:33 / /media/me/CARD rw shared:3 - exfat /dev/sdc1 rw",
    "nonsense",
]


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("/mnt/me/videos", "ext4"),
        ("/media/me/USB STICK/today", "vfat"),
        ("/media/me/CARD", "exfat"),
        ("/media/me/CARDS", "ext4"),
    ],
)
def test_the_file_system_of_a_folder(folder: str, expected: str) -> None:
    assert limits.file_system_in(MOUNTS, Path(folder)) == expected


def test_a_fat_disk_limits_files_to_four_gigabytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_of_process", lambda: None)
    monkeypatch.setattr(limits, "_file_system", lambda folder: "vfat")
    assert limits.largest_file(tmp_path) == 4_294_967_295
    monkeypatch.setattr(limits, "_of_process", lambda: 1000)
    assert limits.largest_file(tmp_path) == 1000
    monkeypatch.setattr(limits, "_file_system", lambda folder: "ext4")
    monkeypatch.setattr(limits, "_of_process", lambda: None)
    assert limits.largest_file(tmp_path) is None
