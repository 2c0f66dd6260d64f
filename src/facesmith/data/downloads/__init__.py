"""Data sets by name: fetched once, continued, checked before they get their name."""
