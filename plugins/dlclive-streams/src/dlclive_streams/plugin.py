"""The components of dlclive-streams. Loaded to list plugins, so it imports nothing heavy."""

from __future__ import annotations

from dlclive_core import OutputInfo, SinkInfo, hookimpl

_INSTALL = "pip install dlclive-streams"
_INSTALL_SOUND = "pip install 'dlclive-streams[sound]'"


@hookimpl
def dlclive_register_sinks() -> list[SinkInfo]:
    """Describe the streams of poses."""
    return [
        SinkInfo(
            name="lsl",
            summary="Streams poses to Lab Streaming Layer, as MoCap with the capture time of each frame",
            factory="dlclive_streams.lsl.stream:LslStream",
            requires=("pylsl",),
            install_hint=_INSTALL,
        ),
        SinkInfo(
            name="zmq",
            summary="Publishes poses by ZeroMQ, as JSON or msgpack",
            factory="dlclive_streams.zeromq.stream:ZmqStream",
            requires=("zmq", "msgpack"),
            install_hint=_INSTALL,
        ),
        SinkInfo(
            name="osc",
            summary="Sends poses as OSC messages, for Bonsai and others",
            factory="dlclive_streams.osc.stream:OscStream",
            requires=("pythonosc",),
            install_hint=_INSTALL,
        ),
        SinkInfo(
            name="mqtt",
            summary="Publishes poses through an MQTT broker, as JSON",
            factory="dlclive_streams.mqtt.stream:MqttStream",
            requires=("paho",),
            install_hint=_INSTALL,
        ),
    ]


@hookimpl
def dlclive_register_outputs() -> list[OutputInfo]:
    """Describe the outputs of triggers. None of them is fail-safe."""
    return [
        OutputInfo(
            name="open-ephys",
            summary="A TTL line of an Open Ephys system, through its Network Events",
            factory="dlclive_streams.open_ephys.output:OpenEphysOutput",
            requires=("zmq",),
            install_hint=_INSTALL,
        ),
        OutputInfo(
            name="osc",
            summary="OSC messages, for Bonsai and others",
            factory="dlclive_streams.osc.output:OscOutput",
            requires=("pythonosc",),
            install_hint=_INSTALL,
        ),
        OutputInfo(
            name="zmq",
            summary="Messages published by ZeroMQ",
            factory="dlclive_streams.zeromq.output:ZmqOutput",
            requires=("zmq", "msgpack"),
            install_hint=_INSTALL,
        ),
        OutputInfo(
            name="mqtt",
            summary="Messages through an MQTT broker, which announces `off` when the program is gone",
            factory="dlclive_streams.mqtt.output:MqttOutput",
            requires=("paho",),
            install_hint=_INSTALL,
        ),
        OutputInfo(
            name="lsl",
            summary="Markers for Lab Streaming Layer",
            factory="dlclive_streams.lsl.output:LslOutput",
            requires=("pylsl",),
            install_hint=_INSTALL,
        ),
        OutputInfo(
            name="sound",
            summary="A pulse of a tone, or a WAV file, on the computer's own device",
            factory="dlclive_streams.sound.output:SoundOutput",
            requires=("sounddevice",),
            install_hint=_INSTALL_SOUND,
        ),
    ]
