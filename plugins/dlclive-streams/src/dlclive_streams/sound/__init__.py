"""Sound: a pulse on the computer's own device."""
