"""Encode examples as codes, in memory and on disk, and decode codes to images."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imgsearch.autoencoder.card import ModelCard
from imgsearch.autoencoder.codes import CodesInfo, CodeWriter
from imgsearch.autoencoder.data.batches import Examples, as_examples
from imgsearch.autoencoder.networks.base import Autoencoder
from imgsearch.autoencoder.networks.registry import build_network
from imgsearch.device import DeviceChoice
from imgsearch.errors import Hint, ModelError
from imgsearch.paths import IndexPaths, exclusive
from imgsearch.progress import Progress, silent

BATCH_SIZE = 256  # on a CPU the maps of one batch then stay in the cache; a GPU is no slower with it
BLOCK_ROWS = 8192  # rows that are synced to disk together


def encode_images(
    network: Autoencoder, examples: Examples, device: DeviceChoice, *, batch_size: int = BATCH_SIZE
) -> NDArray[np.float32]:
    """Encode thumbnails (n, 32, 32, 3) uint8, or vectors (n, d), as codes (n, code_size) float32."""
    codes = np.empty((len(examples), network.code_size), np.float32)
    with torch.inference_mode(), device.autocast():
        for start in range(0, len(examples), batch_size):
            batch = as_examples(examples[start : start + batch_size], device.device)
            codes[start : start + batch_size] = network.encode(batch).float().cpu().numpy()
    return codes


def untrained_encoder(
    card: ModelCard, device: DeviceChoice, *, seed: int = 0
) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    """Return a function that encodes thumbnails by the card's network with random weights: a baseline for training."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build_network(card.network)
    network.to(device.device).eval()
    return lambda thumbnails: encode_images(network, thumbnails, device)


def reconstruct(network: Autoencoder, examples: NDArray[Any], device: DeviceChoice) -> NDArray[Any]:
    """Encode and decode examples; the reconstructions have the same shape and dtype."""
    made = np.empty_like(examples)
    with torch.inference_mode(), device.autocast():
        for start in range(0, len(examples), BATCH_SIZE):
            batch = as_examples(examples[start : start + BATCH_SIZE], device.device)
            made[start : start + BATCH_SIZE] = _as_stored(network(batch)[1], made.dtype)
    return made


def decode_codes(network: Autoencoder, codes: NDArray[np.floating], device: DeviceChoice) -> NDArray[np.uint8]:
    """Decode codes (n, code_size) to thumbnails (n, 32, 32, 3), or vectors (n, d), uint8."""
    made = []
    with torch.inference_mode(), device.autocast():
        for start in range(0, len(codes), BATCH_SIZE):
            batch = torch.from_numpy(np.asarray(codes[start : start + BATCH_SIZE], np.float32)).to(device.device)
            made.append(_as_stored(network.decode(batch), np.dtype(np.uint8)))
    if not made:
        made.append(np.empty((0, *_stored_shape(network)), np.uint8))
    return np.concatenate(made)


def update_codes(
    examples: Examples,
    paths: IndexPaths,
    network: Autoencoder,
    card: ModelCard,
    device: DeviceChoice,
    *,
    full: bool = False,
    on_progress: Progress = silent,
) -> CodesInfo:
    """Give every row a code of this model: only rows that lack one, or with `full` all of them.

    Goes on where an interrupted call ended. Removed rows get codes too: a row is a row everywhere.
    `examples` are thumbnails (n, 32, 32, 3) uint8 or vectors, usually the corpus's memory map; `on_progress` gets
    (rows done, rows in all).

    Raises:
        IndexDirectoryError: the codes cannot be written, or another process writes them.
        ModelError: the network computes codes that are NaN or infinite.
    """
    total = len(examples)
    with (
        exclusive(paths.codes, "encoding"),
        CodeWriter(paths.codes, card.digest, network.code_size, anew=full) as writer,
    ):
        while writer.info.rows < total:
            start = writer.info.rows
            codes = encode_images(network, examples[start : start + BLOCK_ROWS], device).astype(np.float16)
            if not np.isfinite(codes).all():
                message = "the model computes codes that are NaN or infinite."
                raise ModelError(message, hint=Hint.TRAIN_FROM_SCRATCH)
            writer.append(codes)
            on_progress(writer.info.rows, total)
        return writer.info


def _as_stored(values: Tensor, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Turn images and vectors in 0..1 back into the stored form, in uint8 or as floats; inverse of `as_examples`."""
    values = values.float()
    if dtype == np.uint8:
        values = values.mul(255).round_().to(torch.uint8)
    stored: NDArray[Any] = (values.permute(0, 2, 3, 1) if values.ndim == 4 else values).cpu().numpy()
    return stored


def _stored_shape(network: Autoencoder) -> tuple[int, ...]:
    shape = network.example_shape
    return (*shape[1:], shape[0]) if len(shape) == 3 else shape
