import math

import pytest
import torch

from imgsearch.autoencoder.objectives import agreement_loss, reconstruction_loss


def test_reconstruction_is_the_mean_squared_error() -> None:
    images = torch.zeros(2, 3, 32, 32)
    assert reconstruction_loss(images, images).item() == 0
    assert reconstruction_loss(images + 0.5, images).item() == pytest.approx(0.25)


def test_agreement_of_views_that_are_all_alike_is_the_log_of_their_number() -> None:
    views = torch.ones(8, 4)
    assert agreement_loss(views, views, 0.2).item() == pytest.approx(math.log(15), abs=1e-4)


def test_agreement_is_almost_perfect_when_twins_are_alike_and_others_differ() -> None:
    views = torch.eye(8)
    expected = math.log(1 + 14 * math.exp(-1 / 0.1))
    assert agreement_loss(views, 3 * views, 0.1).item() == pytest.approx(expected, abs=1e-5)


def test_agreement_falls_as_twins_come_closer_and_looks_at_direction_only() -> None:
    torch.manual_seed(0)
    first, other = torch.randn(16, 8), torch.randn(16, 8)
    losses = [agreement_loss(first, torch.lerp(other, first, share), 0.2).item() for share in (0.0, 0.5, 1.0)]
    assert losses == sorted(losses, reverse=True)
    assert agreement_loss(5 * first, other, 0.2).item() == pytest.approx(losses[0], abs=1e-4)
