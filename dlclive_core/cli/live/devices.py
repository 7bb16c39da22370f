"""`dlclive devices`: lists the connected cameras."""

from __future__ import annotations

from dataclasses import asdict

from dlclive_core.cli.output import print_json, print_table, stderr
from dlclive_core.components import Device
from dlclive_core.errors import DLCLiveError, PluginError, one_line
from dlclive_core.hookspecs import SourceInfo
from dlclive_core.plugins.catalog import PluginCatalog


def run_devices(*, json: bool) -> None:
    """List the devices of every camera source. A source that fails is reported on standard error; the others are listed."""
    catalog = PluginCatalog.installed()
    devices: list[Device] = []
    errors: dict[str, str] = {}
    for info in catalog.components(SourceInfo):
        if info.opens or info.opens_folders:  # it reads files
            continue
        try:
            devices += _checked_devices(info.name, catalog.factory(info).devices())
        except DLCLiveError as error:
            errors[info.name] = one_line(error)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a driver's, which may even exit, must not hide the cameras of other sources
            errors[info.name] = f"{info.name} cannot list its devices: {one_line(error)}"
    if json:
        print_json({"devices": [asdict(device) for device in devices], "not_asked": errors})
        return
    for message in errors.values():
        stderr().print(message, markup=False)
    if devices:
        rows = [(device.source, device.name, device.model, device.serial) for device in devices]
        print_table("Cameras", ("--source", "name", "model", "serial"), rows)
    else:
        stderr().print("no camera found; try the rendered mouse: --source mouse", markup=False)


def _checked_devices(name: str, devices: object) -> list[Device]:
    """What a plugin returned, if it is what the contract says."""
    if not isinstance(devices, list | tuple) or not all(isinstance(device, Device) for device in devices):
        raise PluginError(f"{name} listed {devices!r}, not devices")
    return list(devices)
