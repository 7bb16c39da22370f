"""The plugin's registrations, which must not import network libraries."""

from __future__ import annotations

import importlib
import subprocess
import sys

from dlclive_torch import plugin

from dlclive_core import Exporter, Network


def test_registered_factories_exist() -> None:
    for infos, base in (
        (plugin.dlclive_register_runtimes(), Network),
        (plugin.dlclive_register_exporters(), Exporter),
    ):
        assert infos
        for info in infos:
            module, _, name = info.factory.partition(":")
            assert issubclass(getattr(importlib.import_module(module), name), base)
            assert info.install_hint == "pip install dlclive-torch"


def test_listing_plugins_does_not_import_network_libraries() -> None:
    code = (
        "import sys, dlclive_torch, dlclive_torch.plugin as p; p.dlclive_register_runtimes();"
        "p.dlclive_register_exporters(); print([m for m in ('torch', 'timm', 'onnx', 'onnxscript') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
