"""NWB: Neurodata Without Borders, with the extension ndx-pose."""
