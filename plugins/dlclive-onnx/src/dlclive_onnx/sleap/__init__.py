"""Exports for the programs that run SLEAP's models: Bonsai.Sleap and sleap-nn."""
