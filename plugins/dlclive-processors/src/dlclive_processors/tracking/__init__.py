"""Identities of several animals from frame to frame, for models that do not tell them apart."""
