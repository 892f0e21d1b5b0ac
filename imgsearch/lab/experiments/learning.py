"""Training of networks on vectors, shared by the experiments on digits: one recipe, and measures of the result.

Effects on the error of a test digit through 784-1000-500-250-30, largest first, in ten epochs of MNIST: SiLU instead of
ReLU units (3.4 against 4.1); a high learning rate that falls to zero as a cosine (0.004: 3.1, 0.002: 3.4); more epochs;
and in long runs, copies of the digits shifted by a pixel, which close the gap between training and test error. Adam
updates all weights: Muon learns more per step, but its matrix products are slow for so small a network. Squared error
and cross-entropy gave the same result.
"""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from imgsearch.autoencoder.checkpoint import load_checkpoint
from imgsearch.autoencoder.config import TrainConfig
from imgsearch.autoencoder.data.batches import Examples
from imgsearch.autoencoder.encode import reconstruct
from imgsearch.autoencoder.networks.base import Autoencoder
from imgsearch.autoencoder.networks.config import NetworkConfig
from imgsearch.autoencoder.networks.dense import DenseAutoencoder
from imgsearch.autoencoder.training.train import train
from imgsearch.device import DeviceChoice
from imgsearch.errors import LabError
from imgsearch.lab.finding import Lab
from imgsearch.progress import part_of

FEW = 10_000


def recipe(network: NetworkConfig, examples: Examples, epochs: int, seed: int) -> TrainConfig:
    """Return a configuration for reconstructing vectors (n, d); its loss is the squared error per vector."""
    n, n_values = examples.shape
    return TrainConfig(
        epochs=epochs,
        batch_size=256 if n > FEW else 32,  # with few examples, many small steps work better
        matrix_rate=0.0,
        learning_rate=4e-3,
        whitening=0.0,
        objective=(("reconstruct", float(n_values)),),
        seed=seed,
        network=network,
    )


def learn(
    lab: Lab, examples: Examples, name: str, config: TrainConfig, share: tuple[float, float] = (0.0, 1.0)
) -> Autoencoder:
    """Train a network on `examples` and return it; `share` is the part of the experiment that this takes.

    Raises:
        LabError: the experiment was stopped.
        ModelError: the training cannot start.
    """
    paths, report = lab.scratch(name), part_of(lab.on_progress, *share)
    train(
        examples,
        np.arange(len(examples)),
        paths,
        config,
        resume=False,
        device=lab.device,
        on_progress=lambda progress: report(
            progress.fraction, 1, f"{name}, epoch {progress.epoch}, loss {progress.loss:.3g}"
        ),
        stop=lab.stop,
    )
    if lab.stop():
        raise LabError("the experiment was stopped before its end.")
    return load_checkpoint(paths.model, lab.device.device)[0]


def measuring(device: DeviceChoice) -> DeviceChoice:
    """Return the same device with float32, so that measures and pictures are not rounded."""
    return replace(device, dtype=torch.float32)


def squared_error(network: Autoencoder, seen: NDArray[np.float32], wanted: NDArray[np.float32], lab: Lab) -> float:
    """Return the squared error of outputs for `seen` (n, d) against `wanted`: sum over values, mean over vectors."""
    made = reconstruct(network, seen, measuring(lab.device))
    return float(np.square(made - wanted, dtype=np.float64).sum(1).mean())


def moved(vectors: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return digits (n, side * side) and copies shifted by a pixel up, down, left and right: (5 n, side * side)."""
    pictures = np.pad(vectors.reshape(-1, side, side), ((0, 0), (1, 1), (1, 1)))
    corners = ((1, 1), (2, 1), (0, 1), (1, 2), (1, 0))
    copies = [pictures[:, top : top + side, left : left + side] for top, left in corners]
    return np.concatenate(copies).reshape(-1, side * side)


def in_unit(vectors: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Scale grey values from 0..255 to 0..1."""
    return vectors.astype(np.float32) / np.float32(255)


def as_grey(vectors: NDArray[np.float32], side: int) -> NDArray[np.uint8]:
    """Convert vectors (n, side * side) of values about 0..1 to images (n, side, side)."""
    grey: NDArray[np.uint8] = np.rint(255 * vectors.clip(0, 1)).astype(np.uint8).reshape(-1, side, side)
    return grey


def filters(network: Autoencoder, n: int, side: int) -> NDArray[np.uint8]:
    """Return the weights of the first n units of layer one as images (n, side, side), each scaled; grey is 0."""
    assert isinstance(network, DenseAutoencoder)
    weights = next(network.layers.parameters())[:n].detach().float().cpu().numpy()  # (n, side * side)
    scaled = 0.5 + 0.5 * weights / np.abs(weights).max(axis=1, keepdims=True)
    return as_grey(scaled, side)


def one_of_each(labels: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Return the indices of the first example of each label, sorted by label, at most n."""
    places: NDArray[np.int64] = np.unique(labels, return_index=True)[1][:n]
    return places
