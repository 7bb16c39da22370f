"""OSC over UDP: poses and triggers for Bonsai, Max, TouchDesigner and others."""
