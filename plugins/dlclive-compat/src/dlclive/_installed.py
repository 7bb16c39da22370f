"""Whether the package `dlclive` that runs is ours alone."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

THEIRS = "deeplabcut-live"
OURS = "+dlclive"
"""The end of the version of our distribution of that name, which has no files of its own."""


def refuse_deeplabcut_live() -> None:
    """Raise ImportError where deeplabcut-live is installed: its files and ours would be mixed in one folder."""
    try:
        installed = version(THEIRS)
    except PackageNotFoundError:
        return
    if not installed.endswith(OURS):
        raise ImportError(
            f"{THEIRS} {installed} is installed beside dlclive-compat, and both own the package dlclive; run: "
            f"pip uninstall -y {THEIRS} dlclive-compat, and then pip install './plugins/dlclive-compat[pytorch]' in dlclive's "
            "folder",
            name="dlclive",
        )
