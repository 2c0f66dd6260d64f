"""How far generated images are from real ones."""
