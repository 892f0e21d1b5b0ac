"""Digits through a narrow code of 30 numbers, and of two, compared with as many principal components.

Source: Hinton & Salakhutdinov, "Reducing the Dimensionality of Data with Neural Networks" (Science 2006). The network
is theirs, 784-1000-500-250-30 and its mirror image, but with SiLU units and Adam instead of sigmoids and pre-training;
see `learning` for the training.
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
NEIGHBOURS = 10  # vote on the label of a digit
DRAWN = 5000  # points in a plane
EPOCHS, FULL_EPOCHS = 20, 12  # the second over five copies of each digit


def run_30(lab: Lab) -> Finding:
    """Compare 784-1000-500-250-30 with PCA-30: squared error of a test digit, summed over its pixels in 0..1."""
    data = digits(lab)
    test = in_unit(data.test)
    chosen = one_of_each(data.test_labels, SHOWN)
    rows, errors = {"digits": as_grey(test[chosen], data.side)}, {}
    size = (
        30 if data.side > 8 else 8
    )  # 30 components keep nearly all of 64 values, so the comparison would show nothing
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
        conclusion=f"From {size} numbers, the deep network reconstructs a digit with {deep / linear:.0%} of the "
        f"squared error of as many principal components ({deep:.2f} against {linear:.2f}).",
        picture=rows_of_images(rows),
    )


def run_2d(lab: Lab) -> Finding:
    """Compare 784-1000-500-250-2 with PCA-2: the test digits in the plane, and the accuracy of ten neighbours."""
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
        columns=("code", f"accuracy of {NEIGHBOURS} neighbours"),
        lines=tuple((name, f"{share:.1%}") for name, share in accuracies.items()),
        figures={"neighbours_right": accuracies, "neighbours": NEIGHBOURS},
        conclusion=f"Neither method saw a label. In the deep network's plane, the {NEIGHBOURS} nearest training digits "
        f"give {accuracies['deep-2']:.0%} of the test digits the right label; in the plane of PCA, "
        f"{accuracies['PCA-2']:.0%}.",
        picture=planes(points),
    )


def both(lab: Lab, data: Digits, code_size: int) -> dict[str, Autoencoder]:
    """Train the linear and the deep autoencoder, both with codes of `code_size` numbers."""
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
    codes: NDArray[np.float32], labels: NDArray[np.int64], queries: NDArray[np.float32], wanted: NDArray[np.int64]
) -> float:
    """Return the share of `queries` (m, d) whose label is that of most of their nearest `codes` (n, d), Euclidean."""
    votes = knn_vote(labels[k_nearest(codes, queries, NEIGHBOURS, L2)], NEIGHBOURS)
    return float((votes == wanted).mean())
