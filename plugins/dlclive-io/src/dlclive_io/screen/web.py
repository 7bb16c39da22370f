"""The process that serves the page."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from typing import Any

from dlclive_io.screen.page_state import PageState
from dlclive_io.screen.tcp_port import HOST, listen
from dlclive_io.screen.viewer_process import SessionConnection

_NO_VIEWER = 1.5  # seconds after the last request of a page until pictures are no longer encoded
_IDLE = 0.25  # seconds between two updates while no page is open
_FAREWELL = 0.2  # seconds for the pages to learn that the session has ended
_MAX_VIEWERS = 32


def show(hello: dict[str, Any], session: SessionConnection) -> None:
    """Serve until the session ends.

    The port is opened first, so that a problem with it shows at once; `ready` is reported after the libraries are loaded,
    so that loading them does not slow the session's first frames.
    """
    listener = listen(hello["port"])
    import cv2
    import uvicorn

    from dlclive_io.screen.web_app import make_app

    cv2.setNumThreads(1)
    state = PageState(hello["about"])
    config = uvicorn.Config(
        make_app(state),
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=_MAX_VIEWERS,
        timeout_keep_alive=5,
    )
    config.load()
    asyncio.run(_serve(uvicorn.Server(config), hello, session, state, listener))


async def _serve(
    server: Any, hello: dict[str, Any], session: SessionConnection, state: PageState, listener: socket.socket
) -> None:
    session.ready(f"http://{HOST}:{listener.getsockname()[1]}/")
    loop = asyncio.get_running_loop()
    threading.Thread(target=_update, args=(hello, session, state, loop), name="updates", daemon=True).start()
    await server.serve(sockets=[listener])
    os._exit(0)  # without waiting for the thread, which waits for the session


def _update(
    hello: dict[str, Any], session: SessionConnection, state: PageState, loop: asyncio.AbstractEventLoop
) -> None:
    """Request pictures while a page is open, at most `max_rate` a second, and pass them to the pages."""
    import cv2

    parameters = [cv2.IMWRITE_JPEG_QUALITY, hello["quality"]]
    while True:
        began = time.perf_counter()
        watched = began - state.requested_at < _NO_VIEWER
        update = session.request(picture=watched)
        if update is None:
            os._exit(0)
        received_at = time.perf_counter()
        picture = None
        if update.image is not None:
            image = update.image if update.image.ndim == 2 else cv2.cvtColor(update.image, cv2.COLOR_RGB2BGR)
            picture = cv2.imencode(".jpg", image, parameters)[1].tobytes()
        loop.call_soon_threadsafe(state.update, update.header, received_at, picture)
        if update.header["ended"]:
            time.sleep(_FAREWELL if watched else 0)
            os._exit(0)
        pause = 1 / hello["max_rate"] if watched else _IDLE
        time.sleep(max(0.0, began + pause - time.perf_counter()))
