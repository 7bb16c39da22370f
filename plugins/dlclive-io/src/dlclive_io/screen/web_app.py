"""The web application: the page, and the newest picture with its numbers. Nothing else."""

from __future__ import annotations

import struct
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dlclive_core.runtimes import json_text
from dlclive_io.screen.page_state import PageState

TIMEOUT = 0.5  # seconds until a page is told that there is nothing new
# A page of another site can reach this server, even through a host name of its own: it gets no answer and may not read.
_HOSTS = ["127.0.0.1", "localhost"]
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def make_app(state: PageState) -> Starlette:
    """`GET /` returns the page; `GET /next?after=N` waits for a picture other than number N and returns it.

    The body of `/next` is the length of the JSON (4 bytes, little endian), the JSON, and the JPEG if there is a new one:
    picture and keypoints always match. A page requests the next picture when it has shown the last one, so each sees the
    newest at its own pace, and a page that does not read holds one picture at most.
    """
    page = Path(__file__).with_name("page.html").read_bytes()

    async def show_page(_: Request) -> Response:
        return Response(page, media_type="text/html; charset=utf-8", headers=_HEADERS)

    async def show_next(request: Request) -> Response:
        after = request.query_params.get("after", "-1")
        try:
            known = int(after[:20])
        except ValueError:
            return PlainTextResponse("after must be the number of a picture\n", 400, headers=_HEADERS)
        is_new = await state.wait_for_other(known, TIMEOUT)
        text = json_text(state.numbers(), indent=None).encode()
        body = struct.pack("<I", len(text)) + text + (state.picture if is_new else b"")
        return Response(body, media_type="application/octet-stream", headers=_HEADERS)

    return Starlette(
        routes=[Route("/", show_page), Route("/next", show_next)],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=_HOSTS, www_redirect=False)],
    )
