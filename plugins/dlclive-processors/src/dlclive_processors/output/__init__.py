"""Fail-safe outputs. Nothing is imported here: the heartbeat process must not import numpy."""
