"""Tidy tables in Parquet."""
