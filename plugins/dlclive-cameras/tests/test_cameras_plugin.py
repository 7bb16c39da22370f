"""The plugin as the catalogue sees it."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from typing import Any

import pytest

from dlclive_core import PluginCatalog, SourceInfo, UsageError, install_command
from dlclive_core.plugins.specs import build_component

HEAVY = ("cv2", "pypylon", "harvesters", "genicam")


def test_listing_and_building_import_nothing_heavy() -> None:
    script = (
        "import sys, dlclive_cameras.plugin as plugin\n"
        "infos = plugin.dlclive_register_sources()\n"
        "from dlclive_cameras import BaslerCamera, GenICamCamera, OpenCVCamera\n"
        "BaslerCamera('1'); GenICamCamera('1'); OpenCVCamera(0)\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], [info.name for info in infos])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] ['camera', 'basler', 'genicam']"


def _catalog() -> PluginCatalog:
    catalog = PluginCatalog.installed()
    if "cameras" not in {plugin.name for plugin in catalog.plugins}:
        pytest.skip("dlclive-cameras is not installed, only importable")
    return catalog


def build(text: str) -> Any:
    return build_component(_catalog(), SourceInfo, text)


@pytest.mark.skipif(not all(map(find_spec, ("pypylon", "harvesters"))), reason="needs dlclive-cameras[basler,genicam]")
def test_sources_are_built_from_specs() -> None:
    assert build("camera:1").device == 1
    assert build("camera:rtsp://10.0.0.7:554/live?channel=1&sub=0").device == "rtsp://10.0.0.7:554/live?channel=1&sub=0"
    assert build("camera:/dev/video0,width=640,height=480,fourcc=MJPG").width == 640
    basler = build("basler:serial=24060123,region=[16,8,320,240],exposure=2000,trigger=Line1,reconnect=5")
    assert (basler.serial, basler.reconnect) == ("24060123", 5.0)
    assert (basler.options.region, basler.options.exposure, basler.options.trigger) == (
        (16, 8, 320, 240),
        2000,
        "Line1",
    )
    assert build("genicam:index=2,pixel_format=BayerRG8").index == 2


def test_an_unknown_option_is_named() -> None:
    with pytest.raises(UsageError, match="did you mean 'exposure'"):
        build("camera:0,exposur=200")


def test_without_the_vendor_library_the_error_says_what_to_install() -> None:
    script = (
        "import sys\n"
        "sys.modules.update({'pypylon': None, 'harvesters': None, 'genicam': None})\n"
        "from dlclive_cameras import BaslerCamera, GenICamCamera\n"
        "from dlclive_core import DependencyError\n"
        "for call in (BaslerCamera().open, BaslerCamera.devices, GenICamCamera().open, GenICamCamera.devices):\n"
        "    try:\n        call()\n    except DependencyError as error:\n        print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 4
    assert all(install_command("dlclive-cameras[basler]") in line for line in lines[:2])
    assert all(install_command("dlclive-cameras[genicam]") in line for line in lines[2:])
