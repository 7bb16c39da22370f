"""Lab Streaming Layer: poses as a MoCap stream, triggers as markers."""
