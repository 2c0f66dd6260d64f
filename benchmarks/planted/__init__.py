"""Training runs whose fault is known, because it was planted, and runs that have none."""
