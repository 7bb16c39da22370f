"""Waiting for the device's answers, not for the kernel. Standard library only: the heartbeat process imports this."""

from __future__ import annotations

import select


class SerialPoll:
    """Says when something came on a serial line.

    Linux hands received bytes on in a thread of its kernel, at ordinary priority; `select` on a line whose bytes are still
    in that thread's hands waits for it, whatever time it was given: 40 to 150 ms were seen on a busy computer, and in that
    time no beat can be sent. An edge-triggered `epoll` looks at the line only when that thread has woken it. Elsewhere, the
    line itself is waited for.

    Args:
        line: its descriptor. After `came`, everything that is there is to be read.
    """

    def __init__(self, line: int) -> None:
        self._epoll = select.epoll() if hasattr(select, "epoll") else None
        if self._epoll is not None:
            self._epoll.register(line, select.EPOLLIN | select.EPOLLET)
        self.descriptor = line if self._epoll is None else self._epoll.fileno()
        """For `select`, which counts in microseconds where `epoll` counts in milliseconds."""

    def has_data(self) -> bool:
        """Whether there is something, once `select` said that `descriptor` is ready."""
        return self._epoll is None or bool(self._epoll.poll(0))
