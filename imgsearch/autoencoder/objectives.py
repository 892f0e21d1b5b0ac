"""What training minimises. Knows networks by what they all offer; must not know data, files or optimisers."""

import torch
from torch import Tensor
from torch.nn import functional

from imgsearch.autoencoder.augment import random_views
from imgsearch.autoencoder.base import Autoencoder
from imgsearch.autoencoder.config import TrainConfig
from imgsearch.device import DeviceChoice


def reconstruction_loss(reconstructions: Tensor, images: Tensor) -> Tensor:
    """Mean squared error per value, both (n, 3, 32, 32) in 0..1; a scalar."""
    return functional.mse_loss(reconstructions, images)


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
# The two stages of a training. Each gives loss, reconstruction and agreement, scalars.


def objective(network: Autoencoder, views: Tensor, config: TrainConfig) -> tuple[Tensor, Tensor, Tensor]:
    """Of the first stage. `views` (2b, 3, 32, 32) holds the first views, then their twins.

    Views agree on the first numbers of the code alone. What they cannot agree on (colours, places) and a
    reconstruction needs has the rest to itself, so that neither has to pay for the other.
    """
    network.train()
    codes = network.encode(views)
    n_decoded = max(2, round(config.reconstruction_share * len(views) / 2))
    reconstruction = reconstruction_loss(network.decode(codes[:n_decoded]), views[:n_decoded])
    first, second = codes[:, : network.agreement_size].chunk(2)
    agreement = agreement_loss(first, second, config.temperature)
    return weighted(reconstruction, agreement, config), reconstruction, agreement


def last_objective(network: Autoencoder, images: Tensor, config: TrainConfig) -> tuple[Tensor, Tensor, Tensor]:
    """Of the last stage: images (b, 3, 32, 32) as they are, and only the decoder and the rest of the code learn.

    The views' agreement pulls the codes about while the decoder learns to read them; here it reads what they became.
    """
    network.eval()
    codes = network.encode(images)
    agreed, rest = codes[:, : network.agreement_size].detach(), codes[:, network.agreement_size :]
    network.train()
    reconstruction = reconstruction_loss(network.decode(torch.cat([agreed, rest], 1)), images)
    agreement = torch.zeros((), device=images.device)
    return weighted(reconstruction, agreement, config), reconstruction, agreement


def weighted(reconstruction: Tensor, agreement: Tensor, config: TrainConfig) -> Tensor:
    """The sum that is minimised."""
    return config.reconstruction_weight * reconstruction + config.agreement_weight * agreement


def validate(network: Autoencoder, images: Tensor, config: TrainConfig, device: DeviceChoice) -> dict[str, float]:
    """Losses on the validation images (n, 3, 32, 32): two views that are the same ones at every call."""
    generator = torch.Generator(device.device).manual_seed(config.seed)
    network.eval()
    with torch.no_grad(), torch.autocast(device.device.type, device.dtype, enabled=device.dtype != torch.float32):
        reconstruction = reconstruction_loss(network(images)[1].float(), images)
        first, second = (
            network.encode(random_views(images, config.augment, generator))[:, : network.agreement_size]
            for _ in range(2)
        )
        agreement = agreement_loss(first, second, config.temperature)
    loss = weighted(reconstruction, agreement, config)
    return {"loss": loss.item(), "reconstruction": reconstruction.item(), "agreement": agreement.item()}
