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

_NO_VIEWER = 1.5  # seconds after the last question of a page, until no more pictures are made
_IDLE = 0.25  # seconds between two questions while no page is open
_FAREWELL = 0.2  # seconds for the pages to hear that the session has ended
_MOST_VIEWERS = 32


def show(hello: dict[str, Any], session: SessionConnection) -> None:
    """Serve until the session ends. The port is had first, so that trouble with it shows at once; the session is told when
    the libraries are loaded, so that this does not take processor time from its first frames.
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
        limit_concurrency=_MOST_VIEWERS,
        timeout_keep_alive=5,
    )
    config.load()
    asyncio.run(_serve(uvicorn.Server(config), hello, session, state, listener))


async def _serve(
    server: Any, hello: dict[str, Any], session: SessionConnection, state: PageState, listener: socket.socket
) -> None:
    session.ready(f"http://{HOST}:{listener.getsockname()[1]}/")
    loop = asyncio.get_running_loop()
    threading.Thread(target=_follow, args=(hello, session, state, loop), name="following", daemon=True).start()
    await server.serve(sockets=[listener])
    os._exit(0)  # without waiting for the thread, which waits for the session


def _follow(
    hello: dict[str, Any], session: SessionConnection, state: PageState, loop: asyncio.AbstractEventLoop
) -> None:
    """Ask for pictures while a page is open, at most `max_rate` a second, and put them on the state."""
    import cv2

    parameters = [cv2.IMWRITE_JPEG_QUALITY, hello["quality"]]
    while True:
        began = time.perf_counter()
        watched = began - state.looked_at < _NO_VIEWER
        answer = session.next(picture=watched)
        if answer is None:
            os._exit(0)
        heard_at = time.perf_counter()
        picture = None
        if answer.image is not None:
            image = answer.image if answer.image.ndim == 2 else cv2.cvtColor(answer.image, cv2.COLOR_RGB2BGR)
            picture = cv2.imencode(".jpg", image, parameters)[1].tobytes()
        loop.call_soon_threadsafe(state.take, answer.header, heard_at, picture)
        if answer.header["ended"]:
            time.sleep(_FAREWELL if watched else 0)
            os._exit(0)
        pause = 1 / hello["max_rate"] if watched else _IDLE
        time.sleep(max(0.0, began + pause - time.perf_counter()))
