"""Backbones: from an image to a feature map. `table.BACKBONES` lists them."""
