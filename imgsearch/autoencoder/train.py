"""Training: the one long function of the project, to be read from top to bottom.

Knows the rows it is given, the objectives and the schedule; must not know the corpus's files or the index.
"""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from imgsearch.autoencoder.augment import AugmentConfig, random_views
from imgsearch.autoencoder.base import Autoencoder
from imgsearch.autoencoder.card import ModelCard
from imgsearch.autoencoder.checkpoint import load_checkpoint, save_checkpoint
from imgsearch.autoencoder.conv import ConvConfig
from imgsearch.autoencoder.encode import as_images, encode_images
from imgsearch.autoencoder.feed import batches_from, open_feed, split_rows
from imgsearch.autoencoder.muon import Muon
from imgsearch.autoencoder.networks import NetworkConfig, build_network, describe_network
from imgsearch.autoencoder.objectives import agreement_loss, make_head, reconstruction_loss
from imgsearch.autoencoder.schedule import rate_share, stage
from imgsearch.autoencoder.unfinished import Best, Position, discard, identify, load_state, save_state
from imgsearch.autoencoder.whitening import whitening
from imgsearch.device import DeviceChoice, pick_device
from imgsearch.errors import ModelError
from imgsearch.paths import IndexPaths, exclusive

FEWEST_IMAGES = 16
CHECKS = 10  # validations in a run, evenly over its budget
WHITENING_IMAGES = 16_384  # whose codes are measured for it
PROGRESS_SECONDS, SAVE_SECONDS = 0.5, 30.0
DEFAULT_MINUTES = 10.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainConfig:
    """How to train. Give `minutes` or `epochs`; neither means ten minutes."""

    minutes: float | None = None  # budget in time; earlier parts of an interrupted run count
    epochs: int | None = None  # budget in passes over the images; on a CPU the result follows from the seed
    batch_size: int = 256
    matrix_rate: float = 0.02  # learning rate of the matrices (Muon), at its peak
    learning_rate: float = 3e-3  # of all else (Adam), at its peak
    warmup: float = 0.1  # share of a stage in which the rate rises; then it falls as a cosine
    decoder_share: float = 0.1  # of the budget, at its end: only the decoder learns, from codes that stand still
    reconstruction_weight: float = 16.0
    reconstruction_share: float = 0.25  # of each batch that is decoded: pictures need fewer examples than codes
    agreement_weight: float = 1.0
    projection: int = 0  # width of the head between code and agreement; 0 = none: the codes themselves agree
    temperature: float = 0.07  # of the agreement: lower looks harder at the most similar images
    whitening: float = 0.25  # of the finished codes: 0 = none, 0.5 = all directions count alike
    validation_share: float = 0.02  # of the images: held out to choose the best checkpoint
    memory_share: float = 0.5  # of the free memory that the training set may take, else it is streamed
    seed: int = 0
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    network: NetworkConfig = field(default_factory=ConvConfig)

    def __post_init__(self) -> None:
        if self.minutes is not None and self.epochs is not None:
            raise ModelError("a training has one budget: give minutes or epochs, not both.")
        budget = self.minutes if self.epochs is None else self.epochs
        if (budget is not None and budget <= 0) or self.batch_size < 2:
            raise ModelError("minutes and epochs must be positive, the batch size at least 2.")
        if not 0 <= self.decoder_share < 1:
            raise ModelError("the decoder's own share of the budget must be at least 0 and below 1.")


@dataclass(frozen=True)
class TrainProgress:
    """Where a training stands."""

    fraction: float  # of the budget, 0..1
    epoch: int  # passes begun, from 1
    step: int
    loss: float  # of the last batch: the weighted sum of the next two
    reconstruction: float  # mean squared error per pixel value
    agreement: float  # NT-Xent in nats
    images_per_second: float
    seconds_left: float


def train(
    thumbnails: NDArray[np.uint8],
    rows: NDArray[np.int64],
    paths: IndexPaths,
    config: TrainConfig | None = None,
    *,
    start: Literal["scratch"] | Path | None = None,
    device: DeviceChoice | None = None,
    on_progress: Callable[[TrainProgress], None] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> ModelCard:
    """Train an autoencoder on `thumbnails[rows]` and put the best checkpoint into `paths.model`.

    `thumbnails` is (n, 32, 32, 3) uint8, usually the corpus's memory map. `start=None` goes on from an interrupted run
    if its images and settings are the same (the card's `note` says so, or why not), else from scratch; a path
    fine-tunes the checkpoint in that folder. When `stop()` becomes true, or at Ctrl-C, the best so far is put in place
    and the run can be gone on with; after a `kill -9` it can be, too.

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
            thumbnails, training_rows, batch_size, config.seed, device.device, memory_share=config.memory_share
        )
        validation = as_images(thumbnails[validation_rows], device.device)
        logger.info("%s %s", device.reason, feed_reason)

        # The network, from a checkpoint or from the seed, and what serves training only.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            if isinstance(start, Path):
                network, origin = load_checkpoint(start, device.device)
                description, note = origin.network, f"Fine-tuned from {start} ({origin.digest[:12]})."
            else:
                description, note = describe_network(config.network), ""
                network = build_network(description).to(device.device)
            head = make_head(network.code_size, config.projection).to(device.device)
        optimisers = make_optimisers(network, head, config, device)

        # An interrupted run, if there is one that fits.
        identity = identify(description, asdict(config), rows)
        position, best = Position(), Best()
        if start is None:
            found = load_state(paths.training, identity, device.device)
            if isinstance(found, str):
                note = found
            else:
                position, best, parts = found
                network.load_state_dict(parts["network"])
                head.load_state_dict(parts["head"])
                for optimiser, state in zip(optimisers, parts["optimisers"], strict=True):
                    optimiser.load_state_dict(state)
                note = f"Went on from step {position.step:,} of an interrupted run."
        if position.step == 0:
            discard(paths.training)
        if note:
            logger.info(note)

        def save() -> None:
            parts = {
                "network": network.state_dict(),
                "head": head.state_dict(),
                "optimisers": [optimiser.state_dict() for optimiser in optimisers],
            }
            save_state(paths.training, identity, position, best, parts)

        def check() -> None:
            """Validate; keep the weights if they are the best so far."""
            metrics = validate(network, head, validation, config, device)
            if not math.isfinite(metrics["loss"]):
                raise FloatingPointError
            if metrics["loss"] < best.loss:
                best.loss, best.metrics, best.position = metrics["loss"], metrics, asdict(position)
                best.weights = {name: value.detach().clone() for name, value in network.state_dict().items()}

        def install(best: Best, note: str) -> ModelCard:
            """Whiten the best network's codes and make it the model."""
            network.load_state_dict(best.weights)
            network.eval()
            sample = np.sort(np.random.default_rng(config.seed).permutation(training_rows)[:WHITENING_IMAGES])
            codes = encode_images(network, thumbnails[sample], device)
            network.change_basis(*whitening(torch.from_numpy(codes), config.whitening))
            return save_checkpoint(
                paths.model,
                network.state_dict(),
                network=description,
                training=asdict(config) | {"images": len(training_rows), "finished": fraction >= 1},
                metrics=best.metrics,
                code_size=network.code_size,
                steps=best.position["step"],
                images_seen=best.position["images_seen"],
                seconds=round(position.seconds, 1),
                device=device.reason,
                note=note,
            )

        # The steps. Every step seeds its own draws, so a resumed run draws what an uninterrupted one would have.
        steps_in_budget = (config.epochs or 0) * feed.batches_per_epoch
        budget_seconds = 60 * (config.minutes or DEFAULT_MINUTES)
        generator = torch.Generator(device.device)
        batches = batches_from(feed, position.step)
        seen_before, seconds_before = position.images_seen, position.seconds
        began = told = saved = time.monotonic()
        fraction = 0.0
        try:
            while True:
                now = time.monotonic()
                position.seconds = seconds_before + now - began
                fraction = position.step / steps_in_budget if config.epochs else position.seconds / budget_seconds
                if fraction >= 1 or stop():
                    break
                finishing, stage_fraction = stage(fraction, config.decoder_share)
                for group in (group for optimiser in optimisers for group in optimiser.param_groups):
                    group["lr"] = group["peak"] * rate_share(stage_fraction, config.warmup)

                generator.manual_seed(config.seed * 1_000_003 + position.step)
                images = next(batches).float().div_(255)  # (b, 3, 32, 32)
                with torch.autocast(device.device.type, device.dtype, enabled=device.dtype != torch.float32):
                    if finishing:
                        loss, reconstruction, agreement = decoder_objective(network, images, config)
                    else:
                        views = [random_views(images, config.augment, generator) for _ in range(2)]
                        loss, reconstruction, agreement = objective(network, head, torch.cat(views), config)
                for optimiser in optimisers:
                    optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
                for optimiser in optimisers:
                    optimiser.step()
                position.step += 1
                position.images_seen += len(images)

                if now - told >= PROGRESS_SECONDS or position.step == 1:
                    told = now
                    if not math.isfinite(loss.item()):
                        raise FloatingPointError
                    if on_progress:
                        session = max(time.monotonic() - began, 1e-9)
                        progress = TrainProgress(
                            fraction=fraction,
                            epoch=(position.step - 1) // feed.batches_per_epoch + 1,
                            step=position.step,
                            loss=loss.item(),
                            reconstruction=reconstruction.item(),
                            agreement=agreement.item(),
                            images_per_second=(position.images_seen - seen_before) / session,
                            seconds_left=seconds_left(fraction, position, config, budget_seconds),
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

        # The end: the best, its codes whitened, becomes the model; an unfinished run stays beside it.
        card = install(best, note)
        if fraction >= 1:
            discard(paths.training)
        return card


# ----------------------------------------------------------------------------------------------------------------------
# The parts of train().


def make_optimisers(
    network: Autoencoder, head: nn.Module, config: TrainConfig, device: DeviceChoice
) -> list[torch.optim.Optimizer]:
    """Muon for the encoder's and the head's matrices, Adam for the rest. Each group remembers its `peak` rate.

    The first layer sees pixels and is left to Adam, as the method advises; so is the decoder, whose large matrices
    would cost more time than they repay.
    """
    named = [*network.named_parameters(), *head.named_parameters(prefix="head")]
    first = next(parameter for _, parameter in named)
    matrices = [p for name, p in named if p.ndim > 1 and p is not first and not name.startswith("decoder.")]
    chosen = {id(parameter) for parameter in matrices}
    others = [parameter for _, parameter in named if id(parameter) not in chosen]
    fused = device.device.type in ("cpu", "cuda")
    optimisers = [
        Muon(matrices, config.matrix_rate),
        torch.optim.Adam(others, config.learning_rate, betas=(0.9, 0.95), fused=fused),
    ]
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["peak"] = group["lr"]
    return optimisers


def objective(
    network: Autoencoder, head: nn.Module, views: Tensor, config: TrainConfig
) -> tuple[Tensor, Tensor, Tensor]:
    """Loss, reconstruction and agreement, scalars. `views` (2b, 3, 32, 32) holds the first views, then their twins."""
    network.train()
    codes = network.encode(views)
    n_decoded = max(2, round(config.reconstruction_share * len(views) / 2))
    reconstruction = reconstruction_loss(network.decode(codes[:n_decoded]), views[:n_decoded])
    first, second = head(codes).chunk(2)
    agreement = agreement_loss(first, second, config.temperature)
    loss = config.reconstruction_weight * reconstruction + config.agreement_weight * agreement
    return loss, reconstruction, agreement


def decoder_objective(network: Autoencoder, images: Tensor, config: TrainConfig) -> tuple[Tensor, Tensor, Tensor]:
    """The same for the last stage: images (b, 3, 32, 32) as they are, their finished codes, and the decoder alone.

    The views' agreement pulls the codes about while the decoder learns to read them; here it reads what they became.
    """
    network.eval()
    with torch.no_grad():
        codes = network.encode(images)
    network.train()
    reconstruction = reconstruction_loss(network.decode(codes), images)
    return config.reconstruction_weight * reconstruction, reconstruction, torch.zeros(())


def validate(
    network: Autoencoder, head: nn.Module, images: Tensor, config: TrainConfig, device: DeviceChoice
) -> dict[str, float]:
    """Losses on the validation images (n, 3, 32, 32): two views that are the same ones at every call, no dropout."""
    generator = torch.Generator(device.device).manual_seed(config.seed)
    network.eval()
    head.eval()
    with torch.no_grad(), torch.autocast(device.device.type, device.dtype, enabled=device.dtype != torch.float32):
        _, decoded = network(images)
        reconstruction = reconstruction_loss(decoded.float(), images).item()
        first, second = (head(network.encode(random_views(images, config.augment, generator))) for _ in range(2))
        agreement = agreement_loss(first, second, config.temperature).item()
    network.train()
    head.train()
    loss = config.reconstruction_weight * reconstruction + config.agreement_weight * agreement
    return {"loss": loss, "reconstruction": reconstruction, "agreement": agreement}


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
