"""The networks to compare: every net type that DeepLabCut 3.0.2 builds, in every form of a project.

Needs only Python, because both environments read this list.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

BACKBONES = ("resnet_50", "resnet_101", "hrnet_w18", "hrnet_w32", "hrnet_w48", "cspnext_s", "cspnext_m", "cspnext_x")
FASTER_RCNN = ("fasterrcnn_mobilenet_v3_large_fpn", "fasterrcnn_resnet50_fpn_v2")

KEYPOINTS = ("snout", "leftear", "rightear", "spine", "tailbase")
INDIVIDUALS = ("m1", "m2", "m3")
UNIQUE = ("corner1", "corner2")

Method = Literal["bu", "td", "ctd"]
Form = Literal["export", "snapshot", "enums"]


@dataclass(frozen=True)
class Case:
    """One network of one project.

    Attributes:
        name: the name of its rows in the table.
        net_type: DeepLabCut's name, without `top_down_`.
        method: bottom-up, top-down, or conditional top-down.
        several: whether the project is a multi-animal project, with three animals.
        unique: whether there are two unique keypoints, which occur once per scene.
        identity: whether the network identifies the animals by appearance.
        detector: DeepLabCut's name of a top-down network's detector; None exports the network without one.
        form: "export": as written by deeplabcut.export_model; "snapshot": a training folder; "enums": an export of
            deeplabcut 3.0.1, whose configuration contains enumerations and paths.
        wipe_paths: the option `wipe_paths` of the export.
    """

    name: str
    net_type: str
    method: Method = "bu"
    several: bool = False
    unique: bool = False
    identity: bool = False
    detector: str | None = None
    form: Form = "export"
    wipe_paths: bool = False


def _ctd() -> list[Case]:
    names = ["coam_w32", "coam_w48", "coam_w48_human", "prenet_hrnet_w32", "prenet_hrnet_w48"]
    names += [f"prenet_rtmpose_{size}" for size in ("s", "m", "x", "x_human")]
    return [Case(f"ctd_{name}", f"ctd_{name}", "ctd", several=True) for name in names]


CASES = (
    *(Case(name, name, wipe_paths=name.endswith(("50", "w18", "s"))) for name in BACKBONES),
    Case("resnet_50_as_3.0.1", "resnet_50", form="enums"),
    Case("hrnet_w18_snapshot", "hrnet_w18", form="snapshot"),
    Case("top_down_resnet_50", "resnet_50", "td", several=True, detector="ssdlite"),
    *(Case(f"top_down_{name}", name, "td", several=True) for name in BACKBONES[1:]),
    Case("top_down_cspnext_s_single", "cspnext_s", "td", detector="ssdlite"),
    *(Case(f"rtmpose_{size}", f"rtmpose_{size}", "td", several=True) for size in ("s", "m", "x")),
    Case("rtmpose_s_snapshot", "rtmpose_s", "td", several=True, detector="ssdlite", form="snapshot"),
    *(Case(f"rtmpose_s_{name}", "rtmpose_s", "td", several=True, detector=name) for name in FASTER_RCNN),
    Case("animaltokenpose_base", "animaltokenpose_base", "td", several=True, wipe_paths=True),
    *(Case(f"paf_{name}", name, several=True) for name in BACKBONES),
    Case("paf_resnet_50_unique", "resnet_50", several=True, unique=True),
    Case("paf_cspnext_s_identity", "cspnext_s", several=True, identity=True),
    Case("paf_hrnet_w18_unique_identity", "hrnet_w18", several=True, unique=True, identity=True),
    *(Case(f"dlcrnet_stride{stride}_ms5", f"dlcrnet_stride{stride}_ms5", several=True) for stride in (16, 32)),
    *(Case(f"dekr_w{width}", f"dekr_w{width}", several=True) for width in (18, 32, 48)),
    Case("dekr_w18_single", "dekr_w18"),
    Case("dekr_w18_unique_identity", "dekr_w18", several=True, unique=True, identity=True),
    *_ctd(),
)


def choose(names: list[str]) -> list[Case]:
    """The cases with these names or net types; all cases if `names` is empty. Raises ValueError for an unknown name."""
    unknown = sorted(set(names) - {case.name for case in CASES} - {case.net_type for case in CASES})
    if unknown:
        raise ValueError(f"no network {unknown[0]!r}; choose from: {', '.join(case.name for case in CASES)}")
    return [case for case in CASES if not names or case.name in names or case.net_type in names]


def case_of(name: str) -> Case:
    """The case with this name."""
    (case,) = (case for case in CASES if case.name == name)
    return case
