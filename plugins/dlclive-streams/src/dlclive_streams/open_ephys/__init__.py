"""Open Ephys: a TTL line through its Network Events."""
