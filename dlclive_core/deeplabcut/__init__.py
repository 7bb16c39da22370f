"""DeepLabCut's files: configurations, and where its models lie."""
