"""What is measured of networks, images and logits while they train."""
