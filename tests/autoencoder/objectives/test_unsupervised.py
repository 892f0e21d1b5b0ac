import math

import pytest
import torch

from imgsearch.autoencoder.config import TrainConfig, parse_objective
from imgsearch.autoencoder.networks.config import ConvConfig, DenseConfig, PcaConfig
from imgsearch.autoencoder.networks.conv import ConvAutoencoder
from imgsearch.autoencoder.networks.dense import DenseAutoencoder
from imgsearch.autoencoder.networks.pca import PcaAutoencoder
from imgsearch.autoencoder.objectives.base import Batch, Loss
from imgsearch.autoencoder.objectives.registry import Objective
from imgsearch.autoencoder.objectives.unsupervised import (
    agree,
    agree_validation,
    agreement_loss,
    contractive,
    denoise,
    noisy,
)
from imgsearch.errors import ModelError


def test_reconstruction_is_the_mean_squared_error() -> None:
    images = torch.zeros(2, 3, 32, 32)
    network = PcaAutoencoder(PcaConfig(code_size=4))
    assert network.reconstruction_loss(images, images).item() == 0
    assert network.reconstruction_loss(images + 0.5, images).item() == pytest.approx(0.25)


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


# ----------------------------------------------------------------------------------------------------------------------
# terms


@pytest.mark.parametrize("loss", [agree, agree_validation])
def test_only_the_invariant_dimensions_get_a_gradient_from_agreement(loss: Loss) -> None:
    torch.manual_seed(0)
    network = ConvAutoencoder(ConvConfig(channels=(8, 8, 8, 8, 16), code_size=12, invariant_size=9))
    images = Batch(torch.rand(6, 3, 32, 32), torch.Generator().manual_seed(0))
    loss(network, images, TrainConfig())["agreement"].backward()  # type: ignore[no-untyped-call] # torch's own
    weight, bias = network.code_layer.weight.grad, network.code_layer.bias.grad
    assert weight is not None
    assert bias is not None
    assert torch.equal(weight[9:], torch.zeros(3, 16))
    assert torch.equal(bias[9:], torch.zeros(3))
    assert (weight[:9].abs().sum(1) > 0).all()


def batch(n: int = 8, values: int = 20) -> Batch:
    return Batch(torch.rand(n, values), torch.Generator().manual_seed(0))


def test_an_objective_is_the_weighted_sum_of_its_terms() -> None:
    torch.manual_seed(0)
    network, examples = DenseAutoencoder(DenseConfig((20, 12, 6))), batch()
    config = TrainConfig(objective=(("reconstruct", 2.0), ("contractive", 0.5)))
    parts = Objective(config).training_loss(network, examples)
    assert parts["loss"].item() == pytest.approx((2 * parts["reconstruction"] + 0.5 * parts["contraction"]).item())


def test_the_estimate_of_the_jacobian_is_right_in_the_mean() -> None:
    torch.manual_seed(0)
    network, examples = DenseAutoencoder(DenseConfig((20, 12, 6), activation="sigmoid")), batch(2)
    exact = [
        torch.func.jacrev(lambda x: network.encode(x[None])[0])(example).square().sum().item()
        for example in examples.examples
    ]
    estimates = [contractive(network, examples, TrainConfig())["loss"].item() for _ in range(2000)]
    assert sum(estimates) / len(estimates) == pytest.approx(sum(exact) / 2, rel=0.05)


def test_contraction_can_be_learned_through_the_estimate() -> None:
    torch.manual_seed(0)
    network, examples = DenseAutoencoder(DenseConfig((20, 12, 6))), batch()
    contractive(network, examples, TrainConfig())["loss"].backward()  # type: ignore[no-untyped-call] # torch's own
    weights = [p for name, p in network.named_parameters() if name.startswith("layers.") and name.endswith("weight")]
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in weights)


@pytest.mark.parametrize(("noise", "level"), [("gaussian", 0.3), ("mask", 0.4)])
def test_noise_is_as_loud_as_asked_and_comes_from_the_generator(noise: str, level: float) -> None:
    examples = Batch(torch.ones(200, 50), torch.Generator().manual_seed(3))
    config = TrainConfig(noise=noise, noise_level=level)
    first = noisy(examples, config)
    examples.generator.manual_seed(3)
    assert torch.equal(noisy(examples, config), first)
    assert (first == 0).float().mean().item() == pytest.approx(level if noise == "mask" else 0, abs=0.02)
    if noise == "gaussian":
        assert first.std().item() == pytest.approx(level, rel=0.05)


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ((("shrink", 1.0),), "no objective 'shrink'"),
        ((("contractive", 1.0),), "same code"),
        ((("agree", 1.0),), "views"),
    ],
)
def test_what_cannot_be_minimised_is_refused(terms: tuple[tuple[str, float], ...], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        Objective(TrainConfig(objective=terms)).check(DenseAutoencoder(DenseConfig((20, 6))), n_classes=0)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("reconstruct", (("reconstruct", 1.0),)),
        ("reconstruct + 0.1*contractive", (("reconstruct", 1.0), ("contractive", 0.1))),
        ("2*denoise+agree", (("denoise", 2.0), ("agree", 1.0))),
    ],
)
def test_an_objective_is_read_as_it_is_written(text: str, terms: tuple[tuple[str, float], ...]) -> None:
    assert parse_objective(text) == terms


def test_what_is_no_sum_of_terms_is_refused() -> None:
    with pytest.raises(ModelError, match="no term"):
        parse_objective("much*reconstruct")


@pytest.mark.parametrize(("noise", "level", "expected"), [("gaussian", 0.3, 0.09), ("mask", 0.4, 0.4)])
def test_denoising_is_measured_against_the_clean_examples(noise: str, level: float, expected: float) -> None:
    class Copying(DenseAutoencoder):
        """Reconstructs whatever it is given, noise included."""

        def forward(self, examples: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return examples, examples

    examples = torch.ones(200, 50)
    batch = Batch(examples, torch.Generator().manual_seed(0))
    config = TrainConfig(noise=noise, noise_level=level)
    loss = denoise(Copying(DenseConfig((50, 2))), batch, config)["loss"]
    assert loss.item() == pytest.approx(expected, rel=0.05)  # the power of the noise
