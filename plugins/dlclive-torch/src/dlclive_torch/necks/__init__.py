"""Necks: layers between backbone and head, from features to features. `table.NECKS` lists them."""
