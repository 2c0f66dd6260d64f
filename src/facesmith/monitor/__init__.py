"""The doctor in somebody else's training loop."""
