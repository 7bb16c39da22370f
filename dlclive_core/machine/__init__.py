"""Facts about this machine: cores, GPUs, versions, load; and atomic file writes."""
