"""What a trained network gets before it is a model: whitened codes, and bits learned from them.

Knows networks by what they all offer; must not know the schedule of a training or files.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from imgsearch.autoencoder.augment import random_views
from imgsearch.autoencoder.base import Autoencoder
from imgsearch.autoencoder.config import TrainConfig
from imgsearch.autoencoder.encode import as_images, encode_images
from imgsearch.autoencoder.hashing import Hashing, rounded
from imgsearch.autoencoder.objectives import agreement_loss
from imgsearch.autoencoder.whitening import whitening_in_parts
from imgsearch.device import DeviceChoice

SAMPLE = 16_384  # images whose codes are measured for the whitening, and whose views teach the bits
VIEWS = 4  # of each, two of which are compared at a time
STEPS, BATCH = 300, 512  # of learning the bits
LONG_RATE, LONG_TEMPERATURE = 3e-3, 0.1
SHORT_RATE, SHORT_TEMPERATURE = 1e-2, 0.2


def finish(
    network: Autoencoder,
    thumbnails: NDArray[np.uint8],
    rows: NDArray[np.int64],
    config: TrainConfig,
    device: DeviceChoice,
) -> None:
    """Whiten the network's codes and learn its bits, both on a sample of `thumbnails[rows]`, (n, 32, 32, 3)."""
    network.eval().requires_grad_(False)
    sample = thumbnails[np.sort(np.random.default_rng(config.seed).permutation(rows)[:SAMPLE])]
    codes = torch.from_numpy(encode_images(network, sample, device))
    network.change_basis(*whitening_in_parts(codes, network.agreement_size, config.whitening, config.looks))
    learn_bits(network.hashing, view_codes(network, sample, config, device), config.seed)
    network.requires_grad_(True)


def view_codes(
    network: Autoencoder, thumbnails: NDArray[np.uint8], config: TrainConfig, device: DeviceChoice
) -> Tensor:
    """(VIEWS, n, code_size) codes of random views of thumbnails (n, 32, 32, 3)."""
    generator = torch.Generator(device.device).manual_seed(config.seed)
    codes = torch.empty(VIEWS, len(thumbnails), network.code_size, device=device.device)
    with torch.no_grad(), torch.autocast(device.device.type, device.dtype, enabled=device.dtype != torch.float32):
        for start in range(0, len(thumbnails), BATCH):
            images = as_images(thumbnails[start : start + BATCH], device.device)
            for view in codes:
                view[start : start + BATCH] = network.encode(random_views(images, config.augment, generator)).float()
    return codes


def learn_bits(hashing: Hashing, codes: Tensor, seed: int) -> None:
    """Learn the bits from codes of views, (views, n, code_size).

    The 256 bits have room for what the code knows: of each view they learn to be as near to other images' views as its
    code is. The 28 have not, and learn what the code learned: views of one image agree, others do not. Both are rounded
    in the forward pass, straight-through in the backward pass (Krizhevsky & Hinton, 2011).
    """
    views, n, _ = codes.shape
    hashing.requires_grad_(True)
    groups = [(hashing.long, LONG_RATE), (hashing.short, SHORT_RATE)]
    optimiser = torch.optim.Adam([{"params": layer.parameters(), "lr": rate} for layer, rate in groups])
    generator = torch.Generator().manual_seed(seed)
    steps = STEPS if n >= BATCH else max(1, STEPS * n // BATCH)
    for step in range(steps):
        for group, (_, rate) in zip(optimiser.param_groups, groups, strict=True):
            group["lr"] = rate * (1 - step / steps)
        rows = torch.randperm(n, generator=generator)[:BATCH]
        one, other = (codes[view, rows] for view in torch.randperm(views, generator=generator)[:2].tolist())
        (long, short), (other_long, other_short) = hashing(one), hashing(other)
        likeness = similarity_loss(rounded(long), rounded(other_long), one, other, LONG_TEMPERATURE)
        loss = likeness + agreement_loss(rounded(short), rounded(other_short), SHORT_TEMPERATURE)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimiser.step()


def similarity_loss(bits: Tensor, other_bits: Tensor, codes: Tensor, other_codes: Tensor, temperature: float) -> Tensor:
    """How far the bits' similarities (n, n) are from the codes': cross-entropy of softmaxed cosines; a scalar."""
    wanted, found = (
        functional.normalize(one, dim=1) @ functional.normalize(other, dim=1).T / temperature
        for one, other in ((codes, other_codes), (bits, other_bits))
    )
    return functional.cross_entropy(found, wanted.softmax(1))
