"""DeepLabCut's tables and tables of frame times, written row by row."""
