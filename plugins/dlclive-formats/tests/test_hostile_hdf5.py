"""HDF5 files that lead out of themselves, claim too much, or end too early: one line, and nothing else is opened."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from dlclive_formats.nwb.nwb_format import NwbFormat
from dlclive_formats.sleap.sleap_format import SleapFormat
from dlclive_io import hdf5_nodes

from dlclive_core import DataError, RecordingInfo, TableFormat, write_recording
from tests.pose_recordings import STARTED, card, poses, rows_of

INFO = RecordingInfo(card=card(), fps=50.0, has_times=True, started_at=STARTED)
SNOUT = "processing/behavior/PoseEstimation/snout"


@pytest.fixture(params=["nwb", "sleap"])
def sound(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[TableFormat, Path, str]:
    """A format, a file of it, and the place of its positions."""
    name, format = ("poses.nwb", NwbFormat()) if request.param == "nwb" else ("poses.analysis.h5", SleapFormat())
    (path,) = write_recording(format, poses(INFO, range(50)), tmp_path / name)
    return format, path, f"{SNOUT}/data" if request.param == "nwb" else "tracks"


def external_link(file: Any, place: str, folder: Path) -> None:
    file[place] = h5py.ExternalLink("other.h5", "/secret")


def soft_link_to_external(file: Any, place: str, folder: Path) -> None:
    file["door"] = h5py.ExternalLink("other.h5", "/")
    file[place] = h5py.SoftLink("/door/secret")


def circle(file: Any, place: str, folder: Path) -> None:
    file["a"], file["b"], file[place] = h5py.SoftLink("/b"), h5py.SoftLink("/a"), h5py.SoftLink("/a")


def external_storage(file: Any, place: str, folder: Path) -> None:
    shape = (50, 2) if place != "tracks" else (1, 2, 3, 50)
    file.create_dataset(place, shape, np.float64, external=[("raw.bin", 0, h5py.h5f.UNLIMITED)])


def virtual(file: Any, place: str, folder: Path) -> None:
    shape = (50, 2) if place != "tracks" else (1, 2, 3, 50)
    layout = h5py.VirtualLayout(shape, np.float64)
    layout[:] = h5py.VirtualSource("other.h5", "secret", shape=shape)
    file.create_virtual_dataset(place, layout)


def huge(file: Any, place: str, folder: Path) -> None:
    shape = (1 << 45, 2) if place != "tracks" else (1, 2, 3, 1 << 45)
    chunks = (1 << 10, 2) if place != "tracks" else (1, 2, 3, 1 << 10)
    file.create_dataset(place, shape, np.float64, chunks=chunks, compression="gzip")


def huge_chunks(file: Any, place: str, folder: Path) -> None:
    """Half a gigabyte to read one number."""
    shape = (1 << 20, 2) if place != "tracks" else (1, 2, 3, 1 << 20)
    room = (None, 2) if place != "tracks" else (1, 2, 3, None)
    chunks = (1 << 28, 2) if place != "tracks" else (1, 2, 1, 1 << 28)
    file.create_dataset(place, shape, np.uint8, chunks=chunks, maxshape=room)


def objects(file: Any, place: str, folder: Path) -> None:
    file.create_dataset(place, (50, 2), dtype=h5py.vlen_dtype(np.float64))


def references(file: Any, place: str, folder: Path) -> None:
    file.create_dataset(place, (50, 2), dtype=h5py.ref_dtype)


def a_group(file: Any, place: str, folder: Path) -> None:
    file.create_group(place)


def a_type(file: Any, place: str, folder: Path) -> None:
    file[place] = np.dtype(np.float64)


def nothing(file: Any, place: str, folder: Path) -> None:
    pass


def scalar(file: Any, place: str, folder: Path) -> None:
    file[place] = 1.0


def no_space(file: Any, place: str, folder: Path) -> None:
    file[place] = h5py.Empty(np.float64)


OUTSIDE, NO_NUMBERS = "another file, which is not opened", "is not an array of numbers"
ATTACKS = {
    external_link: OUTSIDE,
    soft_link_to_external: OUTSIDE,
    circle: "leads in circles",
    external_storage: OUTSIDE,
    virtual: OUTSIDE,
    huge: "more than a file of this size can hold",
    huge_chunks: "pieces of more than 256 MB",
    objects: NO_NUMBERS,
    references: NO_NUMBERS,
    a_group: NO_NUMBERS,
    a_type: "no positions|no tracks",
    nothing: "no positions|no tracks",
    scalar: r"has the shape \(\)",
    no_space: NO_NUMBERS,
}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_a_hostile_array_is_refused_in_one_line(
    sound: tuple[TableFormat, Path, str], attack: Callable[[Any, str, Path], None]
) -> None:
    format, path, place = sound
    with h5py.File(path.with_name("other.h5"), "w") as other:
        other["secret"] = np.zeros((50, 2))
    with h5py.File(path, "r+") as file:
        del file[place]
        attack(file, place, path.parent)
    before = sorted(path.parent.iterdir())
    with pytest.raises(DataError, match=ATTACKS[attack]) as caught:
        rows_of(format.read(path))
    assert "\n" not in str(caught.value)
    assert path.name in str(caught.value)
    assert sorted(path.parent.iterdir()) == before


def test_another_file_is_not_even_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["out"] = h5py.ExternalLink("missing.h5", "/x")
        file["soft"] = h5py.SoftLink("/out/deeper")
    with h5py.File(path) as file:
        for name in ("out", "soft"):
            with pytest.raises(DataError, match="leads to another file, which is not opened"):
                hdf5_nodes.child(file, name)


@pytest.mark.parametrize("share", [0.001, 0.3, 0.7, 0.99])
def test_a_truncated_file_is_one_line(sound: tuple[TableFormat, Path, str], share: float) -> None:
    format, path, _ = sound
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(DataError, match="cannot be read as") as caught:
        rows_of(format.read(path))
    assert "\n" not in str(caught.value)


def test_damaged_bytes_are_a_data_error_or_other_values(sound: tuple[TableFormat, Path, str]) -> None:
    format, path, _ = sound
    data = path.read_bytes()
    random = np.random.default_rng(3)
    for _ in range(60):
        damaged = bytearray(data)
        for at in random.integers(0, len(data), 20):
            damaged[at] = random.integers(0, 256)
        path.write_bytes(bytes(damaged))
        with suppress(DataError):
            format.recognizes(path)
            rows_of(format.read(path))


def test_names_that_are_no_names_are_refused(sound: tuple[TableFormat, Path, str]) -> None:
    format, path, place = sound
    names = "node_names" if place == "tracks" else "processing/behavior/Skeletons/skeleton/nodes"
    for value in (np.arange(3), np.array([b"a", b"a", b"b"]), np.zeros((3, 1, 1), "S1")):
        with h5py.File(path, "r+") as file:
            del file[names]
            file[names] = value
        if place == "tracks" or value.dtype.kind != "S" or value.ndim != 1:
            with pytest.raises(DataError):
                format.read(path)
        else:  # repeated nodes correspond to no series, which have names of their own
            assert sorted(format.read(path).info.card.skeleton.keypoints) == ["left ear", "snout", "tail"]
    with h5py.File(path, "r+") as file:
        del file[names]
        file.create_dataset(names, (1 << 40,), "S8", chunks=(1024,))
    with pytest.raises(DataError, match="is the most"):
        format.read(path)


def test_tables_and_other_hdf5_files_are_not_mistaken_for_ours(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "dlc.h5", "w") as file:
        file["df_with_missing/table"] = np.zeros(3)
        file.attrs["CLASS"] = "GROUP"
    (tmp_path / "text.nwb").write_text("no HDF5")
    for path in tmp_path.iterdir():
        assert not NwbFormat().recognizes(path)
        assert not SleapFormat().recognizes(path)
    assert not NwbFormat().recognizes(tmp_path)
    (nwb,) = write_recording(NwbFormat(), poses(INFO, range(3)), tmp_path / "a.nwb")
    (sleap,) = write_recording(SleapFormat(), poses(INFO, range(3)), tmp_path / "a.analysis.h5")
    assert (NwbFormat().recognizes(nwb), SleapFormat().recognizes(nwb)) == (True, False)
    assert (NwbFormat().recognizes(sleap), SleapFormat().recognizes(sleap)) == (False, True)


@pytest.mark.parametrize(
    ("content", "message"), [(b"", "it is empty"), (b"my notes\n" * 99, "it is not HDF5, or its beginning is damaged")]
)
@pytest.mark.parametrize(("format", "name"), [(NwbFormat(), "a.nwb"), (SleapFormat(), "a.analysis.h5")])
def test_a_file_of_another_kind_is_told_in_plain_words(
    tmp_path: Path, format: TableFormat, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert not format.recognizes(path)
    with pytest.raises(DataError) as failure:
        format.read(path)
    what = "an NWB file" if name == "a.nwb" else "a SLEAP Analysis file"
    assert str(failure.value) == f"{path} cannot be read as {what}: {message}"


def test_hdf5_behind_a_block_of_another_program_is_read(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w", userblock_size=512) as file:
        file["poses"] = 1
    with hdf5_nodes.opened(tmp_path / "a.h5", "a file") as file:
        assert "poses" in file
