from dataclasses import replace
from itertools import count

import numpy as np
import pytest
import torch

from imgsearch.autoencoder.networks.config import DenseConfig
from imgsearch.autoencoder.networks.dense import DenseAutoencoder
from imgsearch.errors import LabError
from imgsearch.lab.experiments.learning import filters, in_unit, learn, moved, one_of_each, recipe, squared_error
from imgsearch.lab.finding import Lab
from tests.support.progress import RecordedProgress

NETWORK = DenseConfig((16, 8, 4), activation="silu")


def vectors(n: int = 200) -> np.ndarray:
    """Vectors of 16 values that depend on three numbers."""
    random = np.random.default_rng(0)
    return np.rint(85 * random.random((n, 3)) @ random.random((3, 16))).astype(np.uint8)


def test_reconstructions_are_better_than_the_mean(lab: Lab) -> None:
    examples = vectors()
    trained = learn(lab, examples, "toy", recipe(NETWORK, examples, 100, 0))
    spread = float(np.square(in_unit(examples) - in_unit(examples).mean(0)).sum(1).mean())
    assert squared_error(trained, in_unit(examples), in_unit(examples), lab) < 0.5 * spread


def test_progress_is_a_part_of_the_experiment_s_and_rises(lab: Lab) -> None:
    seen = RecordedProgress()
    examples = vectors()
    watched = replace(lab, on_progress=seen)
    learn(watched, examples, "toy", recipe(NETWORK, examples, 2, 0), (0.5, 0.75))
    assert seen.shares == sorted(seen.shares)
    assert seen.shares[0] == pytest.approx(0.5)
    assert seen.shares[-1] == pytest.approx(0.75)


def test_a_training_that_was_stopped_gives_no_finding(lab: Lab) -> None:
    examples, asked = vectors(), count()
    with pytest.raises(LabError, match="stopped"):
        learn(replace(lab, stop=lambda: next(asked) >= 5), examples, "toy", recipe(NETWORK, examples, 30, 0))


def test_units_are_drawn_around_grey_each_on_its_own_scale() -> None:
    network = DenseAutoencoder(DenseConfig((4, 2)))
    with torch.no_grad():
        network.code_layer.weight.copy_(torch.tensor([[0.0, 1.0, -1.0, 0.5], [0.0, 0.0, 0.2, 0.0]]))
    drawn = filters(network, 2, 2)
    assert drawn.tolist() == [[[128, 255], [0, 191]], [[128, 128], [255, 128]]]


def test_one_example_of_each_label_is_shown() -> None:
    labels = np.array([3, 3, 1, 0, 1, 2])
    assert one_of_each(labels, 10).tolist() == [3, 2, 5, 0]  # the first 0, 1, 2 and 3
    assert one_of_each(labels, 2).tolist() == [3, 2]


def test_digits_are_shifted_by_a_pixel_each_way_without_wrapping() -> None:
    copies = moved(np.array([[1, 2, 3, 4]], np.uint8), 2).reshape(5, 2, 2)
    assert copies.tolist() == [
        [[1, 2], [3, 4]],
        [[3, 4], [0, 0]],  # up
        [[0, 0], [1, 2]],
        [[2, 0], [4, 0]],  # left
        [[0, 1], [0, 3]],
    ]
