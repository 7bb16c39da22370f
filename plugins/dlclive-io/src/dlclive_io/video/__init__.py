"""Videos and images: reading, recording, labelling."""
