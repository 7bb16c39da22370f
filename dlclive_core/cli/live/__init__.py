"""`dlclive run` and `dlclive check`: a live session from words, on the command line or in a file."""
