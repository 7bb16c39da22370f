"""Have an installed plugin train a small network on what a large one sees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from dlclive_core.deeplabcut.locate import locate_model
from dlclive_core.distillation.plan import DistillPlan
from dlclive_core.distillation.result import Distilled, DistillProgress
from dlclive_core.errors import DependencyError
from dlclive_core.hookspecs import DistillerInfo
from dlclive_core.machine.known_packages import DISTILL, install_command
from dlclive_core.plugins.catalog import PluginCatalog, construct

_TEACHERS = (".pt",)


def distill_model(
    plan: DistillPlan,
    report: Callable[[DistillProgress], None] = lambda _: None,
    *,
    catalog: PluginCatalog | None = None,
) -> Distilled:
    """Train a small network on the user's videos, with the user's model as the teacher, and judge it on frames it has not seen.

    Args:
        plan: what to do.
        report: called in this thread while the work goes on, a few times a second.
        catalog: the plugins to choose from. Default: those installed.

    Returns:
        How good the network is, and whether it was written: only if it keeps within `plan.max_error`.

    Raises:
        DependencyError: no installed plugin distills.
        UsageError, DataError: the plan cannot be carried out; see `DistillPlan.check_target`.
        ModelError, SourceError: the model or a video cannot be used.
    """
    catalog = catalog or PluginCatalog.installed()
    infos = catalog.components(DistillerInfo)
    if not infos:
        raise DependencyError(f"no installed plugin distills models; run: {install_command(DISTILL)}")
    plan.check_target()
    plan = replace(plan, model=locate_model(plan.model, _TEACHERS))
    distilled = construct(catalog.factory(infos[0]), f"distiller {infos[0].name!r}", plan, report)
    assert isinstance(distilled, Distilled)
    return distilled
