"""Train an autoencoder: the order of a training, to be read from top to bottom. The operations are those of `Run`."""

import logging
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from imgsearch.autoencoder.card import ModelCard
from imgsearch.autoencoder.config import TrainConfig, TrainProgress
from imgsearch.autoencoder.data.batches import Examples, as_examples
from imgsearch.autoencoder.networks.base import Autoencoder, FittedAutoencoder
from imgsearch.autoencoder.objectives.registry import Objective
from imgsearch.autoencoder.pretraining.pretrain import check_pretraining
from imgsearch.autoencoder.training.inputs import StartingPoint, TrainingData
from imgsearch.autoencoder.training.run import Run
from imgsearch.device import DeviceChoice, pick_device
from imgsearch.errors import Hint, ModelError
from imgsearch.linear import BLOCK_ROWS, Components, components_of, moments, principal_components
from imgsearch.paths import IndexPaths, exclusive

FEWEST_IMAGES = 16
PROGRESS_SECONDS, SAVE_SECONDS = 0.5, 30.0  # between two reports, and between two saved states

logger = logging.getLogger(__name__)


def train(
    examples: Examples,
    rows: NDArray[np.int64],
    paths: IndexPaths,
    config: TrainConfig | None = None,
    *,
    labels: NDArray[np.int64] | None = None,
    init_from: Path | None = None,
    resume: bool = True,
    into: Path | None = None,
    device: DeviceChoice | None = None,
    on_progress: Callable[[TrainProgress], None] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> ModelCard:
    """Train an autoencoder on `examples[rows]` and save the best checkpoint.

    When `stop()` becomes true, or at Ctrl-C, the best checkpoint so far is saved and the run can be resumed; after a
    `kill -9` it can be resumed, too, from the state saved last.

    Args:
        examples: thumbnails (n, 32, 32, 3) uint8, usually the corpus's memory map, or vectors (n, d): uint8, of which
            255 stands for 1, or float32.
        rows: (m,) rows of the examples to train on.
        paths: the index directory; `paths.training` keeps the state of an unfinished run.
        config: see `recipes` for configurations that suit a network.
        labels: (n,) class numbers, -1 for none; used only by objectives that learn from labels.
        init_from: folder of a checkpoint to fine-tune; None trains a new network.
        resume: continue an interrupted run with the same examples and settings, whatever it started from. The card's
            `note` says whether it did, or why it could not.
        into: folder for the checkpoint; None for `paths.model`.
        device: where to compute; None for the best there is.
        on_progress: called about twice a second.
        stop: polled before every step.

    Returns:
        the card of the checkpoint.

    Raises:
        ModelError: too few images, a configuration that does not suit them, a loss that became NaN or infinite, or a
            checkpoint that cannot be fine-tuned.
        IndexDirectoryError: the index directory cannot be written, or another process is training in it.
    """
    config, device, into = config or TrainConfig(), device or pick_device(), into or paths.model
    if len(rows) < FEWEST_IMAGES:
        message = f"training needs at least {FEWEST_IMAGES} images, here are {len(rows)}."
        raise ModelError(message, hint=Hint.ADD_IMAGES)
    with exclusive(paths.training, "training"):
        logger.info(device.reason)
        objective = Objective(config)
        data = TrainingData.split(examples, rows, labels if objective.needs_labels else None, config, device.device)
        start = StartingPoint.of(config, init_from, device.device)
        check_examples(start.network, examples)
        objective.check(start.network, data.n_classes)
        check_pretraining(start.network, config, is_fresh=init_from is None)
        run = Run(start, objective, data, config, device, paths.training, on_progress)
        run.begin(resume=resume)
        if isinstance(run.network, FittedAutoencoder):
            return fit(run, run.network, into)

        report_timer, save_timer = Timer(PROGRESS_SECONDS), Timer(SAVE_SECONDS)
        try:
            run.pretrain(stop)
            if run.is_fine_tuning and run.position.step == 0:
                run.validate()  # the loss to improve on
            run.tick()
            while run.fraction < 1 and not stop():
                parts = run.step()
                if report_timer.is_due() or run.position.step == 1:
                    run.report(parts)
                if run.validation_is_due():
                    run.validate()
                if save_timer.is_due() and math.isfinite(parts["loss"].item()):
                    run.save()
                run.tick()
            if run.position.step == 0:
                raise ModelError("training was stopped before its first step; nothing was made.")
            if run.fraction < 1:
                run.save()  # before the validation, so that the run continues as if it had never been stopped
            run.validate()
        except FloatingPointError as error:
            run.discard()  # the weights are beyond repair
            if run.best.weights:
                run.note = "The loss became NaN or infinite: these are the best weights before that."
                run.install(into)
            raise ModelError(diverged(config)) from error
        except KeyboardInterrupt:
            if not run.best.weights:  # before the first validation, perhaps in the middle of a step
                raise

        card = run.install(into)
        if run.fraction >= 1:
            run.discard()
        return card


def fit(run: Run, network: FittedAutoencoder, into: Path) -> ModelCard:
    """Fit a network that has a formula for its weights, and save it as a checkpoint."""
    found = example_components(run.data.examples, run.data.training_rows, network.code_size)
    network.fit(torch.from_numpy(found.mean), torch.from_numpy(found.directions))
    run.position.step, run.position.images_seen, run.fraction = 1, len(run.data.training_rows), 1.0
    run.validate()
    return run.install(into)


def example_components(examples: Examples, rows: NDArray[np.int64], k: int) -> Components:
    """Return the first k principal components of `examples[rows]` as networks see them, read block by block."""

    def flat(chosen: NDArray[np.int64]) -> NDArray[np.float32]:
        return as_examples(examples[chosen], torch.device("cpu")).flatten(1).numpy()

    if len(rows) < math.prod(examples.shape[1:]):
        return principal_components(flat(rows), k)
    return components_of(
        moments(flat(rows[start : start + BLOCK_ROWS]) for start in range(0, len(rows), BLOCK_ROWS)), k
    )


class Timer:
    """Says at most every so many seconds that something is due."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._last = seconds, time.monotonic()

    def is_due(self) -> bool:
        """Whether the time is over; if so, it starts again."""
        now = time.monotonic()
        if now - self._last < self._seconds:
            return False
        self._last = now
        return True


def check_examples(network: Autoencoder, examples: Examples) -> None:
    """Refuse examples of another shape than the network takes.

    Raises:
        ModelError: with both shapes.
    """
    shape = examples.shape[1:]
    shape = (shape[-1], *shape[:-1]) if len(shape) == 3 else shape
    if shape != network.example_shape:
        takes, are = ("×".join(map(str, each)) for each in (network.example_shape, shape))
        raise ModelError(f"this network takes examples of {takes} values, and these are of {are}.")


def diverged(config: TrainConfig) -> str:
    """Return the message for a loss that became NaN or infinite."""
    return (
        "the loss became NaN or infinite: the learning rates are too high for these images. Lower them: try "
        f"matrix_rate {config.matrix_rate / 3:.1g} and learning_rate {config.learning_rate / 3:.1g}."
    )
