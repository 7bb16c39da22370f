"""`dlclive run` and `dlclive check`: live sessions from the command line or a session file."""
