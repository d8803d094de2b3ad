"""Frozen encoders of images, pretrained ones among them, and the cache of their features."""
