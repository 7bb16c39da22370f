"""The command dlc-live-test."""
