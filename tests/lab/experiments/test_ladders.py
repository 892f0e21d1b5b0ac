"""The experiment with few labels, at its small size."""

from pathlib import Path

import numpy as np
import pytest

from imgsearch.device import pick_device
from imgsearch.lab.experiments.ladders import few_labels
from imgsearch.lab.finding import Lab
from imgsearch.lab.registry import run_experiment
from imgsearch.paths import IndexPaths
from imgsearch.progress import silent


@pytest.mark.slow
def test_the_ladder_has_a_lower_error_than_the_same_network_without_it(tmp_path: Path) -> None:
    lab = Lab(IndexPaths(tmp_path), "small", pick_device("cpu"), None, 0, silent, lambda: False)
    finding = run_experiment("ladder", lab)
    errors = finding.figures["error"]
    assert finding.figures["labels"] == 30
    assert errors["ladder"] < errors["labels only"] - 0.02
    assert errors["labels only"] < 0.5  # ten digits: chance is 0.9
    for curve in finding.figures["curve"].values():
        assert curve["steps"] == sorted(curve["steps"])
    assert finding.picture.startswith(b"\x89PNG")


def test_few_labels_are_right_and_equally_many_of_each_class() -> None:
    labels = np.arange(200) % 7
    few = few_labels(labels, 5, seed=3)
    assert np.bincount(few[few >= 0]).tolist() == [5] * 7
    assert np.array_equal(few[few >= 0], labels[few >= 0])
    assert not np.array_equal(few, few_labels(labels, 5, seed=4))
