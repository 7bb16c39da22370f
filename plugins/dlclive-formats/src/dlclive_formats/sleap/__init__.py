"""SLEAP: Analysis HDF5 and CSV."""
