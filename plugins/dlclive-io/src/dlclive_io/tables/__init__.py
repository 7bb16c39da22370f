"""DeepLabCut tables and tables of timestamps, written row by row."""
