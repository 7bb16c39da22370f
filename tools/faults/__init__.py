"""Faults on purpose: real processes, really killed, and what came of it."""
