"""DeepLabCut's files: configurations, and the layout of its folders."""
