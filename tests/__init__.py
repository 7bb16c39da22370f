"""Tests of the core and of the command line, and what the tests of plugins share."""
