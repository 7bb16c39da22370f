"""pypylon, imported without the warnings that crash Python where warnings are errors.

Its SWIG types warn while they are created; an exception at that point ends the process.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from pypylon import genicam, pylon

__all__ = ["genicam", "pylon"]
