"""`dlclive benchmark` and `dlclive tune`."""
