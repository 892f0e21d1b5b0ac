"""Registry of loss terms, one record each, and the objective: their weighted sum in one training."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from imgsearch.autoencoder.config import TrainConfig
from imgsearch.autoencoder.networks.base import Autoencoder
from imgsearch.autoencoder.objectives.base import Batch, Loss, Parts, Term
from imgsearch.autoencoder.objectives.labelled import (
    check_classify,
    check_ladder,
    classify,
    classify_validation,
    ladder,
    ladder_validation,
    new_class_head,
)
from imgsearch.autoencoder.objectives.unsupervised import (
    agree,
    agree_validation,
    check_agree,
    contractive,
    decode_only,
    denoise,
    reconstruct,
)
from imgsearch.errors import ModelError

TERMS: dict[str, Term] = {
    "agree": Term(
        agree,
        help="two views of an image have similar codes, and are reconstructed (Chen et al. 2020)",
        validation_loss=agree_validation,
        decoder_phase=True,
        check=check_agree,
    ),
    "reconstruct": Term(reconstruct, help="images are reconstructed (Hinton & Salakhutdinov 2006)"),
    "denoise": Term(denoise, help="clean images are reconstructed from noisy ones (Vincent et al. 2008)"),
    "contractive": Term(
        contractive,
        help="codes change little when images do (Rifai et al. 2011)",
        prevents_collapse=False,
        trains_decoder=False,
    ),
    "classify": Term(
        classify,
        help="a softmax on the code learns the labels (Hinton & Salakhutdinov 2006)",
        validation_loss=classify_validation,
        needs_labels=True,
        trains_decoder=False,
        decoder_phase=True,
        check=check_classify,
        new_head=new_class_head,
    ),
    "ladder": Term(
        ladder,
        help="what a ladder network learns: labels, and denoising in every layer (Rasmus et al. 2015)",
        validation_loss=ladder_validation,
        needs_labels=True,
        trains_decoder=False,
        decoder_phase=True,
        check=check_ladder,
    ),
}


class Objective:
    """The weighted sum of a configuration's terms, and the heads that some of them train beside the network.

    Losses compute; they do not switch the network between training and evaluation mode, which is up to the caller.

    Raises:
        ModelError: a term that does not exist, or terms that would let all codes collapse into one point.
    """

    def __init__(self, config: TrainConfig) -> None:
        names = [name for name, _ in config.objective]
        unknown = [name for name in names if name not in TERMS]
        if unknown:
            raise ModelError(f"there is no objective {unknown[0]!r}; there are {', '.join(TERMS)}.")
        self.config = config
        self.terms = {name: TERMS[name] for name in names}
        self.heads = nn.ModuleDict()  # by the name of the term
        if not any(term.prevents_collapse for term in self.terms.values()):
            raise ModelError(
                f"{names[0]} alone maps all images to the same code. Add a term that decodes: "
                f"reconstruct+0.1*{names[0]}"
            )

    @property
    def needs_labels(self) -> bool:
        """Whether a term learns from labels."""
        return any(term.needs_labels for term in self.terms.values())

    @property
    def has_heads(self) -> bool:
        """Whether a term trains a module beside the network."""
        return any(term.new_head for term in self.terms.values())

    @property
    def trains_decoder(self) -> bool:
        """Whether a term trains the decoder together with the encoder."""
        return any(term.trains_decoder for term in self.terms.values())

    @property
    def decoder_share(self) -> float:
        """Share of the budget, at its end, in which only the decoder is trained."""
        return self.config.decoder_phase if any(term.decoder_phase for term in self.terms.values()) else 0.0

    def check(self, network: Autoencoder, n_classes: int) -> None:
        """Refuse a network that the terms do not suit, and labels of too few classes.

        Raises:
            ModelError: a term has requirements that the network or the labels do not meet.
        """
        if self.needs_labels and n_classes < 2:
            raise ModelError("this objective learns from labels of at least two classes, and there are none or one.")
        for term in self.terms.values():
            term.check(network, n_classes)

    def make_heads(self, network: Autoencoder, examples: Tensor, labels: Tensor, n_classes: int) -> None:
        """Make the heads from examples (m, *example_shape) with labels (m,); the network is in evaluation mode."""
        for name, term in self.terms.items():
            if term.new_head:
                self.heads[name] = term.new_head(network, examples, labels, n_classes)

    def training_loss(self, network: Autoencoder, batch: Batch) -> Parts:
        """Return the weighted sum of the terms as "loss", and their parts."""
        return self._sum(network, batch, lambda term: term.loss)

    def decoder_loss(self, network: Autoencoder, batch: Batch) -> Parts:
        """Return the loss of the decoder phase."""
        return decode_only(network, batch, self.config)

    def validation_loss(self, network: Autoencoder, batch: Batch) -> Parts:
        """Return the weighted sum by which checkpoints are chosen, its parts, and the reconstruction loss."""
        parts = reconstruct(network, batch, self.config)
        return parts | self._sum(network, batch, lambda term: term.validation_loss or term.loss)

    def _sum(self, network: Autoencoder, batch: Batch, loss_of: Callable[[Term], Loss]) -> Parts:
        total, parts = torch.zeros((), device=batch.examples.device), Parts()
        for name, weight in self.config.objective:
            head = [self.heads[name]] if name in self.heads else []
            parts |= loss_of(self.terms[name])(network, batch, self.config, *head)
            total = total + weight * parts["loss"]
        return parts | {"loss": total}
