"""Pre-training: the layers of a dense network are trained one after another, before all are trained together."""

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
from imgsearch.errors import Hint, ModelError

LEARNERS: dict[str, Callable[[DenseAutoencoder, int, torch.Generator], LayerLearner]] = {
    "rbm": MachineLayer,
    "layerwise": AutoencoderLayer,
}
BATCH_SIZE = 128  # examples a step, as in Krizhevsky & Hinton (2011); joint training may use more
PROGRESS_SECONDS = 0.5
RECENT = 0.02  # weight of the latest step in the reported error: the mean of about the last fifty


def check_pretraining(network: Autoencoder, config: TrainConfig, *, is_fresh: bool) -> None:
    """Refuse networks that cannot be pre-trained as configured.

    Raises:
        ModelError: layers that are not fully connected, that are trained already, or whose units no machine has.
    """
    if not config.pretrain:
        return
    if not isinstance(network, DenseAutoencoder):
        raise ModelError("only a dense network can be pre-trained layer by layer.")
    if not is_fresh:
        raise ModelError("pre-training would overwrite what the checkpoint has learned.", hint=Hint.TRAIN_FROM_SCRATCH)
    if config.pretrain == "rbm" and network.config.activation != "sigmoid":
        raise ModelError("restricted Boltzmann machines have sigmoid units, and this network has others.")
    if config.pretrain == "rbm" and network.config.output == "softmax":
        raise ModelError("restricted Boltzmann machines cannot model word counts here. Pre-train layerwise instead.")


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
    """Train each layer on its own, as `config.pretrain` says; the network's weights change in place.

    With a budget in epochs every layer gets `config.pretrain_share` of them, at least one. With a budget in seconds all
    layers share its pre-training part such that each sees about the same number of examples. Layers that are not
    reached before `stop()` keep their weights.

    Returns:
        for each layer {"layer": "784-1000", "examples", "seconds", "first_error", "error"}: the mean squared error per
        value of its reconstructed inputs, in its first step and averaged over its last ones.

    Raises:
        ModelError: an error that is NaN or infinite, or vectors outside 0..1 where a machine needs probabilities.
    """
    assert isinstance(network, DenseAutoencoder)
    generator = torch.Generator(device.device).manual_seed(config.seed)
    steps = passes(config) * source.batches_per_epoch
    reports: list[dict[str, Any]] = []
    began = time.monotonic()
    for number, (start, end) in enumerate(pairwise(accumulate(work_shares(network.config.sizes), initial=0.0))):
        learner = LEARNERS[config.pretrain](network, number, generator)
        layer_run, reported_at = LayerRun("{}-{}".format(*network.config.sizes[number : number + 2])), -math.inf
        for share in layer_run.run(learner, source, steps, (end - start) * budget.pretraining_seconds, device):
            if stop():
                return reports
            now = time.monotonic()
            if on_progress and layer_run.batches and now - reported_at >= PROGRESS_SECONDS:
                reported_at = now
                doing = f"pre-training layer {number + 1} of {len(network.layers)}, {layer_run.layer}"
                fraction = budget.pretraining_share * (start + (end - start) * share)
                on_progress(layer_run.progress(doing, fraction, now - began, budget))
        learner.unroll()
        reports.append(layer_run.report())
    return reports


def passes(config: TrainConfig) -> int:
    """Return the passes over the examples for each layer; 0 for a budget in time."""
    return max(1, round(config.pretrain_share * config.epochs)) if config.epochs else 0


def work_shares(sizes: tuple[int, ...]) -> list[float]:
    """Return each layer's share of the time, such that all see the same number of examples; they add up to 1.

    For each example a layer's own weights are multiplied five times, those of the layers below it once.
    """
    weights = [into * out for into, out in pairwise(sizes)]
    work = [5 * own + below for own, below in zip(weights, accumulate(weights, initial=0), strict=False)]
    return [part / sum(work) for part in work]


@dataclass
class LayerRun:
    """Training of one layer, and how far it is."""

    layer: str  # such as "784-1000"
    examples: int = 0
    batches: int = 0  # of the feed
    seconds: float = 0.0
    first_error: float = math.nan
    error: Tensor | float = math.nan  # mean over the latest steps; a tensor, so that a GPU is not waited for

    def run(
        self, learner: LayerLearner, source: BatchSource, batches: int, seconds: float, device: DeviceChoice
    ) -> Iterator[float]:
        """Train for that many batches, or for that many seconds if it is 0; yield the share done before each batch."""
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
        """Return the layer's entry in the model card.

        Raises:
            ModelError: the error is NaN or infinite.
        """
        error = float(self.error)
        if not math.isfinite(error):
            raise ModelError(f"pre-training of layer {self.layer} diverged: its error became NaN or infinite.")
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
