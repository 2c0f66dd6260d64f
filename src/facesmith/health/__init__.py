"""The doctor: what is wrong with a run, by its records; without torch."""
