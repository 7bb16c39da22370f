"""The components that the core brings, and the first example of a plugin module."""

from __future__ import annotations

from dlclive_core.hookspecs import SinkInfo, SourceInfo, hookimpl


@hookimpl
def dlclive_register_sources() -> list[SourceInfo]:
    return [
        SourceInfo(
            name="mouse",
            summary="Renders a mouse in an arena whose keypoints are known",
            factory="dlclive_core.demo.source:MouseSource",
        ),
    ]


@hookimpl
def dlclive_register_sinks() -> list[SinkInfo]:
    return [
        SinkInfo(
            name="memory",
            summary="Keeps the poses in memory, for scripts",
            factory="dlclive_core.builtin.memory:MemorySink",
        ),
    ]
