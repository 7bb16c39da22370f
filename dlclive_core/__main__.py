"""`python -m dlclive_core`: the command line without its script."""

from dlclive_core.cli import main

if __name__ == "__main__":
    main()
