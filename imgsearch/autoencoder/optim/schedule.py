"""Schedule of a training: how much of its budget is spent, which phase that is, and the learning rate there."""

import math
from dataclasses import dataclass

from imgsearch.autoencoder.config import DEFAULT_MINUTES, TrainConfig


@dataclass(frozen=True)
class Budget:
    """Length of a training in seconds or in steps; pre-training takes a share of it, at its beginning."""

    seconds: float | None  # None for a budget in steps
    steps: int  # of joint training, after pre-training; 0 for a budget in seconds
    pretraining_share: float = 0.0

    @classmethod
    def of(cls, config: TrainConfig, batches_per_epoch: int) -> "Budget":
        """Return the budget of a configuration; one in epochs has at least one step."""
        share = config.pretrain_share if config.pretrain else 0.0
        if config.epochs:
            return cls(None, max(1, round((1 - share) * config.epochs * batches_per_epoch)), share)
        return cls(60 * (config.minutes or DEFAULT_MINUTES), 0, share)

    @property
    def pretraining_seconds(self) -> float:
        """The part of a budget in seconds that pre-training takes; 0 for one in steps."""
        return self.pretraining_share * (self.seconds or 0.0)

    def fraction(self, steps: int, seconds: float) -> float:
        """Return the spent share of joint training, from the steps and seconds that it took so far."""
        if self.seconds is None:
            return steps / self.steps
        return seconds / (self.seconds - self.pretraining_seconds)

    def of_whole(self, fraction: float) -> float:
        """Return the spent share of the whole budget, from the spent share of joint training."""
        return self.pretraining_share + (1 - self.pretraining_share) * fraction

    def seconds_left(self, share: float, seconds: float) -> float:
        """Return how long the rest takes, after a share of the whole budget and that many seconds.

        Exact for a budget in seconds; for one in steps the pace so far is extrapolated.
        """
        if self.seconds is None:
            return seconds * (1 - share) / max(share, 1e-9)
        return max(0.0, self.seconds - seconds)


def phase(fraction: float, decoder_share: float) -> tuple[bool, float]:
    """Return whether a share of the budget lies in the decoder phase, and the share of its own phase, 0..1."""
    before = 1 - decoder_share
    if fraction < before:
        return False, fraction / before
    return True, (fraction - before) / decoder_share


def rate_share(fraction: float, warmup: float) -> float:
    """Return the learning rate as a share of its peak: a linear rise, then a cosine, at least a hundredth."""
    if fraction < warmup:
        return max(fraction / warmup, 0.01)
    return max(0.5 * (1 + math.cos(math.pi * (fraction - warmup) / (1 - warmup))), 0.01)
