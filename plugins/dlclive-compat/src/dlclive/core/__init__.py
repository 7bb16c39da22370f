"""The runner, and the reader of configurations."""
