"""What is optimised: losses of logits, penalties of a pass."""
