"""Many photos become a dataset folder: in parallel, resumable, whole or not there."""
