"""Training: the one long function of the project, to be read from top to bottom.

Knows the rows it is given, the objectives and the schedule; must not know the corpus's files or the index.
"""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from imgsearch.autoencoder.card import ModelCard
from imgsearch.autoencoder.checkpoint import load_checkpoint, save_checkpoint
from imgsearch.autoencoder.config import DEFAULT_MINUTES, TrainConfig, TrainProgress
from imgsearch.autoencoder.data.batches import Examples, as_floats, batches_from, open_feed, split_rows
from imgsearch.autoencoder.data.labelled import Labelled
from imgsearch.autoencoder.encode import as_examples
from imgsearch.autoencoder.networks.base import Autoencoder, FittedAutoencoder
from imgsearch.autoencoder.networks.registry import build_network, describe_network
from imgsearch.autoencoder.objectives.labelled import new_classifier
from imgsearch.autoencoder.objectives.unsupervised import (
    AGREE,
    LABELLED_TERMS,
    Batch,
    check_objective,
    last_objective,
    objective,
    validate,
)
from imgsearch.autoencoder.optim.optimisers import optimisers_of
from imgsearch.autoencoder.optim.schedule import rate_share, stage
from imgsearch.autoencoder.pretraining.pretrain import check_pretraining, pretrain
from imgsearch.autoencoder.training.moments import leading_components
from imgsearch.autoencoder.training.postprocess import finish
from imgsearch.autoencoder.training.run_state import SCRATCH, Best, Position, discard, identify, load_state, save_state
from imgsearch.device import DeviceChoice, pick_device
from imgsearch.errors import ModelError
from imgsearch.paths import IndexPaths, exclusive

FEWEST_IMAGES = 16
CHECKS = 10  # validations in a run, evenly over its budget
PROGRESS_SECONDS, SAVE_SECONDS = 0.5, 30.0
FIRST_SEEN = 4096  # labelled examples of which a classifier's first directions are made

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
    """Train an autoencoder on `examples[rows]` and put the best checkpoint into `into` (default: `paths.model`).

    `examples` are thumbnails (n, 32, 32, 3) uint8, usually the corpus's memory map, or vectors (n, d): uint8, of which
    255 is 1, or float32. `labels` (n,) are -1 where there is none; only objectives that learn from labels look at them.

    With `init_from`, a folder, the checkpoint there is fine-tuned; without, training starts from scratch. With `resume`
    an interrupted run with the same examples and settings is continued instead, whatever it began with (the card's
    `note` says so, or why not). When `stop()` becomes true, or at Ctrl-C, the best so far is put in place and the run
    can be gone on with; after a `kill -9` it can be, too.

    Raises:
        ModelError: too few images, a loss that is no number, or a checkpoint to start from that cannot be used.
        IndexDirectoryError: the index directory cannot be written, or another process is training in it.
    """
    config = config or TrainConfig()
    device = device or pick_device()
    if len(rows) < FEWEST_IMAGES:
        raise ModelError(f"training needs at least {FEWEST_IMAGES} images, here are {len(rows)}. Add or crawl more.")
    with exclusive(paths.training, "training"):
        # The images: some held out to choose the best checkpoint, the others fed in batches.
        training_rows, validation_rows = split_rows(rows, config.validation_share, config.seed)
        batch_size = min(config.batch_size, len(training_rows))
        feed, feed_reason = open_feed(
            examples, training_rows, batch_size, config.seed, device.device, memory_share=config.memory_share
        )
        generator = torch.Generator(device.device)
        asked = labels if LABELLED_TERMS & dict(config.objective).keys() else None
        labelled, judging = Labelled.split(examples, training_rows, validation_rows, asked)
        n_classes = max(labelled.n_classes, judging.n_classes)
        validation = Batch(
            as_examples(examples[validation_rows], device.device),
            torch.Generator(device.device),
            *judging.everything(device.device),
        )
        logger.info("%s %s", device.reason, feed_reason)

        # The network, from a checkpoint or from the seed.
        if init_from is not None:
            network, origin = load_checkpoint(init_from, device.device)
            description, begun = origin.network, origin.digest
            note = f"Fine-tuned from model {origin.digest[:12]}."
        else:
            description, begun, note = describe_network(config.network), SCRATCH, ""
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(config.seed)
                network = build_network(description).to(device.device)

        check_fit(network, examples)
        check_objective(network, config, n_classes=n_classes)
        check_pretraining(network, config, is_fresh=init_from is None)
        if "classify" in dict(config.objective):
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(config.seed)
                generator.manual_seed(config.seed)
                network.classifier = new_classifier(network, *labelled.draw(FIRST_SEEN, generator), n_classes)

        # An interrupted run, if there is one that fits.
        identity = identify(description, asdict(config), rows, asked)
        position, best, states = Position(begun=begun), Best(), []
        if resume:
            found = load_state(paths.training, identity, device.device)
            if isinstance(found, str):
                note = f"{found} {note}".strip()
            else:
                position, best, parts = found
                network.load_state_dict(parts["network"])
                states = parts["optimisers"]
                note = f"Went on from step {position.step:,} of an interrupted run."
        scale = 1.0 if position.begun == SCRATCH else config.fine_tuning  # of the learning rates
        optimisers = optimisers_of(position.last_stage)(network, config, device, scale)
        for optimiser, state in zip(optimisers, states, strict=bool(states)):
            optimiser.load_state_dict(state)
        if not states:
            discard(paths.training)
        if note:
            logger.info(note)

        def save() -> None:
            states = [optimiser.state_dict() for optimiser in optimisers]
            save_state(
                paths.training, identity, position, best, {"network": network.state_dict(), "optimisers": states}
            )

        def check() -> None:
            """Validate; keep the weights if they are the best so far."""
            metrics = validate(network, validation, config, device)
            if not math.isfinite(metrics["loss"]):
                raise FloatingPointError
            if metrics["loss"] < best.loss:
                best.loss, best.metrics, best.position = metrics["loss"], metrics, asdict(position)
                best.weights = {name: value.detach().clone() for name, value in network.state_dict().items()}

        def install(best: Best, note: str) -> ModelCard:
            """Finish the best network and make it the model."""
            if on_progress and progress:
                on_progress(
                    replace(progress, fraction=fraction, seconds_left=0.0, doing="whitening codes, making bits")
                )
            network.load_state_dict(best.weights)
            network.classifier = None
            finish(network, examples, training_rows, config, device)
            return save_checkpoint(
                into or paths.model,
                network.state_dict(),
                network=description,
                training=asdict(config)
                | {
                    "images": len(training_rows),
                    "finished": fraction >= 1,
                    "from": position.begun,
                    "pretraining": position.pretraining,
                },
                metrics=best.metrics,
                metric=network.metric,
                code_size=network.code_size,
                steps=best.position["step"],
                images_seen=best.position["images_seen"],
                seconds=round(position.seconds, 1),
                device=device.reason,
                note=note,
            )

        # The steps. Every step seeds its own draws, so a resumed run draws what an uninterrupted one would have.
        alone = config.pretrain_share if config.pretrain else 0.0  # of the budget: layers learn one by one
        steps_in_budget = max(1, round((1 - alone) * (config.epochs or 0) * feed.batches_per_epoch))
        budget_seconds = 60 * (config.minutes or DEFAULT_MINUTES)
        batches = batches_from(feed, position.step)
        seen_before, seconds_before = position.images_seen, position.seconds
        began = told = saved = time.monotonic()
        fraction, progress = float(isinstance(network, FittedAutoencoder)), None
        try:
            if isinstance(network, FittedAutoencoder):
                network.fit(*leading_components(examples, training_rows, network.code_size))
                position.step, position.images_seen = 1, len(training_rows)
            if config.pretrain and not position.pretraining:
                position.pretraining = pretrain(
                    network, feed, config, device, seconds=alone * budget_seconds, on_progress=on_progress, stop=stop
                )
                position.seconds = seconds_before + time.monotonic() - began
                if not stop():
                    save()  # so that it need not be done again
            if position.begun != SCRATCH and position.step == 0:
                check()  # what must be bettered
            seconds_alone = sum(layer["seconds"] for layer in position.pretraining)
            first_step = time.monotonic()
            while not isinstance(network, FittedAutoencoder):
                now = time.monotonic()
                position.seconds = seconds_before + now - began
                seconds_together = position.seconds - seconds_alone
                together = steps_in_budget if config.epochs else (1 - alone) * budget_seconds
                fraction = (position.step if config.epochs else seconds_together) / together
                if fraction >= 1 or stop():
                    break
                last_stage, stage_fraction = stage(fraction, config.decoder_share)
                if last_stage != position.last_stage:
                    position.last_stage = last_stage
                    if AGREE not in dict(config.objective):
                        best.loss = math.inf  # that loss does not see the decoder: the best has one that has learned
                    optimisers = optimisers_of(last_stage)(network, config, device, scale)
                for group in (group for optimiser in optimisers for group in optimiser.param_groups):
                    group["lr"] = group["peak"] * rate_share(stage_fraction, config.warmup)

                generator.manual_seed(config.seed * 1_000_003 + position.step)
                stored = next(batches)
                drawn = labelled.draw(batch_size, generator) if len(labelled) else (None, None)
                batch = Batch(as_floats(stored), generator, *drawn)
                with torch.autocast(device.device.type, device.dtype, enabled=device.dtype != torch.float32):
                    parts = (last_objective if last_stage else objective)(network, batch, config)
                loss = parts.pop("loss")
                for optimiser in optimisers:
                    optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
                for optimiser in optimisers:
                    optimiser.step()
                position.step += 1
                position.images_seen += len(stored)

                if now - told >= PROGRESS_SECONDS or position.step == 1:
                    told = now
                    if not math.isfinite(loss.item()):
                        raise FloatingPointError
                    if on_progress:
                        session = max(time.monotonic() - first_step, 1e-9)
                        done = alone + (1 - alone) * fraction
                        progress = TrainProgress(
                            doing="learning to decode" if last_stage else "learning codes",
                            fraction=done,
                            epoch=(position.step - 1) // feed.batches_per_epoch + 1,
                            step=position.step,
                            loss=loss.item(),
                            parts={name: value.item() for name, value in parts.items()},
                            images_per_second=(position.images_seen - seen_before) / session,
                            seconds_left=seconds_left(done, position, config, budget_seconds),
                        )
                        on_progress(progress)
                if fraction * CHECKS >= position.checks + 1:
                    position.checks = int(fraction * CHECKS)
                    check()
                if now - saved >= SAVE_SECONDS and math.isfinite(loss.item()):
                    saved = now
                    save()
            if position.step == 0:
                raise ModelError("training was stopped before its first step; nothing was made.")
            if fraction < 1:
                save()  # before the check, so that the run goes on as if it had never been stopped
            check()
        except FloatingPointError as error:
            discard(paths.training)  # from here every step would be as bad
            if best.weights:
                install(best, "The loss ceased to be a number: these are the best weights before that.")
            raise ModelError(no_number(config)) from error
        except KeyboardInterrupt:
            if not best.weights:  # before the first check, and perhaps amid a step: not to be saved as a state
                raise

        # The end: the best, finished, becomes the model; an unfinished run stays beside it.
        card = install(best, note)
        if fraction >= 1:
            discard(paths.training)
        return card


def check_fit(network: Autoencoder, examples: Examples) -> None:
    """Refuse examples that the network does not take.

    Raises:
        ModelError: with both shapes.
    """
    shape = examples.shape[1:]
    shape = (shape[-1], *shape[:-1]) if len(shape) == 3 else shape
    if shape != network.example_shape:
        takes, are = ("×".join(map(str, each)) for each in (network.example_shape, shape))
        raise ModelError(f"this network takes examples of {takes} values, and these are of {are}.")


def seconds_left(fraction: float, position: Position, config: TrainConfig, budget_seconds: float) -> float:
    """Exact for a budget in minutes, by the pace so far for one in epochs."""
    if config.epochs is None:
        return max(0.0, budget_seconds - position.seconds)
    return position.seconds * (1 - fraction) / max(fraction, 1e-9)


def no_number(config: TrainConfig) -> str:
    """What to say when the loss is NaN or infinite."""
    return (
        "the loss is no longer a number: the learning rates are too high for these images. Lower them: try matrix_rate "
        f"{config.matrix_rate / 3:.1g} and learning_rate {config.learning_rate / 3:.1g}."
    )
