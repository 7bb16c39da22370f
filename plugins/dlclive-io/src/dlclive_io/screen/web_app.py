"""What is served: the page, and the newest picture with its numbers. Nothing else."""

from __future__ import annotations

import json
import struct
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dlclive_io.screen.page_state import PageState

PATIENCE = 0.5  # seconds until a viewer is told that there is nothing new
# A page of another site can reach this server, by a name of its own too: it is neither answered nor allowed to read.
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
    """`GET /` is the page; `GET /next?after=N` waits for a picture that is not number N and gives it.

    The body of `/next` is the length of the JSON (4 bytes, little endian), the JSON, and the JPEG if there is a new one:
    picture and keypoints belong together. A viewer asks for the next one when it has shown the last one, so each sees
    the newest at its own pace, and for a viewer that does not read, one picture at most is kept.
    """
    page = Path(__file__).with_name("page.html").read_bytes()

    async def show_page(_: Request) -> Response:
        return Response(page, media_type="text/html; charset=utf-8", headers=_HEADERS)

    async def show_next(request: Request) -> Response:
        after = request.query_params.get("after", "-1")
        try:
            known = int(after[:20])
        except ValueError:
            return PlainTextResponse("after is the number of a picture\n", 400, headers=_HEADERS)
        is_new = await state.other_than(known, PATIENCE)
        text = json.dumps(state.numbers(), allow_nan=False).encode()
        body = struct.pack("<I", len(text)) + text + (state.picture if is_new else b"")
        return Response(body, media_type="application/octet-stream", headers=_HEADERS)

    return Starlette(
        routes=[Route("/", show_page), Route("/next", show_next)],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=_HOSTS, www_redirect=False)],
    )
