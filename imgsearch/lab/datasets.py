"""Handwritten digits for the experiments: MNIST from a file or a download, else scikit-learn's small digits."""

import logging
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imgsearch.errors import LabError
from imgsearch.lab.finding import SMALL, Lab
from imgsearch.paths import IndexPaths

N_SMALL_TRAIN, N_SMALL_TEST = 1000, 300  # for the small size, which runs for seconds
N_BUILT_IN_TEST = 397  # of scikit-learn's 1,797

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Digits:
    """Handwritten digits as vectors of grey values."""

    train: NDArray[np.uint8]  # (n, side * side), 0 to 255
    train_labels: NDArray[np.int64]  # (n,)
    test: NDArray[np.uint8]
    test_labels: NDArray[np.int64]
    side: int
    sentence: str  # on their source


def digits(lab: Lab) -> Digits:
    """Load MNIST from `lab.data` (mnist.npz) or a download; else, or for the small size without a file, 8x8 digits.

    Raises:
        LabError: the file does not contain MNIST.
    """
    path = lab.file("mnist.npz")
    if path is not None:
        found = _from_file(path)
    elif lab.size == SMALL:
        return _built_in("Scikit-learn's 1,797 digits of 8×8 pixels, which need no download.")
    else:
        downloaded = _downloaded(lab.paths)
        if downloaded is None:
            return _built_in(
                "Scikit-learn's 1,797 digits of 8×8 pixels, since MNIST could not be downloaded; figures differ."
            )
        found = downloaded
    if lab.size == SMALL:
        train, test = slice(N_SMALL_TRAIN), slice(N_SMALL_TEST)
        return Digits(
            found.train[train],
            found.train_labels[train],
            found.test[test],
            found.test_labels[test],
            found.side,
            f"The first {N_SMALL_TRAIN:,} digits of MNIST, tested on {N_SMALL_TEST}.",
        )
    return found


def _from_file(path: Path) -> Digits:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            parts = [arrays[name] for name in ("x_train", "y_train", "x_test", "y_test")]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise LabError(f"{path} is not MNIST as an .npz of x_train, y_train, x_test and y_test ({error}).") from error
    train, train_labels, test, test_labels = parts
    if train.dtype != np.uint8 or train.ndim != 3 or train.shape[1] != train.shape[2]:
        raise LabError(f"{path}: x_train must be uint8 (n, side, side), not {train.dtype} {train.shape}.")
    return _digits(train, train_labels, test, test_labels)


def _downloaded(paths: IndexPaths) -> Digits | None:
    from torchvision.datasets import MNIST  # slow to import

    folder = paths.lab / "download"
    try:
        parts = [MNIST(root=str(folder), train=train, download=True) for train in (True, False)]
    except (OSError, RuntimeError) as error:  # torchvision raises RuntimeError where every mirror failed
        logger.info("no MNIST: %s", error)
        return None
    (train, train_labels), (test, test_labels) = ((part.data.numpy(), part.targets.numpy()) for part in parts)
    return _digits(train, train_labels, test, test_labels)


def _digits(
    train: NDArray[np.uint8],
    train_labels: NDArray[np.integer],
    test: NDArray[np.uint8],
    test_labels: NDArray[np.integer],
) -> Digits:
    return Digits(
        train.reshape(len(train), -1),
        train_labels.astype(np.int64),
        test.reshape(len(test), -1),
        test_labels.astype(np.int64),
        train.shape[1],
        f"MNIST: {len(train):,} digits to train on, {len(test):,} to test.",
    )


def _built_in(sentence: str) -> Digits:
    from sklearn.datasets import load_digits  # slow to import

    pixels, labels = load_digits(return_X_y=True)
    grey = np.rint(pixels * (255 / 16)).astype(np.uint8)  # (1797, 64), from 0..16
    order = np.random.default_rng(0).permutation(len(grey))
    test, train = order[:N_BUILT_IN_TEST], order[N_BUILT_IN_TEST:]
    labels = labels.astype(np.int64)
    return Digits(grey[train], labels[train], grey[test], labels[test], 8, sentence)
