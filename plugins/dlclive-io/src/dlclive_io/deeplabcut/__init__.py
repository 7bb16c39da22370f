"""DeepLabCut's tables of every kind, as recordings: read without unpickling anything but names, and written."""
