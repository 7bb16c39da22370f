"""Installed plugins: the catalogue, components built from specs, sources for paths."""
