"""The training loop, its resumable state, and the post-processing of a trained network."""
