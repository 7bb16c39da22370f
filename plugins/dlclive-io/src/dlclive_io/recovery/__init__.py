"""Recovery of the files of a run that was killed."""
