"""Puts kept frames into DeepLabCut projects."""
