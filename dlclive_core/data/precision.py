"""The precisions of networks."""

from __future__ import annotations

PRECISIONS = ("fp32", "fp16", "bf16", "int8")
"""All precisions, fp32 first. A plugin may have others, which have no bound and no peak of their own."""
