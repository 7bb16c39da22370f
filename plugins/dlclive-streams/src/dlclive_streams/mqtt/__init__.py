"""MQTT: poses and triggers through a broker."""
