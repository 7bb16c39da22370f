"""The command line `dlclive`. Each command has its own file and imports its dependencies only when it runs."""

from __future__ import annotations


def main() -> None:
    """Run the command line and exit with its exit code; `dlclive_core.errors` defines the codes."""
    import logging
    import os
    import sys
    from contextlib import nullcontext

    from dlclive_core.cli.standard_streams import open_missing_streams, reserve_stdout

    open_missing_streams()
    from dlclive_core.cli.app import app
    from dlclive_core.cli.output import complain, make_log_printable
    from dlclive_core.errors import DLCLiveError

    logging.basicConfig(level=logging.WARNING, format="dlclive: %(message)s", stream=sys.stderr)
    make_log_printable()
    try:
        with reserve_stdout() if "--json" in sys.argv else nullcontext():
            app()
    except DLCLiveError as error:
        complain(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader closed the pipe, as in `dlclive plugins list | head -1`
        sys.stderr.close()
        sys.exit(0)
    except Exception as error:  # a bug in the core or in a plugin
        if os.environ.get("DLCLIVE_TRACEBACK"):
            raise
        complain(f"unexpected {type(error).__name__}: {error}; set DLCLIVE_TRACEBACK=1 for the traceback")
        sys.exit(1)
