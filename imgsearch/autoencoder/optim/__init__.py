"""Optimisers, the budget of a training, and its learning rates."""
