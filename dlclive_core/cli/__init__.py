"""The command line `dlclive`. Each command is a file of its own, and imports what it needs when it runs."""

from __future__ import annotations


def main() -> None:
    """Run the command line and exit with its code: see `dlclive_core.errors` for what each one means."""
    import logging
    import os
    import sys

    from dlclive_core.cli.app import app
    from dlclive_core.cli.output import complain, make_log_printable
    from dlclive_core.errors import DLCLiveError

    logging.basicConfig(level=logging.WARNING, format="dlclive: %(message)s", stream=sys.stderr)
    make_log_printable()
    try:
        app()
    except DLCLiveError as error:
        complain(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output went away, as in `dlclive plugins list | head -1`
        sys.stderr.close()
        sys.exit(0)
    except Exception as error:  # a bug, ours or a plugin's
        if os.environ.get("DLCLIVE_TRACEBACK"):
            raise
        complain(f"unexpected {type(error).__name__}: {error}; set DLCLIVE_TRACEBACK=1 to see where")
        sys.exit(1)
