"""Triggers: what is true of a pose, when that counts, and what is switched.

A `Condition` says what is true, and for whom. A `Trigger` decides when that counts (debounce, delay, hold, ...), reports it,
and switches an output. `RegionTrigger` and `Stimulate` are made of the same parts.
"""
