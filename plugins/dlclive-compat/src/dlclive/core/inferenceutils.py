"""DeepLabCut's assembly of animals, which is not here: a model of dlclive assembles its animals itself.

The names can be imported, so that a file that only mentions them runs; using one raises UnsupportedModelError.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from dlclive_core import UnsupportedModelError

__all__ = [
    "Assembler",
    "Assembly",
    "Joint",
    "Link",
    "MatchedPrediction",
    "calc_object_keypoint_similarity",
    "evaluate_assembly",
    "evaluate_assembly_greedy",
    "find_outlier_assemblies",
    "match_assemblies",
    "parse_ground_truth_data_file",
]


class _Absent:
    def __init__(self, *_: Any, **__: Any) -> None:
        _refuse(type(self).__name__)


class Assembler(_Absent):
    """Not here: use `DLCLive(path, single_animal=False)`."""


class Assembly(_Absent):
    """Not here: a row of the array that `DLCLive(path, single_animal=False)` returns."""


class Joint(_Absent):
    """Not here."""


class Link(_Absent):
    """Not here."""


class MatchedPrediction(_Absent):
    """Not here."""


def _absent(name: str) -> Callable[..., NoReturn]:
    def function(*_: Any, **__: Any) -> NoReturn:
        _refuse(name)

    function.__name__, function.__doc__ = name, "Not here."
    return function


def _refuse(name: str) -> NoReturn:
    raise UnsupportedModelError(
        f"dlclive.core.inferenceutils.{name} is not part of dlclive, whose models assemble animals themselves: use "
        "DLCLive(path, single_animal=False), or deeplabcut.core.inferenceutils of DeepLabCut"
    )


calc_object_keypoint_similarity = _absent("calc_object_keypoint_similarity")
evaluate_assembly = _absent("evaluate_assembly")
evaluate_assembly_greedy = _absent("evaluate_assembly_greedy")
find_outlier_assemblies = _absent("find_outlier_assemblies")
match_assemblies = _absent("match_assemblies")
parse_ground_truth_data_file = _absent("parse_ground_truth_data_file")
