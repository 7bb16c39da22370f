"""Tests of other projects that fail here, and why ours is right. Those that fail must be listed, and those listed must fail."""

from __future__ import annotations

EXPECTED_FAILURES: dict[str, str] = {}
"""Project and test, as in "live tests/test_x.py::test_y" -> the reason."""
