"""GenTL producers: the drivers of GenICam cameras. One handle for all cameras of a process, because a producer allows one."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from genicam.gentl import GenericException
from harvesters.core import DeviceInfo, Harvester, ParameterKey, ParameterSet

from dlclive_core import SourceError, UsageError

_PATHS = "GENICAM_GENTL64_PATH"  # where the makers' installers write the folders of their producers
_PATIENCE = 300  # milliseconds for cameras to say that they are there; genicam holds Python's lock meanwhile

_log = logging.getLogger("dlclive.harvesters")  # harvesters prints tracebacks; what matters comes as errors and counts
_log.addHandler(logging.NullHandler())
_log.propagate = False


class Producers:
    """The producers of some files, opened, with the cameras that they see. Shared: get it by `use`, give it back by `leave`."""

    _lock = threading.RLock()
    _open: dict[tuple[str, ...], Producers] = {}  # noqa: RUF012 - one for the process, that is the point

    def __init__(self, files: tuple[str, ...]) -> None:
        self._files = files
        self._users = 0
        self._harvester = Harvester(config=ParameterSet({ParameterKey.LOGGER: _log}))
        broken = ""
        for file in files:
            try:
                self._harvester.add_file(file, check_validity=True)
            except OSError as error:
                broken = " ".join(str(error).split())
                _log.warning("a producer cannot be loaded: %s", broken)
        if not self._harvester.files:
            raise SourceError(f"no GenTL producer can be loaded: {broken}; is it made for this system?")
        self._harvester.update()

    @classmethod
    def use(cls, producer: Path | None) -> Producers:
        """The producers of this file, or of all that are installed. Raises SourceError, UsageError."""
        files = producer_files(producer)
        with cls._lock:
            if files not in cls._open:
                cls._open[files] = cls(files)
            shared = cls._open[files]
            shared._users += 1
            return shared

    def leave(self) -> None:
        """Give it back; the last user closes it."""
        with self._lock:
            self._users -= 1
            if not self._users:
                del self._open[self._files]
                try:
                    self._harvester.reset()
                except GenericException as error:
                    _log.warning("a producer does not close: %s", error)

    def cameras(self) -> Sequence[Any]:
        """harvesters' description of each camera that is there now."""
        with self._lock:
            known = self._harvester.device_info_list
            # harvesters' own update closes all cameras, also those of others: ask the interfaces instead.
            interfaces = list(dict.fromkeys(info.parent for info in known))
            if interfaces:
                found = []
                for interface in interfaces:
                    interface.module.update_device_info_list(_PATIENCE)
                    found += [DeviceInfo(module=info, parent=interface) for info in interface.module.device_info_list]
                known[:] = found
            elif not self._harvester.image_acquirers:
                self._harvester.update()
            return tuple(self._harvester.device_info_list)

    def open_camera(self, info: Any) -> Any:
        """Open a camera: harvesters' ImageAcquirer."""
        with self._lock:
            before = signal.getsignal(signal.SIGINT)
            try:
                return self._harvester.create(info)
            finally:  # harvesters takes Ctrl-C for itself
                if threading.current_thread() is threading.main_thread() and before is not None:
                    signal.signal(signal.SIGINT, before)

    def close_camera(self, acquirer: Any) -> None:
        """Close a camera, also one that is gone."""
        with self._lock:
            device = acquirer.device
            if acquirer in self._harvester.image_acquirers:
                self._harvester.image_acquirers.remove(acquirer)
            try:
                acquirer.__exit__(None, None, None)  # destroys it, and forgets it: destroy() alone leaks it
            except (GenericException, AttributeError, IndexError) as error:
                _log.warning("a camera does not close: %s", error)
            try:
                if device is not None and device.is_open():
                    device.close()
            except GenericException as error:
                _log.warning("a camera does not close: %s", error)


def producer_files(producer: Path | None) -> tuple[str, ...]:
    """The .cti files: the one given, or those in the folders that GENICAM_GENTL64_PATH names."""
    if producer is not None:
        if not Path(producer).is_file():
            raise UsageError(
                f"there is no GenTL producer {producer}; give the path of the .cti file of the camera's maker"
            )
        return (str(Path(producer).resolve()),)
    folders = [Path(folder) for folder in os.environ.get(_PATHS, "").split(os.pathsep) if folder]
    files = tuple(sorted({str(file.resolve()) for folder in folders for file in folder.glob("*.cti")}))
    if not files:
        raise SourceError(
            f"no GenTL producer is installed: {_PATHS} names no folder with a .cti file; "
            "install the software of the camera's maker, or give producer=FILE.cti"
        )
    return files
