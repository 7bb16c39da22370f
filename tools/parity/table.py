"""The comparison's table, `benchmarks/parity.md`."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from tools.parity.cases import Case
from tools.parity.differences import Difference

BOUND_PX = {"torch": 0.01, "onnx": 0.05}
BOUND_CONFIDENCE = 1e-3
BOUND_BOXES_PX = 0.5

HEAD = (
    "| network | runtime | px | confidence | boxes px | whole px | ms | deeplabcut-live ms | times as fast | notes |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)


@dataclass
class Row:
    """A network on a runtime.

    Attributes:
        failure: why there is no comparison; "" if there is one.
        live: why deeplabcut-live cannot run the file; "" if it can.
        wobble_px: how far DeepLabCut's own poses move when its weights change by rounding; `wobble_confidence` and
            `wobble_boxes_px` likewise.
        seconds: the median per frame; `live_seconds`: the same of deeplabcut-live, measured alternately.
    """

    case: Case
    runtime: str
    failure: str = ""
    live: str = ""
    notes: list[str] = field(default_factory=list)
    difference: Difference = field(default_factory=Difference)
    wobble_px: float = 0.0
    wobble_confidence: float = 0.0
    wobble_boxes_px: float = 0.0
    seconds: float = 0.0
    live_seconds: float | None = None

    @property
    def broken(self) -> str:
        """The missed bounds or the failure; "" if all bounds are kept."""
        if self.failure:
            return self.failure
        difference, bound = self.difference, BOUND_PX[self.runtime]
        faults = [
            f"{difference.px:.3g} px, more than {bound}" if not difference.px <= bound else "",
            f"{difference.confidence:.2g} in confidence" if not difference.confidence <= BOUND_CONFIDENCE else "",
            f"boxes {difference.boxes_px:.3g} px" if not (difference.boxes_px or 0.0) <= BOUND_BOXES_PX else "",
            _unstable("poses", self.wobble_px, BOUND_PX["torch"]),
            _unstable("confidences", self.wobble_confidence, BOUND_CONFIDENCE),
            _unstable("boxes", self.wobble_boxes_px, BOUND_BOXES_PX),
        ]
        return "; ".join(fault for fault in faults if fault)

    def line(self) -> str:
        """The row in Markdown."""
        notes = list(self.notes)
        if self.difference.unnamed:
            notes.append(
                f"names not compared in {self.difference.unnamed} frames: DeepLabCut includes absent animals in the "
                "identity vote"
            )
        if self.broken:
            notes.append(f"**{self.broken}**")
        if self.live:
            notes.append(f"live: {self.live}")
        note = "; ".join(notes).replace("|", "/")
        cells = [self.case.name, self.runtime]
        if self.failure:
            cells += [""] * 7
        else:
            difference = self.difference
            cells += [
                f"{difference.px:.5f}",
                f"{difference.confidence:.1e}",
                _px(difference.boxes_px),
                _px(difference.whole_px),
            ]
            cells += [f"{1000 * self.seconds:.1f}"]
            cells += (
                [f"{1000 * self.live_seconds:.1f}", f"{self.live_seconds / self.seconds:.2f}"]
                if self.live_seconds
                else ["", ""]
            )
        return f"| {' | '.join([*cells, note])} |"


def _unstable(what: str, moved: float, bound: float) -> str:
    return "" if moved <= bound else f"unstable: DeepLabCut's own {what} move {moved:.3g} with rounding"


def _px(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def write(path: Path, rows: list[Row], frames_name: str) -> None:
    """Write the table, with an introduction that explains it."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "torchvision", "onnxruntime"))
    path.write_text(
        f"""# Comparison with DeepLabCut itself

Made by `python -m nox -s parity`: every network that deeplabcut 3.0.2 builds, in every form of a project, from files written by
its own exporter. Weights are random; heads are fitted to three frames ({frames_name}). All keypoints, regardless of their
confidence, are compared with those of deeplabcut's own inference on the same pixels. The bounds are {BOUND_PX["torch"]} px
(torch) and {BOUND_PX["onnx"]} px (ONNX), {BOUND_CONFIDENCE} in confidence, and {BOUND_BOXES_PX} px for the detector's boxes.
Bottom-up networks get images of 128 x 160 pixels, top-down networks two boxes of their input size in 480 x 640, conditional
networks two conditions.

An animal with all confidences 0 counts as absent: if DEKR's centre map has fewer peaks above 0 than the project has animals,
deeplabcut fills the remaining animals from zero-valued pixels; dlclive does not. Weights are drawn again if deeplabcut's own
result moves when all its weights change by a millionth; a row reports it if no draw was stable.

"whole px" has no bound: it compares detector, crops of other sizes than the network's input, and poses, as in the analysis of a
video. Times are medians per frame on one thread of a {platform.machine()} CPU ({packages}), of dlclive and of deeplabcut-live
1.1.0, one frame each in turn: top-down networks with their detector and up to three animals, or in fixed boxes; conditional
networks with two conditions.

{HEAD}
"""
        + "\n".join(row.line() for row in rows)
        + "\n",
        encoding="utf-8",
    )
