"""Keeps the frames of a run that are worth labelling."""
