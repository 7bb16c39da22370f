"""Draw the pictures on the pages of processors.

    python scripts/processor_pictures.py [NAME ...] [--out docs/processors]

Writes NAME.svg for every module in `scripts/pictures`, or for those named, in a few seconds. Needs dlclive-core and
dlclive-processors.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parent.parent
MODULES = Path(__file__).parent / "pictures"


def names() -> list[str]:
    """The processors that have a picture."""
    return sorted(path.stem.replace("_", "-") for path in MODULES.glob("[!_]*.py"))


def main() -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names()))
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "processors")
    options = parser.parse_args()
    if unknown := set(options.names) - set(names()):
        parser.error(f"no picture of {', '.join(sorted(unknown))}; there are {', '.join(names())}")
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.names or names():
        picture = import_module(f"pictures.{name.replace('-', '_')}").draw()
        (options.out / f"{name}.svg").write_text(picture, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
