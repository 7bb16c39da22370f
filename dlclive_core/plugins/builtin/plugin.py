"""The components that the core brings, and the first example of a plugin module."""

from __future__ import annotations

from dlclive_core.hookspecs import SinkInfo, SourceInfo, hookimpl


@hookimpl
def dlclive_register_sources() -> list[SourceInfo]:
    return [
        SourceInfo(
            name="mouse",
            summary="Renders a mouse, like a camera: to try a live session without one",
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
