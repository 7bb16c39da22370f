"""Heads: from features to maps, and from maps to keypoints. `table.HEADS` lists them."""
