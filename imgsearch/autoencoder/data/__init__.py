"""Batches of training images: augmentation, labels, residence in memory."""
