"""The record of a run from which a replay begins, and what reads it: dlclive's own file, or tables and timestamps."""
