"""The lab's experiment on pre-training, at its small size."""

import numpy as np
import pytest

from imgsearch.errors import LabError
from imgsearch.lab.datasets import digits
from imgsearch.lab.experiments.pretraining import run
from imgsearch.lab.finding import Lab
from imgsearch.lab.stacks import balanced_rows, draw_digits, pretrained
from imgsearch.progress import silent


@pytest.mark.slow
def test_pre_training_lowers_the_error_and_needs_fewer_labels(lab: Lab) -> None:
    finding = run(lab)
    squared, wrong = finding.figures["squared_error"], finding.figures["wrong"]
    assert squared["machines"] < 0.8 * squared["random start"]
    for start in ("machines", "layer-wise"):
        assert all(np.array(wrong[start]) < 0.8 * np.array(wrong["random start"]))
    assert wrong["machines"][1] < wrong["machines"][0] < 0.4  # ten times the labels; by chance 0.9
    assert {len(line) for line in finding.lines} == {len(finding.columns)}
    assert finding.picture.startswith(b"\x89PNG")


@pytest.mark.slow
def test_a_stack_of_machines_generates_digits_from_noise(lab: Lab) -> None:
    data = digits(lab)
    network = pretrained(lab, data, (64, 100, 100, 200), "rbm", 20, silent)
    drawn = draw_digits(lab, data, network, 40, 60, silent).astype(float)
    noise = np.random.default_rng(0).integers(0, 256, drawn.shape).astype(float)
    average = data.train.mean(0, keepdims=True).repeat(40, 0)
    assert distance_to_nearest(drawn, data.test) < 0.8 * distance_to_nearest(average, data.test)
    assert distance_to_nearest(drawn, data.test) < 0.3 * distance_to_nearest(noise, data.test)
    assert drawn.std(0).mean() > 0.4 * data.test.std(0).mean()  # many digits, not one


def distance_to_nearest(pictures: np.ndarray, digits: np.ndarray) -> float:
    """Return the mean squared distance of images (n, d) to their nearest digits (m, d)."""
    squares = np.square(pictures[:, None] / 255 - digits[None] / 255).sum(2)
    return float(squares.min(1).mean())


def test_labels_are_drawn_evenly() -> None:
    labels = np.repeat(np.arange(3), (50, 20, 30))
    rows = balanced_rows(labels, 30, seed=0)
    assert np.bincount(labels[rows]).tolist() == [10, 10, 10]
    assert len(set(rows.tolist())) == 30


def test_a_stopped_experiment_fails(lab: Lab) -> None:
    with pytest.raises(LabError, match="stopped"):
        pretrained(Lab(**(vars(lab) | {"stop": lambda: True})), digits(lab), (64, 8, 4), "rbm", 1, silent)
