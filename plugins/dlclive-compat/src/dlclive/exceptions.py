"""The errors and warnings of deeplabcut-live. An error is the base class of all that dlclive raises deliberately."""

from dlclive_core import DLCLiveError

__all__ = ["DLCLiveError", "DLCLiveWarning"]


class DLCLiveWarning(Warning):
    """Something is not as the caller probably expects."""
