"""COCO's JSON for keypoints."""
