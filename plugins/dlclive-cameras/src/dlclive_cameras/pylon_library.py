"""pypylon, imported so that Python does not crash where warnings are errors.

Its types, made by SWIG, warn while they are made; an exception at that place ends the process.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from pypylon import genicam, pylon

__all__ = ["genicam", "pylon"]
