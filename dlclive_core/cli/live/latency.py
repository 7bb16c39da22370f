"""`dlclive latency`: a live session in which a device measures the time from an LED in the camera's view to an output."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dlclive_core.cli.live.latency_table import print_trials, trials_csv, trials_to_dict
from dlclive_core.cli.live.parts import RigParts
from dlclive_core.cli.live.run import run_live
from dlclive_core.cli.live.run_spec import RunSpec, SourceSpec
from dlclive_core.cli.live.trials_picture import trials_picture
from dlclive_core.cli.output import stderr, warn
from dlclive_core.cli.specs import PartSpec
from dlclive_core.components.latency_probe import LatencyProbe
from dlclive_core.data.latency_trial import LatencyTrial
from dlclive_core.demo import MODEL
from dlclive_core.errors import DLCLiveError, UsageError
from dlclive_core.machine.files import write_whole
from dlclive_core.plugins.specs import ComponentSpec
from dlclive_core.session import Rig, SessionReport

_PROBE = "led"
_RATE = 60  # frames per second of the rendered source


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyOptions:
    """What `dlclive latency` adds to a run: the options of the processor `led`, as text.

    Attributes:
        port: of the device; None with `simulate`.
        simulate: a rendered source and a simulated device.
        options: by name; those that are None are left out.
    """

    port: str | None = None
    simulate: bool = False
    options: dict[str, Any] = field(default_factory=dict)


def run_latency(spec: RunSpec, options: LatencyOptions, *, json: bool) -> int:
    """Run the session until the measurement is over; return the exit code. Raises DLCLiveError if it cannot start."""
    if options.simulate and options.port is not None:
        raise UsageError(
            f"--simulate and --port {options.port} exclude each other; leave one out: --port is of a device, and --simulate "
            "needs none"
        )
    if not options.simulate and options.port is None:
        raise UsageError("pass --port, such as --port /dev/ttyACM0, or --simulate to try without a device")
    if len(spec.sources) > 1:
        raise UsageError("latency is measured with one source; pass one --source")
    with tempfile.TemporaryDirectory(prefix="dlclive-light-") as folder:
        spec = _with_probe(spec, options, Path(folder) / "light")
        return run_live(spec, json=json, measurement=LatencyMeasurement())


class LatencyMeasurement:
    """Ends a run when its probe has finished, and writes what the probe measured."""

    def __init__(self) -> None:
        self._probe: LatencyProbe | None = None
        self._over = threading.Event()

    def take(self, parts: RigParts) -> None:
        """Find the probe among the processors."""
        for processor in parts.sessions[0].processors:
            if isinstance(processor, LatencyProbe):
                self._probe = processor
        assert self._probe is not None

    @contextmanager
    def stops(self, rig: Rig) -> Iterator[None]:
        """Stop the rig when the measurement is over."""
        watcher = threading.Thread(target=self._watch, args=(rig,), name="latency watcher", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            self._over.set()
            watcher.join()

    def _watch(self, rig: Rig) -> None:
        assert self._probe is not None
        while not self._over.is_set():
            if self._probe.finished.wait(0.1):
                rig.stop()
                return

    @property
    def error(self) -> DLCLiveError | None:
        """What ended the measurement early."""
        return self._probe.error if self._probe is not None else None

    @property
    def values(self) -> dict[str, Any]:
        """What was measured, for the record."""
        probe = self._probe
        assert probe is not None
        return trials_to_dict(tuple(probe.trials), probe.false_answers, probe.round_trip)

    def write(self, report: SessionReport, record: Path, *, overwrite: bool, json: bool) -> dict[str, str]:
        """Write the trials and their picture beside the record; return their paths for it. Raises DataError."""
        probe = self._probe
        assert probe is not None
        table = record.with_name(record.stem.replace("run", "trials", 1) + ".csv")
        picture = record.with_name(record.stem.replace("run", "trials", 1) + ".svg")
        trials: tuple[LatencyTrial, ...] = tuple(probe.trials)
        if not trials:  # an empty table would say that something was measured
            if self.error is None and report.ending != "error":
                warn("stopped before the LED was lit for the first trial: nothing was measured")
            return {}
        values = self.values
        if not json:
            print_trials(values)
        write_whole(table, trials_csv(trials), overwrite=overwrite)
        title = f"{report.name}, {report.runtime} on {report.device}, {report.started_at:%Y-%m-%d %H:%M}"
        write_whole(picture, trials_picture(title, trials, values), overwrite=overwrite)
        if not json:
            for path in (table, picture):
                stderr().print(f"written: {path}", markup=False)
        return {"trials_table": str(table), "trials_picture": str(picture)}


def _without_others_on(port: str | None, spec: RunSpec) -> RunSpec:
    """The run without processors that use the same port, such as `stimulate`: the probe answers in their place."""

    def others(parts: tuple[PartSpec, ...]) -> tuple[PartSpec, ...]:
        kept = []
        for part in parts:
            if part.spec is not None and port in (part.spec.first, dict(part.spec.options).get("port")):
                warn(f"{part.spec.name} is left out: it has the port {port}, on which the LED is answered in its place")
            else:
                kept.append(part)
        return tuple(kept)

    sources = tuple(replace(source, processors=others(source.processors)) for source in spec.sources)
    return replace(spec, processors=others(spec.processors), sources=sources)


def _with_probe(spec: RunSpec, options: LatencyOptions, light: Path) -> RunSpec:
    """The run with the probe as its last processor; simulated, with a light in the rendered picture."""
    settings = {name: str(value) for name, value in options.options.items() if value is not None}
    if options.simulate:
        light.write_bytes(b"\0")
        settings["light"] = str(light)
        source = spec.sources[0] if spec.sources else SourceSpec(part=PartSpec.source(f"mouse:fps={_RATE}"))
        if source.part.spec is None or source.part.spec.name != "mouse":
            raise UsageError(f"--simulate lights an LED in the rendered source only; {source.part.text} is another")
        lit = replace(source.part.spec, options=(*source.part.spec.options, ("light", str(light))))
        spec = replace(spec, sources=(replace(source, part=replace(source.part, spec=lit)),))
        if not spec.models and spec.model.path is None and spec.sources[0].model is None:
            spec = replace(spec, models=(str(MODEL),))
    port = "simulate" if options.simulate else options.port
    spec = replace(_without_others_on(port, spec), replay=False)  # a probe drives its board, and is not replayed
    probe = PartSpec(_PROBE, ComponentSpec(_PROBE, port, tuple(settings.items())))
    if spec.sources and spec.sources[0].processors:  # those of a source run after the common ones
        (own,) = spec.sources
        return replace(spec, sources=(replace(own, processors=(*own.processors, probe)),))
    return replace(spec, processors=(*spec.processors, probe))
