"""The address of a receiver that has several. Which ones a name has is the system's affair, so it is played here."""

from __future__ import annotations

import socket

import pytest
from dlclive_streams.addresses import find_receiver

SIX = (socket.AF_INET6, socket.SOCK_DGRAM, 17, "", ("::1", 9000, 0, 0))
FOUR = (socket.AF_INET, socket.SOCK_DGRAM, 17, "", ("127.0.0.1", 9000))
OTHER = (socket.AF_INET, socket.SOCK_DGRAM, 17, "", ("192.168.1.20", 9000))


@pytest.mark.parametrize(
    ("found", "chosen"), [([SIX, FOUR, OTHER], FOUR), ([FOUR, SIX], FOUR), ([SIX], SIX), ([OTHER, SIX, FOUR], OTHER)]
)
def test_the_first_ipv4_address_goes_before_those_of_ipv6(
    found: list[tuple], chosen: tuple, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Most receivers listen on IPv4, and `localhost` may come first as ::1."""
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_options: found)
    receiver = find_receiver("localhost", 9000, kind=socket.SOCK_DGRAM)
    assert (receiver.family, receiver.address) == (chosen[0], chosen[4])
