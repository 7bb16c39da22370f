"""The components of the core; also a minimal example of a plugin module."""

from __future__ import annotations

from dlclive_core.hookspecs import SinkInfo, SourceInfo, hookimpl


@hookimpl
def dlclive_register_sources() -> list[SourceInfo]:
    return [
        SourceInfo(
            name="mouse",
            summary="Renders a mouse as a live camera would film it, to try a session without a camera",
            factory="dlclive_core.demo.live:LiveMouse",
        ),
    ]


@hookimpl
def dlclive_register_sinks() -> list[SinkInfo]:
    return [
        SinkInfo(
            name="memory",
            summary="Keeps the poses in memory, for scripts",
            factory="dlclive_core.plugins.builtin.memory:MemorySink",
        ),
    ]
