"""Rows become codes: networks, objectives, training, checkpoints, encoding."""
