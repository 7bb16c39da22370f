"""Streams and outputs for other programs: Lab Streaming Layer, ZeroMQ, OSC, MQTT, Open Ephys, sound.

Importing this package imports no library of a transport: each class is imported on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dlclive_streams.lsl.output import LslOutput
    from dlclive_streams.lsl.stream import LslStream
    from dlclive_streams.message_output import MessageOutput
    from dlclive_streams.mqtt.output import MqttOutput
    from dlclive_streams.mqtt.stream import MqttStream
    from dlclive_streams.open_ephys.output import OpenEphysOutput
    from dlclive_streams.osc.output import OscOutput
    from dlclive_streams.osc.stream import OscStream
    from dlclive_streams.sound.output import SoundOutput
    from dlclive_streams.zeromq.output import ZmqOutput
    from dlclive_streams.zeromq.stream import ZmqStream

__version__ = "0.1.0"

__all__ = [
    "LslOutput",
    "LslStream",
    "MessageOutput",
    "MqttOutput",
    "MqttStream",
    "OpenEphysOutput",
    "OscOutput",
    "OscStream",
    "SoundOutput",
    "ZmqOutput",
    "ZmqStream",
    "__version__",
]

_HOMES = {
    "LslOutput": "lsl.output",
    "LslStream": "lsl.stream",
    "MessageOutput": "message_output",
    "MqttOutput": "mqtt.output",
    "MqttStream": "mqtt.stream",
    "OpenEphysOutput": "open_ephys.output",
    "OscOutput": "osc.output",
    "OscStream": "osc.stream",
    "SoundOutput": "sound.output",
    "ZmqOutput": "zeromq.output",
    "ZmqStream": "zeromq.stream",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
