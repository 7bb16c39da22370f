"""The core's own components, registered through the same hooks as those of any plugin."""
