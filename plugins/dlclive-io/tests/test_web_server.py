"""What the page's server answers and to whom, where it listens, and with which options. Real processes, real sockets."""

from __future__ import annotations

import contextlib
import http.client
import re
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

pytest.importorskip("starlette", reason="needs dlclive-io")
pytest.importorskip("uvicorn", reason="needs dlclive-io")

from dlclive_io.screen.web_display import WebDisplay

from dlclive_core import DependencyError, PluginCatalog, SinkInfo, UsageError
from dlclive_core.testing import run_info


def get(display: WebDisplay, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Ask for a path exactly as it is written."""
    address = urlsplit(display.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=20)
    with contextlib.closing(connection):
        connection.putrequest("GET", path, skip_host="Host" in headers)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()


def test_the_page_loads_nothing_from_elsewhere(display: WebDisplay) -> None:
    status, headers, body = get(display, "/")
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in headers["content-security-policy"]
    assert re.findall(rb"""(?:https?:)?//[a-z]|(?:src|href)=(?!"data:)""", body) == []


@pytest.mark.parametrize(
    "path",
    ["/page.html", "/../web_app.py", "/..%2fweb_app.py", "//etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/next/../../x"],
)
def test_nothing_else_is_served(display: WebDisplay, path: str) -> None:
    assert get(display, path)[0] == 404


def test_malformed_requests_are_refused(display: WebDisplay) -> None:
    assert get(display, "/next?after=you")[0] == 400
    assert get(display, "/next?after=" + "9" * 5000)[0] == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "0.0.0.0", ""])
def test_other_names_of_this_machine_are_not_answered(display: WebDisplay, host: str) -> None:
    for path in ("/", "/next?after=-1"):
        assert get(display, path, Host=host)[0] == 400
    assert get(display, "/", Host="localhost:9000")[0] == 200  # the far end of a tunnel


def test_other_sites_may_not_read_it(display: WebDisplay) -> None:
    _, headers, _ = get(display, "/next?after=-1", Origin="https://evil.example")
    assert "access-control-allow-origin" not in headers
    assert headers["cross-origin-resource-policy"] == "same-origin"


def test_it_listens_on_this_machine_only(display: WebDisplay) -> None:
    (listening,) = (
        item for item in psutil.Process(display._viewer.process_id).net_connections("inet") if item.status == "LISTEN"
    )
    assert listening.laddr.ip == "127.0.0.1"


def test_displays_without_a_port_get_one_each() -> None:
    with WebDisplay() as first, WebDisplay() as second:
        for display in (first, second):
            display.open(run_info())
        assert urlsplit(first.url).port != urlsplit(second.url).port
        assert [get(display, "/")[0] for display in (first, second)] == [200, 200]


def test_the_error_for_a_taken_port_names_a_free_one(display: WebDisplay) -> None:
    port = urlsplit(display.url).port
    with pytest.raises(UsageError, match=f"port {port} is taken by another program; use port=([0-9]+)$") as caught:
        WebDisplay(port=port).open(run_info())
    free = int(str(caught.value).rpartition("=")[2])
    with WebDisplay(port=free) as other:
        other.open(run_info())
        assert urlsplit(other.url).port == free


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"host": "0.0.0.0"}, "served to this machine only.*ssh -L 8000"),
        ({"port": 70000}, "port must be 0 to 65535"),
        ({"max_rate": 60}, "at most 30 pictures"),
        ({"max_rate": 0}, "at most 30 pictures"),
        ({"width": 1}, "64 to 4096"),
        ({"quality": 100}, "10 to 95"),
        ({"colormap": "bmi"}, "did you mean 'bmy'"),
    ],
)
def test_invalid_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        WebDisplay(**options)


def test_without_its_libraries_the_message_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.util import find_spec

    def hidden(name: str, package: str | None = None) -> object:
        return None if name == "uvicorn" else find_spec(name, package)

    monkeypatch.setattr("dlclive_io.screen.web_display.find_spec", hidden)
    monkeypatch.setattr("dlclive_core.plugins.catalog.find_spec", hidden)
    message = r"needs uvicorn, not installed; run: pip install 'dlclive-io\[web\]'"
    with pytest.raises(DependencyError, match=message):
        WebDisplay()
    with pytest.raises(DependencyError, match=message):
        PluginCatalog.installed().build(SinkInfo, "web")
