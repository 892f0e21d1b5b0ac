"""Handwritten digits through a narrow code: 30 numbers, beside principal components of as many.

Source: Hinton & Salakhutdinov, "Reducing the Dimensionality of Data with Neural Networks" (Science 2006).
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from imgsearch.autoencoder.checkpoint import load_checkpoint
from imgsearch.autoencoder.config import TrainConfig
from imgsearch.autoencoder.dense import DenseConfig
from imgsearch.autoencoder.encode import reconstruct
from imgsearch.autoencoder.networks import NetworkConfig
from imgsearch.autoencoder.pca import PcaConfig
from imgsearch.autoencoder.train import train
from imgsearch.lab.datasets import Digits, digits
from imgsearch.lab.drawing import rows_of_images
from imgsearch.lab.finding import Finding, Lab

SHOWN = 10  # digits in the picture


def run_30(lab: Lab) -> Finding:
    """784-1000-500-250-30 beside PCA-30: squared error of a test digit, summed over its pixels in 0..1."""
    data = digits(lab)
    n_values = data.side**2
    hidden = (1000, 500, 250) if lab.size != "small" else (128, 64)
    networks: dict[str, NetworkConfig] = {
        "PCA-30": PcaConfig(30, (n_values,)),
        "deep-30": DenseConfig((n_values, *hidden, 30)),
    }
    shown = [np.flatnonzero(data.test_labels == label)[0] for label in np.unique(data.test_labels)][:SHOWN]
    rows = {"digits": _pictures(data.test[shown], data)}
    errors = {}
    for name, network in networks.items():
        decoded = _reconstructions(lab, data, name, network)
        errors[name] = float(np.square((decoded.astype(float) - data.test) / 255).sum(1).mean())
        rows[name] = _pictures(decoded[shown], data)
    return Finding(
        name="digits-30",
        title="Digits through a code of 30 numbers",
        source="Hinton & Salakhutdinov 2006",
        data=data.sentence,
        columns=("code", "squared error of a test digit"),
        lines=tuple((name, f"{error:.2f}") for name, error in errors.items()),
        figures={"squared_error": errors},
        conclusion=f"The deep code of 30 numbers loses {errors['deep-30'] / errors['PCA-30']:.0%} of what PCA loses.",
        picture=rows_of_images(rows),
    )


def _reconstructions(lab: Lab, data: Digits, name: str, network: NetworkConfig) -> NDArray[np.uint8]:
    config = TrainConfig(
        objective=(("reconstruct", 1.0),), whitening=0.0, batch_size=128, seed=lab.seed, network=network
    )
    config = replace(config, **lab.by_size({"epochs": 30}, {"minutes": 4.0}, {"minutes": 30.0}))
    paths = lab.scratch(f"digits-{name}")
    train(
        data.train,
        np.arange(len(data.train)),
        paths,
        config,
        go_on=False,
        device=lab.device,
        on_progress=lambda progress: lab.tell(progress.fraction, f"{name}, {progress.doing}"),
        stop=lab.stop,
    )
    trained, _ = load_checkpoint(paths.model, lab.device.device)
    decoded: NDArray[np.uint8] = reconstruct(trained, data.test, lab.device)
    return decoded


def _pictures(vectors: NDArray[np.uint8], data: Digits) -> NDArray[np.uint8]:
    return vectors.reshape(-1, data.side, data.side)
