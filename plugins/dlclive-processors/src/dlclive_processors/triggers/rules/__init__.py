"""The language of rules: `snout.y < tail_base.y - 20 and speed(snout) < 5`."""
