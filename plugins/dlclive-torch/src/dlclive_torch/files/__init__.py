"""Reading DeepLabCut's `.pt` files without running anything that is in them."""
