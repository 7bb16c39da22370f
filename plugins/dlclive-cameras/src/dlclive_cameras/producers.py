"""GenTL producers, the drivers of GenICam cameras. A process shares one handle, because a producer allows only one."""

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

_PATHS = "GENICAM_GENTL64_PATH"  # manufacturers' installers add the folders of their producers
_DISCOVERY_MS = 300  # time for cameras to respond; genicam holds the GIL meanwhile

_log = logging.getLogger("dlclive.harvesters")  # harvesters logs tracebacks; what matters is raised or counted
_log.addHandler(logging.NullHandler())
_log.propagate = False


class Producers:
    """Open producers and the cameras that they see. Shared: obtain an instance with `use`, return it with `leave`."""

    _lock = threading.RLock()
    _open: dict[tuple[str, ...], Producers] = {}  # noqa: RUF012 - shared by the whole process on purpose

    def __init__(self, files: tuple[str, ...]) -> None:
        self._files = files
        self._users = 0
        self._harvester = Harvester(config=ParameterSet({ParameterKey.LOGGER: _log}))
        failure = ""
        for file in files:
            try:
                self._harvester.add_file(file, check_validity=True)
            except OSError as error:
                failure = " ".join(str(error).split())
                _log.warning("a producer cannot be loaded: %s", failure)
        if not self._harvester.files:
            raise SourceError(f"no GenTL producer can be loaded: {failure}; is it made for this system?")
        self._harvester.update()

    @classmethod
    def use(cls, producer: Path | None) -> Producers:
        """The producer in this file, or all installed ones. Raises SourceError, UsageError."""
        files = producer_files(producer)
        with cls._lock:
            if files not in cls._open:
                cls._open[files] = cls(files)
            shared = cls._open[files]
            shared._users += 1
            return shared

    def leave(self) -> None:
        """Return the instance; the last user closes it."""
        with self._lock:
            self._users -= 1
            if not self._users:
                del self._open[self._files]
                try:
                    self._harvester.reset()
                except GenericException as error:
                    _log.warning("a producer does not close: %s", error)

    def cameras(self) -> Sequence[Any]:
        """harvesters' description of each connected camera."""
        with self._lock:
            known = self._harvester.device_info_list
            # harvesters' own update closes all cameras, even those of other users: query the interfaces instead.
            interfaces = list(dict.fromkeys(info.parent for info in known))
            if interfaces:
                current = []
                for interface in interfaces:
                    interface.module.update_device_info_list(_DISCOVERY_MS)
                    current += [DeviceInfo(module=info, parent=interface) for info in interface.module.device_info_list]
                known[:] = current
            elif not self._harvester.image_acquirers:
                self._harvester.update()
            return tuple(self._harvester.device_info_list)

    def open_camera(self, info: Any) -> Any:
        """Open a camera; returns harvesters' ImageAcquirer."""
        with self._lock:
            before = signal.getsignal(signal.SIGINT)
            try:
                return self._harvester.create(info)
            finally:  # harvesters replaces the handler of Ctrl-C
                if threading.current_thread() is threading.main_thread() and before is not None:
                    signal.signal(signal.SIGINT, before)

    def close_camera(self, acquirer: Any) -> None:
        """Close a camera, even one that is gone."""
        with self._lock:
            device = acquirer.device
            if acquirer in self._harvester.image_acquirers:
                self._harvester.image_acquirers.remove(acquirer)
            try:
                acquirer.__exit__(None, None, None)  # destroy() alone leaks it
            except (GenericException, AttributeError, IndexError) as error:
                _log.warning("a camera does not close: %s", error)
            try:
                if device is not None and device.is_open():
                    device.close()
            except GenericException as error:
                _log.warning("a camera does not close: %s", error)


def producer_files(producer: Path | None) -> tuple[str, ...]:
    """The .cti files: `producer`, or those in the folders of GENICAM_GENTL64_PATH."""
    if producer is not None:
        if not Path(producer).is_file():
            raise UsageError(f"there is no GenTL producer {producer}; give the path of the manufacturer's .cti file")
        return (str(Path(producer).resolve()),)
    folders = [Path(folder) for folder in os.environ.get(_PATHS, "").split(os.pathsep) if folder]
    files = tuple(sorted({str(file.resolve()) for folder in folders for file in folder.glob("*.cti")}))
    if not files:
        raise SourceError(
            f"no GenTL producer is installed: {_PATHS} names no folder with a .cti file; "
            "install the camera manufacturer's software, or give producer=FILE.cti"
        )
    return files
