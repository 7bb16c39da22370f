"""Fault injection: real processes are killed, stopped or starved, and the results go into a table."""
