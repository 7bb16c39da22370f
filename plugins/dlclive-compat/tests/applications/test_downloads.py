"""`download_benchmarking_data`, from a server of this machine; and what the model zoo says."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import pytest
from dlclive import modelzoo
from dlclive.applications import benchmark_data
from dlclive.benchmark import download_benchmarking_data

from dlclive_core import DataError, DependencyError, SourceError, UsageError


def archive(**files: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        for name, text in files.items():
            packed.writestr(name.replace("__", "/"), text)
    return content.getvalue()


@pytest.fixture
def server() -> Iterator[tuple[str, dict[str, bytes], list[str]]]:
    """An address, the files that it serves, and the paths that were asked for."""
    files: dict[str, bytes] = {}
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            content = files.get(self.path)
            self.send_response(404 if content is None else 200)
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_address[1]}", files, asked
        http.shutdown()
        thread.join()


def test_the_archive_is_downloaded_once_and_extracted(
    server: tuple[str, dict[str, bytes], list[str]], tmp_path: Path
) -> None:
    address, files, asked = server
    files["/data.zip"] = archive(videos__a="film", readme="text")
    folder = tmp_path / "Data-DLC-live-benchmark"  # a folder of this name gets the archive beside it
    for _ in range(2):
        download_benchmarking_data(folder, f"{address}/data.zip")
    assert asked == ["/data.zip"]
    assert (tmp_path / "videos" / "a").read_text() == "film"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Data-DLC-live-benchmark.zip", "readme", "videos"]
    (tmp_path / "readme").write_text("notes of the user")
    with pytest.raises(DataError, match="readme exists and is not the file of the archive"):
        download_benchmarking_data(folder, f"{address}/data.zip")
    assert (tmp_path / "readme").read_text() == "notes of the user"


def test_what_cannot_be_downloaded_or_extracted_is_one_line(
    server: tuple[str, dict[str, bytes], list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, files, _ = server
    files["/up.zip"] = archive(**{"..__outside": "no"})
    files["/text.zip"] = b"not an archive"
    files["/large.zip"] = archive(zeros="0" * 5000)
    with pytest.raises(SourceError, match="Not Found; without a network, copy the file to"):
        download_benchmarking_data(tmp_path / "a", f"{address}/none.zip")
    assert list((tmp_path / "a").iterdir()) == []
    with pytest.raises(DataError, match="outside"):
        download_benchmarking_data(tmp_path / "b", f"{address}/up.zip")
    assert not (tmp_path / "outside").exists()
    with pytest.raises(DataError, match="cannot be extracted"):
        download_benchmarking_data(tmp_path / "c", f"{address}/text.zip")
    with pytest.raises(UsageError, match="http"):
        download_benchmarking_data(tmp_path / "d", "file:///etc/passwd")
    monkeypatch.setattr(benchmark_data, "MOST_BYTES", 1000)
    with pytest.raises(DataError, match="larger than 1000 bytes"):
        download_benchmarking_data(tmp_path / "e", f"{address}/large.zip")
    assert list((tmp_path / "e").iterdir()) == []


def test_the_model_zoo_lists_what_there_is() -> None:
    assert "superanimal_quadruped" in modelzoo.list_available_projects()
    assert {"hrnet_w32", "ssdlite"} <= set(modelzoo.list_available_models())
    combinations = modelzoo.list_available_combinations()
    assert "superanimal_topviewmouse_hrnet_w32" in combinations
    assert "superanimal_bird_rtmpose_x" not in combinations


def test_without_deeplabcut_the_model_zoo_says_what_to_do(tmp_path: Path) -> None:
    if find_spec("deeplabcut") is not None:
        pytest.skip("DeepLabCut is installed")
    out = tmp_path / "model.pt"
    with pytest.raises(DependencyError, match=r"deeplabcut\.export_model"):
        modelzoo.export_modelzoo_model(out, "superanimal_quadruped", "hrnet_w32", "ssdlite")
    assert not out.exists()
    with pytest.raises(UsageError, match="did you mean 'superanimal_quadruped'"):
        modelzoo.export_modelzoo_model(out, "superanimal_quadrupet", "hrnet_w32")
    with pytest.raises(UsageError, match="no 'rtmpose_x'"):
        modelzoo.load_super_animal_config("superanimal_bird", "rtmpose_x")
    with pytest.raises(DependencyError, match="was not downloaded"):
        modelzoo.download_super_animal_snapshot("superanimal_bird", "resnet_50")
    out.write_bytes(b"mine")
    with pytest.warns(UserWarning, match="was not exported again"):
        modelzoo.export_modelzoo_model(out, "superanimal_bird", "resnet_50")
    assert out.read_bytes() == b"mine"
