"""How the experiments on digits train: by the project's one training, with one recipe for deep networks.

Knows vectors and configurations; must not know what an experiment shows. What mattered to the error of a test digit
through 784-1000-500-250-30, most first (ten passes over MNIST): SiLU rather than ReLU (smooth units: 3.4 against 4.1),
a high rate that falls to nothing as a cosine (0.004: 3.1, 0.002: 3.4), more passes, and in long runs copies of the
digits moved by a pixel, which close the gap to the digits that were learned. Adam moves all weights: Muon does more
with a step, but its products outweigh those of so small a network several times. Squared error or cross-entropy made
no difference.
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
    """Training to reconstruct vectors such as these (n, d); the loss is then the squared error of one of them."""
    n, n_values = examples.shape
    return TrainConfig(
        epochs=epochs,
        batch_size=256 if n > FEW else 32,  # few examples need many steps more than they need large batches
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
    """The network that `config` trains on `examples`; `share` is the part of the experiment that this is, for progress.

    Raises:
        LabError: it was stopped before its end.
        ModelError: a training that cannot start.
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
        raise LabError("the experiment was stopped before its end, so that it found nothing.")
    return load_checkpoint(paths.model, lab.device.device)[0]


def measuring(device: DeviceChoice) -> DeviceChoice:
    """The same device in float32: what is measured and drawn is not to be rounded."""
    return replace(device, dtype=torch.float32)


def squared_error(network: Autoencoder, seen: NDArray[np.float32], wanted: NDArray[np.float32], lab: Lab) -> float:
    """Of what the network makes of vectors `seen` (n, d) beside those wanted: summed over values, mean over vectors."""
    made = reconstruct(network, seen, measuring(lab.device))
    return float(np.square(made - wanted, dtype=np.float64).sum(1).mean())


def moved(vectors: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Digits (n, side * side), then copies moved by a pixel up, down, left and right: (5 n, side * side)."""
    pictures = np.pad(vectors.reshape(-1, side, side), ((0, 0), (1, 1), (1, 1)))
    corners = ((1, 1), (2, 1), (0, 1), (1, 2), (1, 0))
    copies = [pictures[:, top : top + side, left : left + side] for top, left in corners]
    return np.concatenate(copies).reshape(-1, side * side)


def in_unit(vectors: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Grey values 0 to 255 as 0 to 1."""
    return vectors.astype(np.float32) / np.float32(255)


def as_grey(vectors: NDArray[np.float32], side: int) -> NDArray[np.uint8]:
    """Vectors (n, side * side) of values about 0..1 as pictures (n, side, side)."""
    grey: NDArray[np.uint8] = np.rint(255 * vectors.clip(0, 1)).astype(np.uint8).reshape(-1, side, side)
    return grey


def filters(network: Autoencoder, n: int, side: int) -> NDArray[np.uint8]:
    """What the first n units of layer one look for, as pictures (n, side, side): grey is 0, each on its own scale."""
    assert isinstance(network, DenseAutoencoder)
    weights = next(network.layers.parameters())[:n].detach().float().cpu().numpy()  # (n, side * side)
    scaled = 0.5 + 0.5 * weights / np.abs(weights).max(axis=1, keepdims=True)
    return as_grey(scaled, side)


def one_of_each(labels: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Places of the first example of each label, in the labels' order, at most n."""
    places: NDArray[np.int64] = np.unique(labels, return_index=True)[1][:n]
    return places
