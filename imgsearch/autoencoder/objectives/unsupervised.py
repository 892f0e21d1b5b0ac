"""What training minimises: terms, and their weighted sum. Knows networks by what they all offer; must not know files,
where data come from, or optimisers.

A term takes a network, a batch and the configuration, and gives its parts by name; the one named "loss" is minimised.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from imgsearch.autoencoder.config import TrainConfig
from imgsearch.autoencoder.data.augment import random_views
from imgsearch.autoencoder.networks.base import Autoencoder
from imgsearch.autoencoder.networks.config import IMAGE_SHAPE
from imgsearch.autoencoder.objectives.labelled import check_labelled, classify, ladder
from imgsearch.device import DeviceChoice
from imgsearch.errors import ModelError


@dataclass(frozen=True)
class Batch:
    """What one step sees."""

    examples: Tensor  # (b, *example_shape) float, images in 0..1
    generator: torch.Generator  # every random draw of the step comes from it
    labelled: Tensor | None = None  # (m, *example_shape): examples that carry labels, for terms that learn from them
    labels: Tensor | None = None  # (m,) int64


Term = Callable[[Autoencoder, Batch, TrainConfig], dict[str, Tensor]]


def agreement_loss(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """NT-Xent (SimCLR, Chen et al. 2020): each view must find its twin among all other views of the batch.

    `first` and `second` are (n, d), row i of both being views of the same image; returns a scalar,
    about log(2n - 1) for a network that knows nothing.
    """
    n = len(first)
    views = functional.normalize(torch.cat([first, second]).float(), dim=1)  # (2n, d)
    similarity = views @ views.T / temperature  # (2n, 2n)
    itself = torch.eye(2 * n, dtype=torch.bool, device=views.device)
    twins = torch.arange(2 * n, device=views.device).roll(n)
    return functional.cross_entropy(similarity.masked_fill(itself, -torch.inf), twins)


# ----------------------------------------------------------------------------------------------------------------------
# The terms


def agree(network: Autoencoder, batch: Batch, config: TrainConfig) -> dict[str, Tensor]:
    """Two views of each image agree on the first numbers of the code, and are decoded.

    What they cannot agree on (colours, places) and a reconstruction needs has the rest of the code to itself, so that
    neither has to pay for the other.
    """
    views = torch.cat([random_views(batch.examples, config.augment, batch.generator) for _ in range(2)])
    codes = network.encode(views)
    n_decoded = max(2, round(config.reconstruction_share * len(batch.examples)))
    reconstruction = network.reconstruction_loss(network.decode(codes[:n_decoded]), views[:n_decoded])
    first, second = codes[:, : network.invariant_size].chunk(2)
    agreement = agreement_loss(first, second, config.temperature)
    return weighted(reconstruction, agreement, config)


def weighted(reconstruction: Tensor, agreement: Tensor, config: TrainConfig) -> dict[str, Tensor]:
    """The parts of `agree`, with their sum."""
    loss = config.reconstruction_weight * reconstruction + config.agreement_weight * agreement
    return {"loss": loss, "reconstruction": reconstruction, "agreement": agreement}


def reconstruct(network: Autoencoder, batch: Batch, config: TrainConfig) -> dict[str, Tensor]:
    """Examples come out as they went in."""
    del config
    loss = network.reconstruction_loss(network(batch.examples)[1], batch.examples)
    return {"loss": loss, "reconstruction": loss}


def denoise(network: Autoencoder, batch: Batch, config: TrainConfig) -> dict[str, Tensor]:
    """Noisy examples come out clean (Vincent et al. 2008)."""
    loss = network.reconstruction_loss(network(noisy(batch, config))[1], batch.examples)
    return {"loss": loss, "denoising": loss}


def noisy(batch: Batch, config: TrainConfig) -> Tensor:
    """The batch's examples with noise added ("gaussian", of that deviation) or values lost ("mask", of that share)."""
    shape, device = batch.examples.shape, batch.examples.device
    if config.noise == "gaussian":
        return batch.examples + config.noise_level * torch.randn(shape, generator=batch.generator, device=device)
    return batch.examples * (torch.rand(shape, generator=batch.generator, device=device) >= config.noise_level)


def contractive(network: Autoencoder, batch: Batch, config: TrainConfig) -> dict[str, Tensor]:
    """Codes move little when examples do: the squared Jacobian of the encoder, in the mean (Rifai et al. 2011).

    Exact where the network has a formula for it. Else estimated without bias: for a normal random v the squared length
    of v'J has the squared Frobenius norm of J as its mean (Hutchinson 1990).
    """
    del config
    penalty = network.squared_jacobian(batch.examples)
    if penalty is None:
        learning = torch.is_grad_enabled()
        with torch.enable_grad():
            examples = batch.examples.detach().requires_grad_(True)
            codes = network.encode(examples).float()
            directions = torch.randn(codes.shape, generator=batch.generator, device=codes.device)
            (gradient,) = torch.autograd.grad((codes * directions).sum(), examples, create_graph=learning)
        penalty = gradient.flatten(1).square().sum(1)
    loss = penalty.mean()
    return {"loss": loss, "contraction": loss}


AGREE = "agree"
TERMS: dict[str, Term] = {
    AGREE: agree,
    "reconstruct": reconstruct,
    "denoise": denoise,
    "contractive": contractive,
    "ladder": ladder,
    "classify": classify,
}
LABELLED_TERMS = frozenset({"ladder", "classify"})  # which learn from labels
PARTING_TERMS = LABELLED_TERMS | {AGREE, "reconstruct", "denoise"}  # without one of them nothing would part the codes


def check_objective(network: Autoencoder, config: TrainConfig, *, n_classes: int) -> None:
    """Refuse what cannot be minimised.

    Raises:
        ModelError: a term that is not known, does not suit the network, or has nothing to learn from.
    """
    names = [name for name, _ in config.objective]
    unknown = [name for name in names if name not in TERMS]
    if unknown:
        raise ModelError(f"there is no objective {unknown[0]!r}; there are {', '.join(TERMS)}.")
    if not PARTING_TERMS & set(names):
        raise ModelError(
            f"{names[0]} alone brings all codes to the same point. Add a term that decodes: reconstruct+0.1*{names[0]}"
        )
    if AGREE in names and network.example_shape != IMAGE_SHAPE:
        raise ModelError("agree compares views of images, and these are none. Use the objective reconstruct.")
    if {AGREE, "classify"} & set(names) and network.goes_around_the_code:
        raise ModelError(
            f"{names[0]} decodes codes alone, and this network's decoder needs switches too: use reconstruct."
        )
    if LABELLED_TERMS & set(names):
        check_labelled(network, names, n_classes)


# ----------------------------------------------------------------------------------------------------------------------
# The two stages of a training, and how it is judged


def objective(network: Autoencoder, batch: Batch, config: TrainConfig) -> dict[str, Tensor]:
    """Of the first stage: the weighted sum of the configuration's terms as "loss", and their parts."""
    network.train()
    return _sum(TERMS, network, batch, config)


def last_objective(network: Autoencoder, batch: Batch, config: TrainConfig) -> dict[str, Tensor]:
    """Of the last stage of `agree`: images as they are, and only the decoder and the rest of the code learn.

    The views' agreement pulls the codes about while the decoder learns to read them; here it reads what they became.
    """
    images = batch.examples
    network.eval()
    codes = network.encode(images)
    agreed, rest = codes[:, : network.invariant_size].detach(), codes[:, network.invariant_size :]
    network.train()
    reconstruction = network.reconstruction_loss(network.decode(torch.cat([agreed, rest], 1)), images)
    return weighted(reconstruction, torch.zeros((), device=images.device), config)


def validate(network: Autoencoder, batch: Batch, config: TrainConfig, device: DeviceChoice) -> dict[str, float]:
    """The parts on validation examples; the batch's generator is seeded anew, so that every call draws the same."""
    batch.generator.manual_seed(config.seed)
    network.eval()
    with torch.no_grad(), torch.autocast(device.device.type, device.dtype, enabled=device.dtype != torch.float32):
        parts = reconstruct(network, batch, config) | _sum(VALIDATED, network, batch, config)
    return {name: value.item() for name, value in parts.items()}


def _agreement_of_views(network: Autoencoder, batch: Batch, config: TrainConfig) -> dict[str, Tensor]:
    """As `agree`, but what is decoded are the images themselves, all of them."""
    first, second = (
        network.encode(random_views(batch.examples, config.augment, batch.generator))[:, : network.invariant_size]
        for _ in range(2)
    )
    agreement = agreement_loss(first, second, config.temperature)
    return weighted(reconstruct(network, batch, config)["loss"], agreement, config)


def _and_decoding(term: Term) -> Term:
    """As `term`, and how well codes are decoded: in the last stage that alone gets better."""

    def judged(network: Autoencoder, batch: Batch, config: TrainConfig) -> dict[str, Tensor]:
        parts = term(network, batch, config)
        return parts | {"loss": parts["loss"] + reconstruct(network, batch, config)["loss"]}

    return judged


VALIDATED: dict[str, Term] = {
    **TERMS,
    AGREE: _agreement_of_views,
    "ladder": _and_decoding(ladder),
    "classify": _and_decoding(classify),
}


def _sum(terms: dict[str, Term], network: Autoencoder, batch: Batch, config: TrainConfig) -> dict[str, Tensor]:
    loss = torch.zeros((), device=batch.examples.device)
    parts: dict[str, Tensor] = {}
    for name, weight in config.objective:
        parts |= terms[name](network, batch, config)
        loss = loss + weight * parts["loss"]
    return parts | {"loss": loss}
