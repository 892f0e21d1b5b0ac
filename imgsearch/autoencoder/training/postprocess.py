"""What a trained network gets before it is a model: whitened codes, and a short binary code learned from them.

Knows networks by what they all offer; must not know the schedule of a training or files.
"""

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
from imgsearch.autoencoder.training.whitening import whitening_in_parts
from imgsearch.device import DeviceChoice

SAMPLE = 16_384  # images whose codes are measured for whitening and bits
VIEWS = 4  # of each, two of which are compared at a time
STEPS, BATCH, RATE, TEMPERATURE = 300, 512, 1e-2, 0.2  # of learning the short binary code


def finish(
    network: Autoencoder,
    examples: Examples,
    rows: NDArray[np.int64],
    config: TrainConfig,
    device: DeviceChoice,
) -> None:
    """Whiten the network's codes and learn its bits, both on a sample of `examples[rows]`.

    Codes that are compared by Euclidean distance stay as they are: there the loudest directions are to be heard. Bits
    are learned of images, which have views; those of other examples remain a random rotation.
    """
    network.eval().requires_grad_(False)
    sample = examples[np.sort(np.random.default_rng(config.seed).permutation(rows)[:SAMPLE])]
    if network.metric == "cosine":
        codes = torch.from_numpy(encode_images(network, sample, device))
        matrix, mean = whitening_in_parts(codes, network.invariant_size, config.whitening, config.appearance_weight)
        network.change_basis(matrix, mean)
    if network.example_shape == IMAGE_SHAPE:
        learn_short_bits(network.hashing, view_codes(network, sample, config, device), config.seed)
    network.requires_grad_(True)


def view_codes(
    network: Autoencoder, thumbnails: NDArray[np.uint8], config: TrainConfig, device: DeviceChoice
) -> Tensor:
    """(VIEWS, n, code_size) codes of random views of thumbnails (n, 32, 32, 3)."""
    generator = torch.Generator(device.device).manual_seed(config.seed)
    codes = torch.empty(VIEWS, len(thumbnails), network.code_size, device=device.device)
    with torch.no_grad(), device.autocast():
        for start in range(0, len(thumbnails), BATCH):
            images = as_examples(thumbnails[start : start + BATCH], device.device)
            for view in codes:
                view[start : start + BATCH] = network.encode(random_views(images, config.augment, generator)).float()
    return codes


def learn_short_bits(hashing: Hashing, codes: Tensor, seed: int) -> None:
    """Learn the 28 bits from codes of views, (views, n, code_size): views of one image agree, others do not.

    So few bits cannot hold what a code knows; they learn what the code learned. They are rounded in the forward pass,
    straight-through in the backward pass (Krizhevsky & Hinton, 2011).
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
