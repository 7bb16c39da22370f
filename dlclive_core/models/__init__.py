"""Models: how they are loaded, and how a network's arrays become poses."""
