"""One readable loop, and what watches it."""
