"""dlclive beside DeepLabCut itself: the same model files, the same frames, one table."""
