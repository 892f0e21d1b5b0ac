"""Budget, phases and learning rates of a training."""

import numpy as np
import pytest

from imgsearch.autoencoder.config import TrainConfig
from imgsearch.autoencoder.optim.schedule import Budget, phase, rate_share


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


def test_the_decoder_phase_is_the_last_share_of_the_budget() -> None:
    assert phase(0.0, 0.2) == (False, 0.0)
    assert phase(0.4, 0.2) == (False, 0.5)
    assert phase(0.8, 0.2) == (True, 0.0)
    in_decoder_phase, fraction = phase(0.9, 0.2)
    assert in_decoder_phase
    assert fraction == pytest.approx(0.5)


def test_without_a_share_there_is_no_decoder_phase() -> None:
    assert phase(0.999, 0.0) == (False, 0.999)


def test_a_budget_in_epochs_counts_steps_and_extrapolates_the_time() -> None:
    budget = Budget.of(TrainConfig(epochs=4), batches_per_epoch=25)
    assert (budget.steps, budget.pretraining_seconds) == (100, 0)
    assert budget.fraction(30, seconds=1e9) == 0.3
    assert budget.of_whole(0.3) == 0.3
    assert budget.seconds_left(0.25, 10.0) == pytest.approx(30.0)


def test_a_budget_in_minutes_counts_seconds() -> None:
    budget = Budget.of(TrainConfig(minutes=2), batches_per_epoch=25)
    assert budget.fraction(10**9, seconds=30.0) == 0.25
    assert budget.seconds_left(0.9, 30.0) == 90.0
    assert budget.seconds_left(1.0, 130.0) == 0.0
    assert Budget.of(TrainConfig(), 25).seconds == 600


def test_pre_training_takes_its_share_at_the_beginning() -> None:
    minutes = Budget.of(TrainConfig(minutes=10, pretrain="rbm", pretrain_share=0.4), batches_per_epoch=25)
    assert minutes.pretraining_seconds == pytest.approx(240)
    assert minutes.fraction(7, seconds=180.0) == pytest.approx(0.5)
    assert minutes.of_whole(0.0) == pytest.approx(0.4)
    assert minutes.of_whole(1.0) == 1.0
    assert Budget.of(TrainConfig(epochs=10, pretrain="rbm", pretrain_share=0.4), 25).steps == 150
    assert Budget.of(TrainConfig(epochs=1, pretrain="rbm", pretrain_share=0.9), 2).steps == 1
