"""Photos that are decoded while they are trained on, for sets whose images would not fit the disk."""
