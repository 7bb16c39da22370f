"""Outputs that fail safe. Nothing is imported here: the heartbeat process must not import numpy."""
