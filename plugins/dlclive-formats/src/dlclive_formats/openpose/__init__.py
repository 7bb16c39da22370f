"""OpenPose's folders of JSON files."""
