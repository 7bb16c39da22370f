"""pylsl, limited to this computer unless the user asks for the network."""

from __future__ import annotations

import threading
from typing import Any

from dlclive_core import DependencyError, UsageError, install_command

_THIS_COMPUTER = """
[multicast]
ResolveScope = machine
ListenAddress = 127.0.0.1
IPv6 = disable
[ports]
IPv6 = disable
[log]
level = -2
"""
"""LSL's own format, https://labstreaminglayer.readthedocs.io/info/lslapicfg.html: only this computer hears of the streams."""

_lock = threading.Lock()
_network: bool | None = None  # as LSL was configured in this process: it reads its configuration once


def load_lsl(*, network: bool) -> Any:
    """Import pylsl, and configure LSL the first time.

    Args:
        network: whether other computers may find the streams. LSL's own configuration files count only then.

    Raises:
        DependencyError: pylsl is not installed, its library cannot be loaded, or is too old.
        UsageError: LSL was configured otherwise in this process.
    """
    global _network
    with _lock:
        try:
            import pylsl
        except ImportError as error:
            raise DependencyError(f"LSL cannot be used: {error}; run: {install_command('dlclive-streams')}") from None
        except (RuntimeError, OSError) as error:  # its C library is missing, or for another system
            raise DependencyError(
                f"LSL's library cannot be loaded: {' '.join(str(error).split())[:100]}; install liblsl, for example with "
                "conda from conda-forge, or name its file in the environment variable PYLSL_LIB"
            ) from None
        if _network is None:
            if not network:
                _limit(pylsl)
            _network = network
        if _network != network:
            raise UsageError(
                "one program has one LSL configuration: give network=true to all its lsl streams, or to none"
            )
        return pylsl


def _limit(pylsl: Any) -> None:
    try:
        pylsl.set_config_content(_THIS_COMPUTER)
    except (AttributeError, NotImplementedError):
        raise DependencyError(
            "this version of LSL cannot be limited to this computer; update pylsl and liblsl to 1.18, or give network=true"
        ) from None
