"""Filters of poses: what smooths, predicts or rejects keypoints, and the memory that they share."""
