"""Inputs of a training: its examples, and the network that it begins with."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from imgsearch.autoencoder.checkpoint import load_checkpoint
from imgsearch.autoencoder.config import TrainConfig
from imgsearch.autoencoder.data.batches import BatchSource, Examples, as_examples, open_batches, split_rows
from imgsearch.autoencoder.data.labelled import Labelled
from imgsearch.autoencoder.networks.base import Autoencoder
from imgsearch.autoencoder.networks.registry import build_network, describe_network
from imgsearch.autoencoder.objectives.base import Batch
from imgsearch.autoencoder.training.run_state import SCRATCH

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingData:
    """Examples of a training: most of them to learn from, some held out to choose the best checkpoint."""

    examples: Examples
    rows: NDArray[np.int64]  # all rows that the training was given
    training_rows: NDArray[np.int64]
    source: BatchSource
    batch_size: int
    labels: NDArray[np.int64] | None  # (n,) of all examples; None where nothing learns from them
    labelled: Labelled  # examples whose labels are learned
    validation: Batch
    n_classes: int

    @classmethod
    def split(
        cls,
        examples: Examples,
        rows: NDArray[np.int64],
        labels: NDArray[np.int64] | None,
        config: TrainConfig,
        device: torch.device,
    ) -> "TrainingData":
        """Hold out a few of `examples[rows]`, and open a source of batches of the others."""
        training_rows, validation_rows = split_rows(rows, config.validation_share, config.seed)
        batch_size = min(config.batch_size, len(training_rows))
        source, reason = open_batches(
            examples, training_rows, batch_size, config.seed, device, memory_share=config.memory_share
        )
        logger.info(reason)
        learned, judging = Labelled.split(examples, training_rows, validation_rows, labels)
        validation = Batch(
            as_examples(examples[validation_rows], device), torch.Generator(device), *judging.everything(device)
        )
        n_classes = max(learned.n_classes, judging.n_classes)
        return cls(examples, rows, training_rows, source, batch_size, labels, learned, validation, n_classes)


@dataclass(frozen=True)
class StartingPoint:
    """The network that a training begins with."""

    network: Autoencoder
    description: dict[str, Any]  # for the model card
    origin: str  # digest of the checkpoint, or SCRATCH

    @classmethod
    def of(cls, config: TrainConfig, init_from: Path | None, device: torch.device) -> "StartingPoint":
        """Load the checkpoint in the folder `init_from`, or build the configuration's network from the seed.

        Raises:
            ModelError: the checkpoint cannot be used.
        """
        if init_from is not None:
            network, card = load_checkpoint(init_from, device)
            return cls(network, card.network, card.digest)
        description = describe_network(config.network)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            return cls(build_network(description).to(device), description, SCRATCH)
