"""Text files that others wrote: in which encoding, and YAML as YAML 1.2 reads it."""
