"""The terms that learn from labels: a softmax on the code, and the ladder's two costs.

Know networks and batches; must not know where labels come from.
"""

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from imgsearch.autoencoder.config import TrainConfig
from imgsearch.autoencoder.data.augment import random_views
from imgsearch.autoencoder.networks.base import Autoencoder, FittedAutoencoder
from imgsearch.autoencoder.networks.config import IMAGE_SHAPE
from imgsearch.autoencoder.networks.ladder import LadderAutoencoder
from imgsearch.errors import ModelError

if TYPE_CHECKING:
    from imgsearch.autoencoder.objectives.unsupervised import Batch

TEMPERATURE = 0.1  # of the softmax over cosines
ENCODED_AT_ONCE = 256  # examples, where the classes begin


def classify(network: Autoencoder, batch: "Batch", config: TrainConfig) -> dict[str, Tensor]:
    """The code tells an example's class: a softmax over the cosines of its first numbers with a direction per class.

    Cosines, because codes are compared by them; every weight of the encoder learns (Hinton & Salakhutdinov 2006 did so
    with a pre-trained net). Images are shown as random views while they are learned. What has no labels costs nothing.
    """
    assert network.classifier is not None, "train() makes it"
    if batch.labelled is None or batch.labels is None:
        return {"loss": torch.zeros((), device=batch.examples.device)}
    examples = batch.labelled
    if network.training and network.example_shape == IMAGE_SHAPE:
        examples = random_views(examples, config.augment, batch.generator)
    codes = network.encode(examples)[:, : network.invariant_size].float()
    cosines = functional.normalize(codes, dim=1) @ functional.normalize(network.classifier.weight, dim=1).T
    loss = functional.cross_entropy(cosines / TEMPERATURE, batch.labels)
    return {"loss": loss, "classes": loss}


@torch.no_grad()
def new_classifier(network: Autoencoder, examples: Tensor, labels: Tensor, n_classes: int) -> nn.Linear:
    """What `classify` learns beside the network: for each class a direction in the code, at first its examples' mean.

    `examples` (m, *example_shape) carry `labels` (m,). A class without examples begins anywhere.
    """
    network.eval()
    codes = torch.cat([network.encode(block) for block in torch.split(examples, ENCODED_AT_ONCE)])
    directions = functional.normalize(codes[:, : network.invariant_size].float(), dim=1)  # (m, invariant_size)
    members = functional.one_hot(labels, n_classes).float()  # (m, n_classes)
    classifier = nn.Linear(network.invariant_size, n_classes, bias=False).to(directions.device)
    sums = members.T @ directions
    classifier.weight.copy_(torch.where(members.sum(0)[:, None] > 0, sums, classifier.weight))
    return classifier


def ladder(network: Autoencoder, batch: "Batch", config: TrainConfig) -> dict[str, Tensor]:
    """Noisy labelled examples are told apart, and every layer of noisy examples is denoised (Rasmus et al. 2015).

    The clean layers that denoising is held against learn from it, too: to be what can be found again under noise.
    """
    del config
    assert isinstance(network, LadderAutoencoder), "check_labelled refuses others"
    labelled = batch.examples[:0] if batch.labelled is None else batch.labelled
    n = len(labelled)
    clean = network.clean(batch.examples)
    noisy, logits = network.noisy(torch.cat([labelled, batch.examples]), batch.generator, n)
    denoised = network.denoiser([layer[n:] for layer in noisy], logits[n:].softmax(1))
    denoising = torch.zeros((), device=batch.examples.device)
    for number, (found, wanted) in enumerate(zip(denoised, clean, strict=True)):
        denoising = denoising + network.config.cost(number) * functional.mse_loss(found, wanted)
    if batch.labels is None:
        return {"loss": denoising, "denoising": denoising}
    if not network.training:  # judged as it will be used
        logits = network.classify(network.encode(labelled))
    classes = functional.cross_entropy(logits[:n], batch.labels)
    return {"loss": denoising + classes, "denoising": denoising, "classes": classes}


def check_labelled(network: Autoencoder, names: list[str], n_classes: int) -> None:
    """Refuse what cannot learn from labels of so many classes.

    Raises:
        ModelError: no labels, a network that does not suit the term, or a ladder with too few classes.
    """
    if n_classes < 2:
        raise ModelError("this objective learns from labels of at least two classes, and there are none or one.")
    if "classify" in names and isinstance(network, FittedAutoencoder):
        raise ModelError("this network is fitted by a formula and cannot learn labels. Train another one first.")
    if "ladder" in names and not isinstance(network, LadderAutoencoder):
        raise ModelError("the objective ladder needs the network ladder. Type: imgsearch train --network ladder")
    if "ladder" in names and isinstance(network, LadderAutoencoder) and n_classes > network.n_classes:
        raise ModelError(
            f"the ladder tells {network.n_classes} classes apart, and the labels are of {n_classes}: its last size "
            "must be their number."
        )
