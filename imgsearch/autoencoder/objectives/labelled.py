"""Loss terms that learn from labels: a softmax on the code, and the two costs of the ladder network."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from imgsearch.autoencoder.config import TrainConfig
from imgsearch.autoencoder.data.augment import random_views
from imgsearch.autoencoder.networks.base import Autoencoder, FittedAutoencoder
from imgsearch.autoencoder.networks.config import IMAGE_SHAPE
from imgsearch.autoencoder.networks.ladder import LadderAutoencoder
from imgsearch.autoencoder.objectives.base import Batch, Parts
from imgsearch.autoencoder.objectives.unsupervised import check_decodes_codes, reconstruct
from imgsearch.errors import ModelError

TEMPERATURE = 0.1  # of the softmax over cosines
ENCODED_AT_ONCE = 256  # examples, when a class head is initialised


# ----------------------------------------------------------------------------------------------------------------------
# Classification


class ClassHead(nn.Module):
    """A direction per class in the space of invariant code dimensions; trained beside the network, then dropped."""

    def __init__(self, code_size: int, n_classes: int) -> None:
        super().__init__()
        self.directions = nn.Linear(code_size, n_classes, bias=False)

    def forward(self, codes: Tensor) -> Tensor:
        """Codes (n, code_size) to logits (n, n_classes): cosines with the directions, over the temperature."""
        cosines = functional.normalize(codes, dim=1) @ functional.normalize(self.directions.weight, dim=1).T
        return cosines / TEMPERATURE


@torch.no_grad()
def new_class_head(network: Autoencoder, examples: Tensor, labels: Tensor, n_classes: int) -> ClassHead:
    """Return a class head whose directions are the mean codes of each class's examples.

    Args:
        network: in evaluation mode.
        examples: (m, *example_shape) examples with labels.
        labels: (m,) int64.
        n_classes: a class without examples keeps a random direction.
    """
    codes = torch.cat([network.encode(block) for block in torch.split(examples, ENCODED_AT_ONCE)])
    directions = functional.normalize(codes[:, : network.invariant_size].float(), dim=1)  # (m, invariant_size)
    members = functional.one_hot(labels, n_classes).float()  # (m, n_classes)
    head = ClassHead(network.invariant_size, n_classes).to(directions.device)
    weight = head.directions.weight
    weight.copy_(torch.where(members.sum(0)[:, None] > 0, members.T @ directions, weight))
    return head


def classify(network: Autoencoder, batch: Batch, config: TrainConfig, head: nn.Module) -> Parts:
    """Cross-entropy of a softmax on the code, on random views of images with labels.

    The softmax is over cosines because codes are compared by them. All weights of the encoder are trained, as Hinton &
    Salakhutdinov (2006) did with a pre-trained network. Without labelled examples the loss is 0.
    """
    if batch.labelled is not None and network.example_shape == IMAGE_SHAPE:
        views = random_views(batch.labelled, config.augment, batch.generator)
        return _cross_entropy(network, views, batch, head)
    return _cross_entropy(network, batch.labelled, batch, head)


def classify_validation(network: Autoencoder, batch: Batch, config: TrainConfig, head: nn.Module) -> Parts:
    """As `classify` on the images as they are, plus the reconstruction loss, which the decoder phase improves."""
    parts = _cross_entropy(network, batch.labelled, batch, head)
    return parts | {"loss": parts["loss"] + reconstruct(network, batch, config)["loss"]}


def _cross_entropy(network: Autoencoder, examples: Tensor | None, batch: Batch, head: nn.Module) -> Parts:
    if examples is None or batch.labels is None:
        return {"loss": torch.zeros((), device=batch.examples.device)}
    logits = head(network.encode(examples)[:, : network.invariant_size].float())
    loss = functional.cross_entropy(logits, batch.labels)
    return {"loss": loss, "classes": loss}


def check_classify(network: Autoencoder, n_classes: int) -> None:
    """Refuse networks that cannot be trained by gradients, or whose decoder needs more than the code.

    Raises:
        ModelError: a network that is fitted by a formula, or a decoder with switches.
    """
    del n_classes
    check_decodes_codes(network, "classify")
    if isinstance(network, FittedAutoencoder):
        raise ModelError("this network is fitted by a formula and cannot learn labels. Train another one first.")


# ----------------------------------------------------------------------------------------------------------------------
# The ladder network


def ladder(network: Autoencoder, batch: Batch, config: TrainConfig) -> Parts:
    """Cross-entropy on noisy labelled examples, and denoising of every layer (Rasmus et al. 2015).

    The clean layers, the targets of denoising, receive gradients too: they become such that they can be recovered.
    """
    del config
    assert isinstance(network, LadderAutoencoder), "check_ladder refuses others"
    denoising, logits = _denoising(network, batch)
    return _ladder_parts(denoising, logits, batch)


def ladder_validation(network: Autoencoder, batch: Batch, config: TrainConfig) -> Parts:
    """Denoising, classes from clean codes as in use, and the reconstruction loss, which the decoder phase improves."""
    assert isinstance(network, LadderAutoencoder), "check_ladder refuses others"
    denoising, logits = _denoising(network, batch)
    if batch.labelled is not None:
        logits = network.classify(network.encode(batch.labelled))
    parts = _ladder_parts(denoising, logits, batch)
    return parts | {"loss": parts["loss"] + reconstruct(network, batch, config)["loss"]}


def _denoising(network: LadderAutoencoder, batch: Batch) -> tuple[Tensor, Tensor]:
    """The weighted denoising cost of all layers, a scalar, and the logits (m, n_classes) of noisy labelled examples."""
    labelled = batch.examples[:0] if batch.labelled is None else batch.labelled
    n = len(labelled)
    clean = network.clean(batch.examples)
    noisy, logits = network.noisy(torch.cat([labelled, batch.examples]), batch.generator, n)
    denoised = network.denoiser([layer[n:] for layer in noisy], logits[n:].softmax(1))
    cost = torch.zeros((), device=batch.examples.device)
    for number, (found, wanted) in enumerate(zip(denoised, clean, strict=True)):
        cost = cost + network.config.cost(number) * functional.mse_loss(found, wanted)
    return cost, logits[:n]


def _ladder_parts(denoising: Tensor, logits: Tensor, batch: Batch) -> Parts:
    if batch.labels is None:
        return {"loss": denoising, "denoising": denoising}
    classes = functional.cross_entropy(logits, batch.labels)
    return {"loss": denoising + classes, "denoising": denoising, "classes": classes}


def check_ladder(network: Autoencoder, n_classes: int) -> None:
    """Refuse other networks than a ladder with enough classes.

    Raises:
        ModelError: another network, or a ladder with fewer classes than the labels have.
    """
    if not isinstance(network, LadderAutoencoder):
        raise ModelError("the objective ladder needs a ladder network, and this is another one.")
    if n_classes > network.n_classes:
        raise ModelError(
            f"the ladder distinguishes {network.n_classes} classes, and there are labels of {n_classes}: the last of "
            "its sizes must be their number."
        )
