"""Models for the tests: discs with known places under the name of a .pt file, and two real networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dlclive_core import PluginCatalog, RuntimeInfo
from dlclive_core.plugins.catalog import Plugin
from dlclive_core.testing import BlobModel, BlobSource

SHARED = Path(__file__).parents[4] / "shared"


class BlobFile(BlobModel):
    """Loads any file as a model that finds yellow discs."""

    def __init__(self, path: Path, *, device: str, precision: str) -> None:
        super().__init__()
        self.loaded = (path.name, device, precision)


class BlobPairFile(BlobModel):
    """The same, for a project with two animals."""

    def __init__(self, path: Path, *, device: str, precision: str) -> None:
        super().__init__()
        self.card = self.card.with_(individuals=("one", "two"), multi_animal=True)


@pytest.fixture
def blobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of a model that finds the discs of a `BlobSource`."""
    parts = (
        RuntimeInfo(name="torch", summary="", factory=f"{__name__}:BlobFile", reads=(".pt",)),
        RuntimeInfo(name="onnx", summary="", factory=f"{__name__}:BlobFile", reads=(".onnx",)),
    )
    catalog = PluginCatalog([Plugin(name="p", distribution="d", version="1", status="ready", components=parts)])
    monkeypatch.setattr(PluginCatalog, "installed", staticmethod(lambda: catalog))
    path = tmp_path / "blobs.pt"
    path.write_bytes(b"discs")
    return path


@pytest.fixture
def source() -> BlobSource:
    return BlobSource(frames=20)


def bgr(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """An image as OpenCV reads it."""
    return np.ascontiguousarray(image[:, :, ::-1])


@pytest.fixture(scope="session")
def openfield() -> Path:
    """A network of the open field, as DeepLabCut exported it."""
    path = SHARED / "models" / "openfield_cspnext_s.pt"
    if not path.is_file():
        pytest.skip("no network of the open field: the folder 'shared' is missing")
    pytest.importorskip("torch").set_num_threads(
        1
    )  # on shared cores, several threads are slower by an order of magnitude
    return path


@pytest.fixture(scope="session")
def openfield_frames() -> list[NDArray[np.uint8]]:
    """The first frames of its video, as OpenCV reads them."""
    path = SHARED / "openfield" / "m3v1mp4.mp4"
    if not path.is_file():
        pytest.skip("no video of the open field: the folder 'shared' is missing")
    cv2 = pytest.importorskip("cv2")
    capture = cv2.VideoCapture(str(path))
    frames = [capture.read()[1] for _ in range(6)]
    capture.release()
    return frames
