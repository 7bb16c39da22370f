"""The components of dlclive-distill. Loaded to list plugins, so it imports nothing heavy."""

from __future__ import annotations

from dlclive_core import DistillerInfo, hookimpl


@hookimpl
def dlclive_register_distillers() -> list[DistillerInfo]:
    return [
        DistillerInfo(
            name="student",
            summary="Trains a small network on what a DeepLabCut network sees in one's own videos",
            factory="dlclive_distill.distil:distil",
            requires=("torch", "onnx", "scipy", "dlclive_torch", "dlclive_onnx", "dlclive_io"),
            install_hint="pip install dlclive-distill",
        )
    ]
