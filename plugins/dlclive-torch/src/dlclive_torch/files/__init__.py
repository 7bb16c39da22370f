"""Read DeepLabCut's `.pt` files without executing any of their content."""
