"""Models: loading them, and what the core makes of a network's arrays."""
