"""Options that were renamed: the old name is an error that names the new one."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

RENAMED_OPTIONS: dict[tuple[str, str], str] = {}
"""(command, old option) -> new option, for example {("tune", "--bound"): "--max-error"}. Empty: none was renamed yet."""


class RenamingGroup(TyperGroup):
    """The group of all commands. It replaces "no such option" for an option in `RENAMED_OPTIONS`."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """Run the command that was given."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            option, context = getattr(error, "option_name", None), getattr(error, "ctx", None)  # NoSuchOption has both
            new = RENAMED_OPTIONS.get((getattr(context, "info_name", ""), option)) if option else None
            if new is None:
                raise
            raise typer.BadParameter(f"{option} is now {new}", ctx=context) from None
