import numpy as np
import pytest

from imgsearch.lab.datasets import digits
from imgsearch.lab.experiments.digits import NEIGHBOURS, neighbours_right, run_2d, run_30
from imgsearch.lab.finding import Lab


@pytest.mark.slow
def test_a_deep_code_keeps_more_of_a_digit_than_as_many_principal_components(lab: Lab) -> None:
    finding = run_30(lab)
    errors = finding.figures["squared_error"]
    assert errors["deep-8"] < 0.8 * errors["PCA-8"]
    data = digits(lab)
    train, test = data.train / 255, data.test / 255
    directions = np.linalg.svd(train - train.mean(0), full_matrices=False)[2][:8]
    kept = (test - train.mean(0)) @ directions.T @ directions + train.mean(0)
    # The components of the experiment come from the training part, and values are clipped to 0..1.
    assert errors["PCA-8"] == pytest.approx(np.square(kept.clip(0, 1) - test).sum(1).mean(), rel=0.05)
    assert f"{errors['deep-8']:.2f}" in finding.conclusion


@pytest.mark.slow
def test_neighbours_in_the_plane_of_the_deep_code_classify_better(lab: Lab) -> None:
    shares = run_2d(lab).figures["neighbours_right"]
    assert shares["deep-2"] > shares["PCA-2"] > 0.3  # chance is 0.1


def test_the_accuracy_of_neighbours_equals_a_slow_count() -> None:
    random = np.random.default_rng(1)
    codes, labels = random.normal(size=(300, 2)).astype(np.float32), random.integers(0, 2, 300)
    asking = random.normal(size=(290, 2)).astype(np.float32)
    wanted = []
    for code in asking:
        votes = labels[np.argsort(np.square(codes - code).sum(1))[:NEIGHBOURS]]
        ones, zeros = int(votes.sum()), int((votes == 0).sum())
        wanted.append(votes[0] if ones == zeros else int(ones > zeros))
    assert neighbours_right(codes, labels, asking, np.array(wanted)) == 1.0
    assert neighbours_right(codes, labels, asking, 1 - np.array(wanted)) == 0.0
