"""One photo becomes training images, or a reason why not."""
