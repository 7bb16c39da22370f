"""Formats as sinks of a session, and what a killed session left of them."""
