"""Trains a small network that does a DeepLabCut network's job on one's own videos."""

__version__ = "0.1.0"
