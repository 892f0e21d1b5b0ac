"""Postprocess a trained network: whiten its codes, and learn a short binary code from them."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imgsearch.autoencoder.config import TrainConfig
from imgsearch.autoencoder.data.augment import random_views
from imgsearch.autoencoder.data.batches import Examples, as_examples
from imgsearch.autoencoder.encode import encode_images
from imgsearch.autoencoder.networks.base import Autoencoder
from imgsearch.autoencoder.networks.config import IMAGE_SHAPE
from imgsearch.autoencoder.networks.hashing import Hashing, rounded
from imgsearch.autoencoder.objectives.unsupervised import agreement_loss
from imgsearch.device import DeviceChoice
from imgsearch.linear import Array, moments

SAMPLE = 16_384  # images whose codes are used for whitening and bits
VIEWS = 4  # of each image; two of them are compared at a time
STEPS, BATCH, RATE, TEMPERATURE = 300, 512, 1e-2, 0.2  # for learning the short binary code
LEAST_VARIANCE = 1e-6  # of a direction of codes, relative to their mean variance, when it is whitened


def postprocess(
    network: Autoencoder, examples: Examples, rows: NDArray[np.int64], config: TrainConfig, device: DeviceChoice
) -> None:
    """Whiten the network's codes and learn its bits, both on a sample of `examples[rows]`.

    Codes that are compared by Euclidean distance are not whitened: there the directions of large variance are meant to
    count most. Bits are learned from views of images; for other examples they remain a random rotation.
    """
    network.eval().requires_grad_(False)
    sample = examples[np.sort(np.random.default_rng(config.seed).permutation(rows)[:SAMPLE])]
    if network.metric == "cosine":
        codes = encode_images(network, sample, device)
        matrix, mean = whitening_in_parts(codes, network.invariant_size, config.whitening, config.appearance_weight)
        network.change_basis(torch.from_numpy(matrix), torch.from_numpy(mean))
    if network.example_shape == IMAGE_SHAPE:
        learn_short_bits(network.hashing, view_codes(network, sample, config, device), config.seed)
    network.requires_grad_(True)


# ----------------------------------------------------------------------------------------------------------------------
# Whitening. An autoencoder's code varies much in a few directions (brightness, colour temperature) and little in those
# that distinguish kinds of things; the cosine is dominated by the former. Whitening brings their variances together.


def whitening(codes: NDArray[np.floating], strength: float) -> tuple[Array, Array]:
    """Return a matrix (d, d) and a mean (d,) such that `(codes - mean) @ matrix` is whitened; float64.

    Args:
        codes: (n, d), at least one.
        strength: each principal direction is divided by its variance to this power: 0.5 makes all variances equal,
            0 leaves them. The matrix is symmetric, so that directions keep their place.

    The fewer the codes, the more their covariance is shrunk towards a multiple of the identity, so that directions that
    vary little by chance are not amplified.
    """
    n, d = codes.shape
    found = moments([codes.astype(np.float64)])
    noise = d / (d + n)  # the share of the estimate that is chance, roughly
    level = found.covariance.diagonal().mean() + np.finfo(np.float32).tiny
    covariance = (1 - noise) * found.covariance / level + noise * np.eye(d)  # variances about 1: the codes' size stays
    variances, vectors = np.linalg.eigh(covariance)
    matrix: Array = vectors * np.maximum(variances, LEAST_VARIANCE) ** -strength @ vectors.T
    return matrix, found.mean


def whitening_in_parts(
    codes: NDArray[np.floating], invariant_size: int, strength: float, appearance_weight: float
) -> tuple[Array, Array]:
    """Return the whitening of the invariant dimensions and of the appearance dimensions, each on their own.

    The appearance dimensions are scaled to `appearance_weight` times the RMS length of the invariant ones: their
    weight in a cosine.

    Returns:
        a block-diagonal matrix (d, d) and a mean (d,), float64.
    """
    parts = [part for part in (codes[:, :invariant_size], codes[:, invariant_size:]) if part.shape[1]]
    solved = [whitening(part, strength) for part in parts]
    lengths = [
        np.sqrt(np.square((part.astype(np.float64) - mean) @ matrix).sum(axis=1).mean())
        for part, (matrix, mean) in zip(parts, solved, strict=True)
    ]
    weights = [1.0] + [appearance_weight * lengths[0] / length if length > 0 else 1.0 for length in lengths[1:]]
    matrix = np.zeros((codes.shape[1], codes.shape[1]))
    start = 0
    for weight, (part, _) in zip(weights, solved, strict=True):
        stop = start + len(part)
        matrix[start:stop, start:stop] = weight * part
        start = stop
    return matrix, np.concatenate([mean for _, mean in solved])


# ----------------------------------------------------------------------------------------------------------------------
# The short binary code


def view_codes(
    network: Autoencoder, thumbnails: NDArray[np.uint8], config: TrainConfig, device: DeviceChoice
) -> Tensor:
    """Return the codes (VIEWS, n, code_size) of random views of thumbnails (n, 32, 32, 3)."""
    generator = torch.Generator(device.device).manual_seed(config.seed)
    codes = torch.empty(VIEWS, len(thumbnails), network.code_size, device=device.device)
    with torch.no_grad(), device.autocast():
        for start in range(0, len(thumbnails), BATCH):
            images = as_examples(thumbnails[start : start + BATCH], device.device)
            for view in codes:
                view[start : start + BATCH] = network.encode(random_views(images, config.augment, generator)).float()
    return codes


def learn_short_bits(hashing: Hashing, codes: Tensor, seed: int) -> None:
    """Learn the 28 bits from codes of views, (views, n, code_size), by the contrastive loss on the bits.

    Bits are rounded in the forward pass; the backward pass is straight-through (Krizhevsky & Hinton, 2011).
    """
    views, n, _ = codes.shape
    hashing.requires_grad_(True)
    optimiser = torch.optim.Adam(hashing.short.parameters(), RATE)
    generator = torch.Generator().manual_seed(seed)
    steps = STEPS if n >= BATCH else max(1, STEPS * n // BATCH)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = RATE * (1 - step / steps)
        rows = torch.randperm(n, generator=generator)[:BATCH]
        one, other = (codes[view, rows] for view in torch.randperm(views, generator=generator)[:2].tolist())
        loss = agreement_loss(rounded(hashing(one)), rounded(hashing(other)), TEMPERATURE)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimiser.step()
