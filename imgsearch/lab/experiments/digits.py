"""Handwritten digits through a narrow code: of 30 numbers, and of two, beside as many principal components.

Source: Hinton & Salakhutdinov, "Reducing the Dimensionality of Data with Neural Networks" (Science 2006). The network
is theirs, 784-1000-500-250-30 and its mirror, but with SiLU units and Adam instead of sigmoids and pre-training;
how it is trained, and what mattered, stands in `learning`.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from imgsearch.autoencoder.encode import encode_images, reconstruct
from imgsearch.autoencoder.networks.base import Autoencoder
from imgsearch.autoencoder.networks.config import DenseConfig, PcaConfig
from imgsearch.lab.datasets import Digits, digits
from imgsearch.lab.drawing import planes, rows_of_images
from imgsearch.lab.experiments.learning import (
    as_grey,
    in_unit,
    learn,
    measuring,
    moved,
    one_of_each,
    recipe,
    squared_error,
)
from imgsearch.lab.finding import FULL, Finding, Lab
from imgsearch.retrieval.evaluation.metrics import knn_vote
from imgsearch.retrieval.index.index_info import L2
from imgsearch.retrieval.index.ranking import k_nearest

HIDDEN, SMALL_HIDDEN = (1000, 500, 250), (128, 64)
SHOWN = 10  # digits in the picture
NEIGHBOURS = 10  # that vote on a digit's label
DRAWN = 5000  # points in a plane
EPOCHS, FULL_EPOCHS = 20, 12  # the latter over five copies of each digit


def run_30(lab: Lab) -> Finding:
    """784-1000-500-250-30 beside PCA-30: squared error of a test digit, summed over its pixels in 0..1."""
    data = digits(lab)
    test = in_unit(data.test)
    chosen = one_of_each(data.test_labels, SHOWN)
    rows, errors = {"digits": as_grey(test[chosen], data.side)}, {}
    size = 30 if data.side > 8 else 8  # of 64 values 30 components keep nearly all: nothing would be seen
    for name, network in both(lab, data, size).items():
        made = reconstruct(network, test[chosen], measuring(lab.device))
        rows[name] = as_grey(made, data.side)
        errors[name] = squared_error(network, test, test, lab)
    linear, deep = errors.values()
    return Finding(
        name="digits-30",
        title=f"Digits through a code of {size} numbers",
        source="Hinton & Salakhutdinov 2006",
        data=data.sentence,
        columns=("code", "squared error of a test digit"),
        lines=tuple((name, f"{error:.2f}") for name, error in errors.items()),
        figures={"squared_error": errors},
        conclusion=f"From {size} numbers the deep network brings a digit back with {deep / linear:.0%} of the squared "
        f"error of as many principal components ({deep:.2f} against {linear:.2f}).",
        picture=rows_of_images(rows),
    )


def run_2d(lab: Lab) -> Finding:
    """784-1000-500-250-2 beside PCA-2: the test digits in the plane, and how often ten neighbours name a digit."""
    data = digits(lab)
    points, accuracies = {}, {}
    for name, network in both(lab, data, 2).items():
        codes = [encode_images(network, part, measuring(lab.device)) for part in (data.train, data.test)]
        points[name] = (codes[1][:DRAWN], data.test_labels[:DRAWN])
        lab.on_progress(0.95, 1, f"{name}, finding neighbours")
        accuracies[name] = neighbours_right(codes[0], data.train_labels, codes[1], data.test_labels)
    return Finding(
        name="digits-2d",
        title="Digits in the plane of a code of two numbers",
        source="Hinton & Salakhutdinov 2006",
        data=data.sentence,
        columns=("code", f"named right by {NEIGHBOURS} neighbours"),
        lines=tuple((name, f"{share:.1%}") for name, share in accuracies.items()),
        figures={"neighbours_right": accuracies, "neighbours": NEIGHBOURS},
        conclusion=f"No label was shown to either, yet in the deep network's plane the {NEIGHBOURS} nearest training "
        f"digits name {accuracies['deep-2']:.0%} of the test digits rightly; in that of PCA {accuracies['PCA-2']:.0%}.",
        picture=planes(points),
    )


def both(lab: Lab, data: Digits, code_size: int) -> dict[str, Autoencoder]:
    """The linear autoencoder and the deep one, both with codes of `code_size` numbers, trained."""
    n_values, hidden = data.side**2, lab.by_size(SMALL_HIDDEN, HIDDEN, HIDDEN)
    linear = PcaConfig(code_size, (n_values,))
    deep = DenseConfig((n_values, *hidden, code_size), activation="silu")
    examples = moved(data.train, data.side) if lab.size == FULL else data.train
    config = recipe(deep, examples, lab.by_size(15, EPOCHS, FULL_EPOCHS), lab.seed)
    names = f"PCA-{code_size}", f"deep-{code_size}"
    return {
        names[0]: learn(lab, data.train, names[0], replace(config, network=linear), (0.0, 0.05)),
        names[1]: learn(lab, examples, names[1], config, (0.05, 0.95)),
    }


def neighbours_right(
    codes: NDArray[np.float32], labels: NDArray[np.int64], asking: NDArray[np.float32], wanted: NDArray[np.int64]
) -> float:
    """The share of `asking` (m, d) whose label most of the nearest of `codes` (n, d) carry, by Euclidean distance."""
    votes = knn_vote(labels[k_nearest(codes, asking, NEIGHBOURS, L2)], NEIGHBOURS)
    return float((votes == wanted).mean())
