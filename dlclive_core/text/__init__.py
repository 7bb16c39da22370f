"""Reads text files from other programs: detects the encoding, parses YAML 1.2."""
