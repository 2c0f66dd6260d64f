"""What can be wrong with training images: measured, compared, and judged by rules."""
