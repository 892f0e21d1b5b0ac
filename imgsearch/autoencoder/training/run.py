"""One training run: what changes from step to step, and the operations on it that `train` puts in order."""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import torch

from imgsearch.autoencoder.card import ModelCard
from imgsearch.autoencoder.checkpoint import save_checkpoint
from imgsearch.autoencoder.config import TrainConfig, TrainProgress
from imgsearch.autoencoder.data.batches import as_floats, batches_from
from imgsearch.autoencoder.objectives.base import Batch, Parts
from imgsearch.autoencoder.objectives.registry import Objective
from imgsearch.autoencoder.optim.optimisers import make_optimisers
from imgsearch.autoencoder.optim.schedule import Budget, phase, rate_share
from imgsearch.autoencoder.pretraining.pretrain import pretrain
from imgsearch.autoencoder.training.inputs import StartingPoint, TrainingData
from imgsearch.autoencoder.training.postprocess import postprocess
from imgsearch.autoencoder.training.run_state import SCRATCH, Best, Position, discard, identify, load_state, save_state
from imgsearch.device import DeviceChoice

VALIDATIONS = 10  # in a run, spread evenly over its budget
HEAD_EXAMPLES = 4096  # labelled examples from which heads are initialised

logger = logging.getLogger(__name__)


class Run:
    """A training between two of its steps. All of it that matters can be saved and resumed, bit for bit."""

    def __init__(
        self,
        start: StartingPoint,
        objective: Objective,
        data: TrainingData,
        config: TrainConfig,
        device: DeviceChoice,
        folder: Path,
        on_progress: Callable[[TrainProgress], None] | None = None,
    ) -> None:
        self.network, self.description = start.network, start.description
        self.objective, self.data, self.config, self.device = objective, data, config, device
        self.folder, self.on_progress = folder, on_progress
        self.note = "" if start.origin == SCRATCH else f"Fine-tuned from model {start.origin[:12]}."
        self.identity = identify(start.description, asdict(config), data.rows, data.labels)
        self.position, self.best = Position(init_from=start.origin), Best()
        self.budget = Budget.of(config, data.source.batches_per_epoch)
        self.generator = torch.Generator(device.device)
        self.fraction = 0.0  # spent share of joint training
        self.progress: TrainProgress | None = None  # as reported last
        self._make_heads()
        self._began = self._first_step_at = time.monotonic()
        self._resumed_at = self.position

    def _make_heads(self) -> None:
        if self.objective.has_heads:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(self.config.seed)
                self.generator.manual_seed(self.config.seed)
                self.network.eval()
                examples, labels = self.data.labelled.draw(HEAD_EXAMPLES, self.generator)
                self.objective.make_heads(self.network, examples, labels, self.data.n_classes)

    # ------------------------------------------------------------------------------------------------------------------
    # Saving and resuming

    def begin(self, *, resume: bool) -> None:
        """Continue the saved run if it has the same images and settings and `resume` allows it; else discard it."""
        saved = load_state(self.folder, self.identity, self.device.device) if resume else ""
        if isinstance(saved, str):
            self.note = f"{saved} {self.note}".strip()
            self.optimisers = self._make_optimisers()
            self.discard()
        else:
            self.position, self.best, parts = saved
            self.network.load_state_dict(parts["network"])
            self.objective.heads.load_state_dict(parts["heads"])
            self.optimisers = self._make_optimisers()
            for optimiser, state in zip(self.optimisers, parts["optimisers"], strict=True):
                optimiser.load_state_dict(state)
            self.note = f"Resumed an interrupted run at step {self.position.step:,}."
        if self.note:
            logger.info(self.note)
        self.batches = batches_from(self.data.source, self.position.step)
        self._resumed_at = replace(self.position)
        self._began = time.monotonic()

    def save(self) -> None:
        """Save everything that the next step depends on."""
        parts = {
            "network": self.network.state_dict(),
            "heads": self.objective.heads.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
        }
        save_state(self.folder, self.identity, self.position, self.best, parts)

    def discard(self) -> None:
        """Delete the saved run."""
        discard(self.folder)

    # ------------------------------------------------------------------------------------------------------------------
    # Steps

    @property
    def is_fine_tuning(self) -> bool:
        """Whether the run started from a checkpoint."""
        return self.position.init_from != SCRATCH

    def pretrain(self, stop: Callable[[], bool]) -> None:
        """Pre-train the layers where the configuration wants it and it is not done yet; save the run after it."""
        if self.config.pretrain and not self.position.pretraining:
            self.position.pretraining = pretrain(
                self.network,
                self.data.source,
                self.config,
                self.device,
                budget=self.budget,
                on_progress=self.on_progress,
                stop=stop,
            )
            self.tick()
            if not stop():
                self.save()
        self._first_step_at = time.monotonic()

    def tick(self) -> None:
        """Update the time that the run took, and the share of its budget that is spent."""
        self.position.seconds = self._resumed_at.seconds + time.monotonic() - self._began
        pretraining = sum(layer["seconds"] for layer in self.position.pretraining)
        self.fraction = self.budget.fraction(self.position.step, self.position.seconds - pretraining)

    def step(self) -> Parts:
        """Update the weights once, from one batch; return the values of the loss.

        Every step seeds its own random draws, so that a resumed run draws what an uninterrupted one would have drawn.
        """
        position = self.position
        self._enter_phase()
        self.generator.manual_seed(self.config.seed * 1_000_003 + position.step)
        stored, labelled = next(self.batches), self.data.labelled
        drawn = labelled.draw(self.data.batch_size, self.generator) if len(labelled) else (None, None)
        batch = Batch(as_floats(stored), self.generator, *drawn)
        loss_of = self.objective.decoder_loss if position.decoder_phase else self.objective.training_loss
        with self.device.autocast():
            parts = loss_of(self.network, batch)
        for optimiser in self.optimisers:
            optimiser.zero_grad()
        parts["loss"].backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        for optimiser in self.optimisers:
            optimiser.step()
        position.step += 1
        position.images_seen += len(stored)
        return {name: value.detach() for name, value in parts.items()}

    def _enter_phase(self) -> None:
        """Set the phase, the learning rates and the network's mode for the next step."""
        position = self.position
        decoder_phase, phase_fraction = phase(self.fraction, self.objective.decoder_share)
        if decoder_phase != position.decoder_phase:
            position.decoder_phase = decoder_phase
            if not self.objective.trains_decoder:
                self.best.loss = math.inf  # losses so far were with an untrained decoder: the best has a trained one
            self.optimisers = self._make_optimisers()
        for group in (group for optimiser in self.optimisers for group in optimiser.param_groups):
            group["lr"] = group["peak"] * rate_share(phase_fraction, self.config.warmup)
        self.network.train(not decoder_phase)
        self.network.decoder.train()

    def _make_optimisers(self) -> list[torch.optim.Optimizer]:
        return make_optimisers(
            self.network,
            self.config,
            self.device,
            decoder_phase=self.position.decoder_phase,
            scale=self.config.fine_tuning if self.is_fine_tuning else 1.0,
            heads=self.objective.heads.parameters(),
        )

    # ------------------------------------------------------------------------------------------------------------------
    # Validation and progress

    def validation_is_due(self) -> bool:
        """Whether the next tenth of the budget is spent; true once for each."""
        if self.fraction * VALIDATIONS < self.position.validations + 1:
            return False
        self.position.validations = int(self.fraction * VALIDATIONS)
        return True

    def validate(self) -> None:
        """Measure the network on the validation examples, and keep its weights if they are the best so far.

        Raises:
            FloatingPointError: the loss is NaN or infinite.
        """
        metrics = self.measure()
        if not math.isfinite(metrics["loss"]):
            raise FloatingPointError
        if metrics["loss"] < self.best.loss:
            self.best.loss, self.best.metrics, self.best.position = metrics["loss"], metrics, asdict(self.position)
            self.best.weights = {name: value.detach().clone() for name, value in self.network.state_dict().items()}

    def measure(self) -> dict[str, float]:
        """Return the parts of the validation loss. Random draws are the same at every call."""
        self.network.eval()
        self.data.validation.generator.manual_seed(self.config.seed)
        with torch.no_grad(), self.device.autocast():
            parts = self.objective.validation_loss(self.network, self.data.validation)
        return {name: value.item() for name, value in parts.items()}

    def report(self, parts: Parts) -> None:
        """Report the progress, with the values of the last step's loss.

        Raises:
            FloatingPointError: the loss is NaN or infinite.
        """
        values = {name: value.item() for name, value in parts.items()}
        if not math.isfinite(loss := values.pop("loss")):
            raise FloatingPointError
        elapsed = max(time.monotonic() - self._first_step_at, 1e-9)
        share = self.budget.of_whole(self.fraction)
        self.progress = TrainProgress(
            doing="learning to decode" if self.position.decoder_phase else "learning codes",
            fraction=share,
            epoch=(self.position.step - 1) // self.data.source.batches_per_epoch + 1,
            step=self.position.step,
            loss=loss,
            parts=values,
            images_per_second=(self.position.images_seen - self._resumed_at.images_seen) / elapsed,
            seconds_left=self.budget.seconds_left(share, self.position.seconds),
        )
        if self.on_progress:
            self.on_progress(self.progress)

    # ------------------------------------------------------------------------------------------------------------------
    # The end

    def install(self, folder: Path) -> ModelCard:
        """Postprocess the best weights and save them as a checkpoint in `folder`; return its card."""
        if self.on_progress and self.progress:
            doing = "whitening codes, making bits"
            self.on_progress(replace(self.progress, fraction=self.fraction, seconds_left=0.0, doing=doing))
        self.network.load_state_dict(self.best.weights)
        postprocess(self.network, self.data.examples, self.data.training_rows, self.config, self.device)
        training = asdict(self.config) | {
            "images": len(self.data.training_rows),
            "finished": self.fraction >= 1,
            "from": self.position.init_from,
            "pretraining": self.position.pretraining,
        }
        return save_checkpoint(
            folder,
            self.network.state_dict(),
            network=self.description,
            training=training,
            metrics=self.best.metrics,
            metric=self.network.metric,
            code_size=self.network.code_size,
            steps=self.best.position["step"],
            images_seen=self.best.position["images_seen"],
            seconds=round(self.position.seconds, 1),
            device=self.device.reason,
            note=self.note,
        )
