import numpy as np
import pytest
import torch

from imgsearch.autoencoder.networks.config import DenseConfig
from imgsearch.autoencoder.networks.dense import DenseAutoencoder
from imgsearch.lab.experiments.contraction import run, singular_values
from imgsearch.lab.finding import Lab


@pytest.mark.slow
def test_the_contractive_code_changes_less_and_in_fewer_directions(lab: Lab) -> None:
    figures = run(lab).figures
    plain, contractive = figures["plain"], figures["contractive"]
    assert contractive["squared_jacobian"] < 0.6 * plain["squared_jacobian"]
    assert contractive["directions"] < plain["directions"]
    assert contractive["squared_error"] > plain["squared_error"]  # the price
    assert contractive["singular_values"] == sorted(contractive["singular_values"], reverse=True)


@pytest.mark.parametrize("config", [DenseConfig((12, 6), code="sigmoid"), DenseConfig((12, 8, 6), activation="silu")])
def test_singular_values_are_those_of_the_jacobian(config: DenseConfig) -> None:
    torch.manual_seed(0)
    network, examples = DenseAutoencoder(config), np.random.default_rng(0).random((3, 12), np.float32)
    values = singular_values(network, examples)
    assert values.shape == (3, 6)
    step = 1e-3
    for example, of_example in zip(torch.from_numpy(examples), values, strict=True):
        moved = torch.cat([example + step * torch.eye(12), example - step * torch.eye(12)])
        with torch.no_grad():
            there, back = network.encode(moved).chunk(2)
        by_differences = torch.linalg.svdvals((there - back) / (2 * step))
        assert of_example == pytest.approx(by_differences.numpy(), rel=0.02, abs=1e-3)


def test_their_squares_add_up_to_the_penalty() -> None:
    torch.manual_seed(0)
    network, examples = DenseAutoencoder(DenseConfig((12, 6), code="sigmoid")), torch.rand(3, 12)
    penalty = network.squared_jacobian(examples)
    assert penalty is not None
    assert np.square(singular_values(network, examples.numpy())).sum(1) == pytest.approx(penalty.detach().numpy())
