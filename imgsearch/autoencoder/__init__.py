"""Autoencoders that turn images into codes: networks, objectives, training, checkpoints, encoding.

Start with `recipes` (which configuration suits which network), `training.train` (train a model), `checkpoint` (load it)
and `encode` (compute codes).
"""
