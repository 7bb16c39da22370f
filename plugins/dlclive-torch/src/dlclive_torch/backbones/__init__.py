"""The networks' trunks: from an image to a map of features. `table.BACKBONES` lists them."""
