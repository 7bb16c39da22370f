"""ZeroMQ: poses and triggers published to any number of subscribers."""
