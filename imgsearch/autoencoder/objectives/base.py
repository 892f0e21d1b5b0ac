"""The record of a loss term, and the batch that it is computed from."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from imgsearch.autoencoder.networks.base import Autoencoder

Parts = dict[str, Tensor]  # scalars by name; the one named "loss" is minimised, the others are reported
Loss = Callable[..., Parts]  # of (network, batch, config), and of the term's head where it has one


@dataclass(frozen=True)
class Batch:
    """Examples of one step."""

    examples: Tensor  # (b, *example_shape) float, images in 0..1
    generator: torch.Generator  # source of every random draw of the step
    labelled: Tensor | None = None  # (m, *example_shape): examples with labels, for terms that learn from them
    labels: Tensor | None = None  # (m,) int64


def accept_any(network: Autoencoder, n_classes: int) -> None:
    """Accept every network and number of classes: the default of `Term.check`."""


@dataclass(frozen=True)
class Term:
    """A loss term, and all that the rest of the program needs to know about it."""

    loss: Loss
    help: str  # one phrase with its source, for lists of choices
    validation_loss: Loss | None = None  # with the network in evaluation mode; None: as in training
    needs_labels: bool = False
    prevents_collapse: bool = True  # whether minimising it keeps codes apart; an objective needs one such term
    trains_decoder: bool = True  # whether the loss depends on how well codes are decoded
    decoder_phase: bool = False  # whether training ends with `TrainConfig.decoder_phase`, for the decoder alone
    check: Callable[[Autoencoder, int], None] = accept_any  # raises ModelError for an unsuitable network or n_classes
    # Makes a module that is trained beside the network and dropped in the end, from the network, examples with
    # labels (m, ...) and (m,), and the number of classes.
    new_head: Callable[[Autoencoder, Tensor, Tensor, int], nn.Module] | None = None
