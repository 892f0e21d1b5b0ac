"""Loss terms that need no labels: contrastive, reconstruction, denoising, contraction."""

import torch
from torch import Tensor
from torch.nn import functional

from imgsearch.autoencoder.config import TrainConfig
from imgsearch.autoencoder.data.augment import random_views
from imgsearch.autoencoder.networks.base import Autoencoder
from imgsearch.autoencoder.networks.config import IMAGE_SHAPE
from imgsearch.autoencoder.objectives.base import Batch, Parts
from imgsearch.errors import ModelError


def agreement_loss(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """NT-Xent, the contrastive loss of SimCLR (Chen et al. 2020).

    Each view must be more similar to the other view of its image than to all other views of the batch.

    Args:
        first: (n, d), one view of each image.
        second: (n, d), another view of each image, in the same order.
        temperature: divides the cosine similarities.

    Returns:
        a scalar, about log(2n - 1) for random codes.
    """
    n = len(first)
    views = functional.normalize(torch.cat([first, second]).float(), dim=1)  # (2n, d)
    similarity = views @ views.T / temperature  # (2n, 2n)
    itself = torch.eye(2 * n, dtype=torch.bool, device=views.device)
    others = torch.arange(2 * n, device=views.device).roll(n)  # row of the other view of the same image
    return functional.cross_entropy(similarity.masked_fill(itself, -torch.inf), others)


# ----------------------------------------------------------------------------------------------------------------------
# Two views of an image


def agree(network: Autoencoder, batch: Batch, config: TrainConfig) -> Parts:
    """Contrastive loss on the invariant dimensions of the code, and reconstruction from all of them.

    Colours and positions, which differ between views but are needed for reconstruction, go into the remaining
    dimensions, so that the two losses do not compete for the same ones.
    """
    views = torch.cat([random_views(batch.examples, config.augment, batch.generator) for _ in range(2)])
    codes = network.encode(views)
    n_decoded = max(2, round(config.reconstruction_share * len(batch.examples)))
    reconstruction = network.reconstruction_loss(network.decode(codes[:n_decoded]), views[:n_decoded])
    first, second = codes[:, : network.invariant_size].chunk(2)
    return _weighted(reconstruction, agreement_loss(first, second, config.temperature), config)


def agree_validation(network: Autoencoder, batch: Batch, config: TrainConfig) -> Parts:
    """As `agree`, but all images are decoded, and as they are."""
    first, second = (
        network.encode(random_views(batch.examples, config.augment, batch.generator))[:, : network.invariant_size]
        for _ in range(2)
    )
    agreement = agreement_loss(first, second, config.temperature)
    return _weighted(reconstruct(network, batch, config)["loss"], agreement, config)


def _weighted(reconstruction: Tensor, agreement: Tensor, config: TrainConfig) -> Parts:
    loss = config.reconstruction_weight * reconstruction + config.agreement_weight * agreement
    return {"loss": loss, "reconstruction": reconstruction, "agreement": agreement}


def check_agree(network: Autoencoder, n_classes: int) -> None:
    """Refuse networks whose examples have no views, or whose decoder needs more than the code.

    Raises:
        ModelError: examples that are not images, or a decoder with switches.
    """
    del n_classes
    if network.example_shape != IMAGE_SHAPE:
        raise ModelError("agree compares views of images, and these are none. Use the objective reconstruct.")
    check_decodes_codes(network, "agree")


def check_decodes_codes(network: Autoencoder, term: str) -> None:
    """Refuse networks whose decoder needs more than the code.

    Raises:
        ModelError: the decoder uses the encoder's switches.
    """
    if network.uses_switches:
        raise ModelError(f"{term} decodes codes alone, and this network's decoder needs switches too: use reconstruct.")


# ----------------------------------------------------------------------------------------------------------------------
# Reconstruction


def reconstruct(network: Autoencoder, batch: Batch, config: TrainConfig) -> Parts:
    """Reconstruction loss of the examples."""
    del config
    loss = network.reconstruction_loss(network(batch.examples)[1], batch.examples)
    return {"loss": loss, "reconstruction": loss}


def decode_only(network: Autoencoder, batch: Batch, config: TrainConfig) -> Parts:
    """Reconstruction loss that trains the decoder and the dimensions of the code that are not invariant.

    The loss of the decoder phase. While codes change, a decoder lags behind them; here the invariant dimensions are
    fixed, and the caller keeps the encoder in evaluation mode and out of the optimiser.
    """
    codes = network.encode(batch.examples)
    invariant, rest = codes[:, : network.invariant_size].detach(), codes[:, network.invariant_size :]
    decoded = network.decode(torch.cat([invariant, rest], 1))
    reconstruction = network.reconstruction_loss(decoded, batch.examples)
    return {"loss": config.reconstruction_weight * reconstruction, "reconstruction": reconstruction}


def denoise(network: Autoencoder, batch: Batch, config: TrainConfig) -> Parts:
    """Reconstruction loss of clean examples from noisy ones (Vincent et al. 2008)."""
    loss = network.reconstruction_loss(network(noisy(batch, config))[1], batch.examples)
    return {"loss": loss, "denoising": loss}


def noisy(batch: Batch, config: TrainConfig) -> Tensor:
    """Return the batch's examples with Gaussian noise added, or with a share of their values masked (set to 0)."""
    shape, device = batch.examples.shape, batch.examples.device
    if config.noise == "gaussian":
        return batch.examples + config.noise_level * torch.randn(shape, generator=batch.generator, device=device)
    return batch.examples * (torch.rand(shape, generator=batch.generator, device=device) >= config.noise_level)


def contractive(network: Autoencoder, batch: Batch, config: TrainConfig) -> Parts:
    """Mean squared Frobenius norm of the encoder's Jacobian: codes change little when examples do (Rifai et al. 2011).

    Exact where the network has a formula for it, otherwise estimated without bias: for a normal random v the squared
    length of v'J has the squared Frobenius norm of J as its mean (Hutchinson 1990).
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
