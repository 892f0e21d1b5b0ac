"""Which stage of a training a share of its budget lies in, and how fast it learns there. Arithmetic only."""

import math


def stage(fraction: float, decoder_share: float) -> tuple[bool, float]:
    """Whether a share of the budget lies in the last stage, and how much of its own stage it is, 0..1."""
    everything = 1 - decoder_share
    if fraction < everything:
        return False, fraction / everything
    return True, (fraction - everything) / decoder_share


def rate_share(fraction: float, warmup: float) -> float:
    """The learning rate's share of its peak: a linear rise, then a cosine to a hundredth."""
    if fraction < warmup:
        return max(fraction / warmup, 0.01)
    return max(0.5 * (1 + math.cos(math.pi * (fraction - warmup) / (1 - warmup))), 0.01)
