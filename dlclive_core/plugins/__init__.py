"""Installed plugins: the catalogue, components from text, sources from paths."""
