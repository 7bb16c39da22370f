"""Waits for data on a serial line without waiting for the kernel. Standard library only: the heartbeat process imports it."""

from __future__ import annotations

import select
import sys


class SerialPoll:
    """Tells when data has arrived on a serial line.

    A Linux kernel thread passes on received bytes at ordinary priority; `select` on a line whose bytes are still held by
    that thread blocks until it runs, whatever the timeout: 40 to 150 ms on a busy computer, during which no beat can be
    sent. An edge-triggered `epoll` checks the line only after that thread has woken it. On other systems, the line itself
    is polled.

    Args:
        line: descriptor of the line. After `has_data` returns True, read everything that is available.
    """

    def __init__(self, line: int) -> None:
        self.descriptor = line
        """Descriptor to pass to `select`, whose timeout has microsecond resolution; that of `epoll` has milliseconds."""
        if sys.platform == "linux":
            self._epoll = select.epoll()
            self._epoll.register(line, select.EPOLLIN | select.EPOLLET)
            self.descriptor = self._epoll.fileno()

    def has_data(self) -> bool:
        """Whether data has arrived; call it when `select` reports `descriptor` as ready."""
        return sys.platform != "linux" or bool(self._epoll.poll(0))
