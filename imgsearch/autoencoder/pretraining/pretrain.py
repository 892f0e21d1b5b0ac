"""Pre-training: the layers of a dense network learn alone, one after another, before all learn together.

Knows the order of the layers and their budget; must not know how a layer learns, what the training after it does, or
files.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import torch
from torch import Tensor

from imgsearch.autoencoder.config import TrainConfig, TrainProgress
from imgsearch.autoencoder.data.batches import BatchSource, as_floats, batches_from
from imgsearch.autoencoder.networks.base import Autoencoder
from imgsearch.autoencoder.networks.dense import DenseAutoencoder
from imgsearch.autoencoder.optim.schedule import Budget
from imgsearch.autoencoder.pretraining.layerwise import AutoencoderLayer, LayerLearner, MachineLayer
from imgsearch.device import DeviceChoice
from imgsearch.errors import ModelError

LEARNERS: dict[str, Callable[[DenseAutoencoder, int, torch.Generator], LayerLearner]] = {
    "rbm": MachineLayer,
    "layerwise": AutoencoderLayer,
}
BATCH_SIZE = 128  # examples a step, as in 2011; the training after it may take more
PROGRESS_SECONDS = 0.5
RECENT = 0.02  # weight of the latest step in the error that is told: the mean of about the last fifty


def check_pretraining(network: Autoencoder, config: TrainConfig, *, is_fresh: bool) -> None:
    """Refuse what cannot be pre-trained.

    Raises:
        ModelError: layers that are not fully connected or have learned before, or units that no machine here has.
    """
    if not config.pretrain:
        return
    if not isinstance(network, DenseAutoencoder):
        raise ModelError("only a dense network can be pre-trained layer by layer. Use --network dense.")
    if not is_fresh:
        raise ModelError("pre-training would overwrite what the checkpoint has learned. Train from scratch.")
    if config.pretrain == "rbm" and network.config.activation != "sigmoid":
        raise ModelError("restricted Boltzmann machines have sigmoid units. Use --activation sigmoid.")
    if config.pretrain == "rbm" and network.config.output == "softmax":
        raise ModelError("no restricted Boltzmann machine here has units for words. Pre-train layerwise.")


def pretrain(
    network: Autoencoder,
    source: BatchSource,
    config: TrainConfig,
    device: DeviceChoice,
    *,
    budget: Budget,
    on_progress: Callable[[TrainProgress], None] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> list[dict[str, Any]]:
    """Let each layer learn alone, by `config.pretrain`; the network's weights change in place.

    For a budget in epochs every layer is given `config.pretrain_share` of them, at least one; for one in time all
    layers together get `seconds`, divided so that each sees about as many examples. Layers that are not reached before
    `stop()` stay as they were.

    Returns:
        for each layer {"layer": "784-1000", "examples", "seconds", "first_error", "error"}: the mean squared error per
        value of what the layer sees and reconstructs, in its first step and over its last ones.

    Raises:
        ModelError: an error that is no number, or vectors that are not in 0..1, which machines need.
    """
    assert isinstance(network, DenseAutoencoder)
    generator = torch.Generator(device.device).manual_seed(config.seed)
    steps = passes(config) * source.batches_per_epoch
    reports: list[dict[str, Any]] = []
    began = time.monotonic()
    for number, (start, end) in enumerate(pairwise(accumulate(work_shares(network.config.sizes), initial=0.0))):
        learner = LEARNERS[config.pretrain](network, number, generator)
        learned, told = Learned("{}-{}".format(*network.config.sizes[number : number + 2])), -math.inf
        for share in learned.run(learner, source, steps, (end - start) * budget.pretraining_seconds, device):
            if stop():
                return reports
            now = time.monotonic()
            if on_progress and learned.batches and now - told >= PROGRESS_SECONDS:
                told = now
                doing = f"pre-training layer {number + 1} of {len(network.layers)}, {learned.layer}"
                fraction = budget.pretraining_share * (start + (end - start) * share)
                on_progress(learned.progress(doing, fraction, now - began, budget))
        learner.unroll()
        reports.append(learned.report())
    return reports


def passes(config: TrainConfig) -> int:
    """Over the examples, for each layer; 0 for a budget in time."""
    return max(1, round(config.pretrain_share * config.epochs)) if config.epochs else 0


def work_shares(sizes: tuple[int, ...]) -> list[float]:
    """The share of the time with which each layer sees as many examples as the others, adding up to 1.

    For each example a layer's own weights are multiplied five times, those of the layers below it once.
    """
    weights = [into * out for into, out in pairwise(sizes)]
    work = [5 * own + below for own, below in zip(weights, accumulate(weights, initial=0), strict=False)]
    return [part / sum(work) for part in work]


@dataclass
class Learned:
    """How far one layer has come."""

    layer: str  # such as "784-1000"
    examples: int = 0
    batches: int = 0  # of the feed
    seconds: float = 0.0
    first_error: float = math.nan
    error: Tensor | float = math.nan  # the mean over the latest steps; a tensor, so that a GPU need not be waited for

    def run(
        self, learner: LayerLearner, source: BatchSource, batches: int, seconds: float, device: DeviceChoice
    ) -> Iterator[float]:
        """Learn for that many batches, or for that many seconds where it is 0; yields the share done before each."""
        began, share = time.monotonic(), 0.0
        for stored in batches_from(source, 0):
            yield share
            for examples in as_floats(stored).split(BATCH_SIZE):  # type: ignore[no-untyped-call]  # torch leaves it untyped
                with device.autocast():
                    error = learner.step(examples, share)
                if not self.examples:
                    self.first_error, self.error = error.item(), error
                self.error = self.error + RECENT * (error - self.error)
                self.examples += len(examples)
            self.batches += 1
            self.seconds = time.monotonic() - began
            share = self.batches / batches if batches else self.seconds / seconds
            if share >= 1:
                return

    def report(self) -> dict[str, Any]:
        """For the model card.

        Raises:
            ModelError: the error is no number.
        """
        error = float(self.error)
        if not math.isfinite(error):
            raise ModelError(f"pre-training of layer {self.layer} came to no numbers. Train without --pretrain.")
        return {
            "layer": self.layer,
            "examples": self.examples,
            "seconds": round(self.seconds, 1),
            "first_error": self.first_error,
            "error": error,
        }

    def progress(self, doing: str, share: float, elapsed: float, budget: Budget) -> TrainProgress:
        """Return the progress of a training that is at this layer: `share` of its budget after `elapsed` seconds."""
        error = float(self.error)
        return TrainProgress(
            doing=doing,
            fraction=share,
            epoch=1,
            step=self.batches,
            loss=error,
            parts={"reconstruction": error},
            images_per_second=self.examples / max(self.seconds, 1e-9),
            seconds_left=budget.seconds_left(share, elapsed),
        )
