"""The ladder network: its parts follow the paper, and classes and reconstructions depend on the code alone."""

from itertools import pairwise

import pytest
import torch

from imgsearch.autoencoder.config import TrainConfig
from imgsearch.autoencoder.networks.config import LadderConfig
from imgsearch.autoencoder.networks.ladder import Combinator, LadderAutoencoder, Normalisation
from imgsearch.autoencoder.networks.registry import build_network, describe_network
from imgsearch.autoencoder.objectives.base import Batch
from imgsearch.autoencoder.objectives.registry import Objective
from imgsearch.autoencoder.optim.optimisers import make_optimisers
from imgsearch.device import pick_device
from imgsearch.errors import ModelError

SIZES = (20, 16, 12, 3)
CPU = pick_device("cpu")


@pytest.fixture
def network() -> LadderAutoencoder:
    torch.manual_seed(0)
    network = LadderAutoencoder(LadderConfig(SIZES))
    network.train()
    for _ in range(100):  # until its running mean and variance settle
        network.clean(torch.rand(64, 20))
    return network.eval()


def test_units_have_mean_0_and_deviation_1_in_training_and_afterwards(network: LadderAutoencoder) -> None:
    examples = torch.rand(4000, 20)
    for layer in network.clean(examples)[1:]:
        assert layer.mean(0).abs().max() < 0.15
        assert (layer.std(0) - 1).abs().max() < 0.15
    norm = Normalisation(5)
    values = norm(3 + 7 * torch.randn(50, 5))
    assert torch.allclose(values.mean(0), torch.zeros(5), atol=1e-5)
    assert torch.allclose(values.std(0, correction=0), torch.ones(5), atol=1e-4)


def test_noise_is_as_loud_as_asked_in_every_layer_and_comes_from_the_generator(network: LadderAutoencoder) -> None:
    silent = LadderAutoencoder(LadderConfig(SIZES, noise=0.0))
    silent.load_state_dict(network.state_dict())
    examples = torch.rand(3000, 20)
    clean = silent.noisy(examples, torch.Generator())[0]
    noisy, again = (network.noisy(examples, torch.Generator().manual_seed(4))[0] for _ in range(2))
    assert (noisy[0] - clean[0]).std().item() == pytest.approx(0.3, rel=0.05)
    for layer, same, without in zip(noisy[1:], again[1:], clean[1:], strict=True):
        assert torch.equal(layer, same)
        assert layer.std().item() == pytest.approx((1 + 0.3**2) ** 0.5, rel=0.05)
        assert without.std().item() == pytest.approx(1, rel=0.05)


def test_examples_apart_are_normalised_apart(network: LadderAutoencoder) -> None:
    silent = LadderAutoencoder(LadderConfig(SIZES, noise=0.0))
    first, others = torch.rand(30, 20), 5 * torch.rand(50, 20)
    _, together = silent.noisy(torch.cat([first, others]), torch.Generator(), 30)
    alone = [silent.noisy(part, torch.Generator())[1] for part in (first, others)]
    assert torch.allclose(together, torch.cat(alone), atol=1e-4)


def test_the_combinator_can_be_the_best_linear_denoiser() -> None:
    """The mean of a normal value with prior mean m and variance v under noise s²: m + (noisy - m) v / (v + s²)."""
    combinator = Combinator(1)
    with torch.no_grad():
        combinator.weights.zero_()
        combinator.weights[3], combinator.weights[9] = 1.0, 1 / (1 + 0.3**2)  # the mean is the signal from above
    generator = torch.Generator().manual_seed(0)
    above = 2 * torch.randn(20_000, 1, generator=generator)
    clean = above + torch.randn(20_000, 1, generator=generator)
    noisy = clean + 0.3 * torch.randn(20_000, 1, generator=generator)
    error = (combinator(noisy, above) - clean).square().mean().item()
    assert error == pytest.approx(0.3**2 / (1 + 0.3**2), rel=0.05)
    assert error < (noisy - clean).square().mean().item()


def test_classes_and_pictures_follow_from_the_code_in_any_basis(network: LadderAutoencoder) -> None:
    examples = torch.rand(40, 20)
    codes, decoded = network(examples)
    classes = network.classify(codes)
    assert torch.allclose(classes, (network.clean(examples)[-1] + network.biases[-1]) * network.sharpness, atol=1e-5)
    matrix, mean = torch.eye(12) + 0.1 * torch.randn(12, 12), torch.randn(12)
    network.change_basis(matrix, mean)
    changed, decoded_now = network(examples)
    assert torch.allclose(changed, (codes - mean) @ matrix, atol=1e-4)
    assert torch.allclose(decoded_now, decoded, atol=1e-4)
    assert torch.allclose(network.classify(changed), classes, atol=1e-3)


def validation_parts(network: LadderAutoencoder, batch: Batch, objective: Objective) -> dict[str, float]:
    network.eval()
    batch.generator.manual_seed(0)
    with torch.no_grad():
        return {name: value.item() for name, value in objective.validation_loss(network, batch).items()}


def test_a_few_steps_lower_both_costs_and_the_decoder_learns_last(network: LadderAutoencoder) -> None:
    prototypes = torch.rand(3, 20)
    labels = torch.arange(3).repeat(20)
    examples = (prototypes[labels] + 0.1 * torch.randn(60, 20)).clamp(0, 1)
    batch = Batch(examples, torch.Generator(), examples[:6], labels[:6])
    config = TrainConfig(objective=(("ladder", 1.0),), matrix_rate=0.0)
    objective = Objective(config)
    before = validation_parts(network, batch, objective)
    (adam,) = make_optimisers(network, config, CPU)
    network.train()
    for _ in range(60):
        batch.generator.manual_seed(0)
        adam.zero_grad()
        objective.training_loss(network, batch)["loss"].backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        adam.step()
    after = validation_parts(network, batch, objective)
    assert after["denoising"] < 0.7 * before["denoising"]
    assert after["classes"] < 0.5 * before["classes"]
    last = {
        id(p)
        for optimiser in make_optimisers(network, config, CPU, decoder_phase=True)
        for p in optimiser.param_groups[0]["params"]
    }
    assert {id(p) for p in network.decoder.parameters()} <= last
    assert not {id(p) for p in network.denoiser.parameters()} & last


def test_the_costs_of_the_upper_layers_are_the_last_one() -> None:
    config = LadderConfig(costs=(1000.0, 10.0, 0.1))
    assert [config.cost(layer) for layer in range(7)] == [1000, 10, 0.1, 0.1, 0.1, 0.1, 0.1]


def test_it_is_built_from_what_its_card_says() -> None:
    description = describe_network(LadderConfig(SIZES))
    network = build_network(description)
    assert description["kind"] == "ladder"
    assert (network.example_shape, network.code_size) == ((20,), 12)
    shapes = [tuple(weight.shape) for name, weight in network.named_parameters() if name.startswith("denoiser.layers")]
    assert shapes == [(below, above) for above, below in pairwise(SIZES[::-1])]


@pytest.mark.parametrize("settings", [{"sizes": (20, 3)}, {"noise": -0.1}, {"costs": ()}])
def test_a_ladder_that_cannot_be_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ModelError, match="ladder"):
        LadderConfig(**settings)  # type: ignore[arg-type]
