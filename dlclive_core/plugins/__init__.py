"""Installed plugins: the catalogue, components from a spec, sources from paths."""
