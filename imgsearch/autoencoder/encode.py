"""Thumbnails to codes: in batches, in blocks of rows on disk, and back to pictures. Must not know the index."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imgsearch.autoencoder.base import Autoencoder
from imgsearch.autoencoder.card import ModelCard
from imgsearch.autoencoder.codes import CodesInfo, CodeWriter
from imgsearch.autoencoder.networks import build_network
from imgsearch.device import DeviceChoice
from imgsearch.errors import ModelError
from imgsearch.paths import IndexPaths, exclusive

BATCH_SIZE = 256  # on a CPU the maps of one batch then stay in the cache; a GPU is as good with more
BLOCK_ROWS = 8192  # rows that are synced to disk together


def encode_images(
    network: Autoencoder, thumbnails: NDArray[np.uint8], device: DeviceChoice, *, batch_size: int = BATCH_SIZE
) -> NDArray[np.float32]:
    """Codes of thumbnails: (n, 32, 32, 3) uint8 to (n, code_size) float32."""
    codes = np.empty((len(thumbnails), network.code_size), np.float32)
    with torch.inference_mode(), _precision(device):
        for start in range(0, len(thumbnails), batch_size):
            images = as_images(thumbnails[start : start + batch_size], device.device)
            codes[start : start + batch_size] = network.encode(images).float().cpu().numpy()
    return codes


def untrained_encoder(
    card: ModelCard, device: DeviceChoice, *, seed: int = 0
) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    """Codes of thumbnails by the card's kind of network as it is born: what training is measured against."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build_network(card.network)
    network.to(device.device).eval()
    return lambda thumbnails: encode_images(network, thumbnails, device)


def reconstruct(network: Autoencoder, thumbnails: NDArray[np.uint8], device: DeviceChoice) -> NDArray[np.uint8]:
    """What the decoder makes of the thumbnails' codes: (n, 32, 32, 3) uint8 to the same."""
    pictures = np.empty_like(thumbnails)
    with torch.inference_mode(), _precision(device):
        for start in range(0, len(thumbnails), BATCH_SIZE):
            images = as_images(thumbnails[start : start + BATCH_SIZE], device.device)
            decoded = network.decode(network.encode(images)).float()  # (n, 3, 32, 32) in 0..1
            pixels = decoded.mul(255).round_().to(torch.uint8).permute(0, 2, 3, 1)
            pictures[start : start + BATCH_SIZE] = pixels.cpu().numpy()
    return pictures


def update_codes(
    thumbnails: NDArray[np.uint8],
    paths: IndexPaths,
    network: Autoencoder,
    card: ModelCard,
    device: DeviceChoice,
    *,
    full: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> CodesInfo:
    """Give every row a code of this model: only rows that lack one, or with `full` all of them.

    Goes on where an interrupted call ended. Removed rows get codes too: a row is a row everywhere.
    `thumbnails` is (n, 32, 32, 3) uint8, usually the corpus's memory map; `on_progress` gets (rows done, rows in all).

    Raises:
        IndexDirectoryError: the codes cannot be written, or another process writes them.
        ModelError: the network gives codes that are no numbers.
    """
    total = len(thumbnails)
    with (
        exclusive(paths.codes, "encoding"),
        CodeWriter(paths.codes, card.digest, network.code_size, anew=full) as writer,
    ):
        while writer.info.rows < total:
            start = writer.info.rows
            codes = encode_images(network, thumbnails[start : start + BLOCK_ROWS], device).astype(np.float16)
            if not np.isfinite(codes).all():
                raise ModelError("the model gives codes that are no numbers. Type: imgsearch train --from scratch")
            writer.append(codes)
            if on_progress:
                on_progress(writer.info.rows, total)
        return writer.info


def as_images(thumbnails: NDArray[np.uint8], device: torch.device) -> Tensor:
    """Thumbnails (n, 32, 32, 3) uint8 to images (n, 3, 32, 32) float in 0..1 on the device, channels last in memory."""
    pixels = torch.from_numpy(np.array(thumbnails)).to(device)
    return pixels.permute(0, 3, 1, 2).float().div_(255)


def _precision(device: DeviceChoice) -> torch.autocast:
    return torch.autocast(device.device.type, device.dtype, enabled=device.dtype != torch.float32)
