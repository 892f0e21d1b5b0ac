"""The schedule of a training."""

import numpy as np
import pytest

from imgsearch.autoencoder.optim.schedule import rate_share, stage


def test_the_rate_rises_to_its_peak_and_falls() -> None:
    shares = [rate_share(fraction, 0.1) for fraction in np.linspace(0, 1, 101)]
    assert max(shares) == shares[10] == 1
    assert shares[:11] == sorted(shares[:11])
    assert shares[10:] == sorted(shares[10:], reverse=True)
    assert min(shares) == 0.01


def test_warm_up_rises_in_proportion_from_a_hundredth() -> None:
    assert rate_share(0.0, 0.1) == 0.01
    assert rate_share(0.05, 0.1) == 0.5
    assert rate_share(0.075, 0.1) == pytest.approx(0.75)
    assert rate_share(0.1, 0.1) == 1.0


def test_the_first_step_is_far_below_the_peak_and_the_fall_is_a_cosine() -> None:
    n_steps = 200
    assert rate_share(1 / n_steps, 0.1) == pytest.approx(0.05)
    assert rate_share(0.55, 0.1) == pytest.approx(0.5)  # half way between the peak and the end
    assert rate_share(0.3, 0.0) == pytest.approx(0.5 * (1 + np.cos(0.3 * np.pi)))


def test_the_last_share_of_the_budget_is_a_stage_of_its_own() -> None:
    assert stage(0.0, 0.2) == (False, 0.0)
    assert stage(0.4, 0.2) == (False, 0.5)
    assert stage(0.8, 0.2) == (True, 0.0)
    finishing, fraction = stage(0.9, 0.2)
    assert finishing
    assert fraction == pytest.approx(0.5)


def test_without_a_share_there_is_no_last_stage() -> None:
    assert stage(0.999, 0.0) == (False, 0.999)
