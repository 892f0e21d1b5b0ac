import pytest
import torch
from torch import nn

from imgsearch.autoencoder.networks import dense
from imgsearch.autoencoder.networks.config import ACTIVATIONS, DenseConfig
from imgsearch.autoencoder.networks.dense import DenseAutoencoder
from imgsearch.errors import ModelError

SMALL = DenseConfig((20, 12, 6))


def made(config: DenseConfig) -> DenseAutoencoder:
    torch.manual_seed(0)
    return DenseAutoencoder(config)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("activation", ["relu", "silu", "sigmoid"])
def test_examples_come_out_as_they_went_in_when_it_learns(activation: str, tied: bool) -> None:
    network = made(DenseConfig((20, 40, 6), activation=activation, tied=tied))
    examples = (torch.rand(4, 6) @ torch.rand(6, 20) / 6).repeat(8, 1)
    optimiser = torch.optim.Adam(network.parameters(), 0.01)
    losses = []
    for _ in range(150):
        loss = network.reconstruction_loss(network(examples)[1], examples)
        losses.append(loss.item())
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimiser.step()
    assert losses[-1] < 0.1 * losses[0]


def test_a_tied_decoder_has_no_weights_of_its_own() -> None:
    tied, untied = made(DenseConfig((20, 12, 6), tied=True)), made(SMALL)
    weights = 20 * 12 + 12 * 6
    assert sum(p.numel() for p in tied.decoder.parameters()) == 12 + 20
    assert sum(p.numel() for p in untied.decoder.parameters()) == weights + 12 + 20
    first = tied.layers[0]
    assert isinstance(first, nn.Linear)
    with torch.no_grad():
        first.weight.mul_(2)
    values = torch.rand(3, 12)
    assert torch.allclose(tied.decoder.linear(1, values), values @ first.weight)  # its biases are still 0


def test_images_keep_their_shape() -> None:
    network = made(DenseConfig((3072, 16, 8)))
    codes, reconstructions = network(torch.rand(2, 3, 32, 32))
    assert codes.shape == (2, 8)
    assert reconstructions.shape == (2, 3, 32, 32)


@pytest.mark.parametrize("tied", [False, True])
def test_another_basis_changes_codes_and_no_reconstruction(tied: bool) -> None:
    network = made(DenseConfig((20, 12, 6), tied=tied))
    examples = torch.rand(5, 20)
    codes, reconstructions = network(examples)
    matrix, mean = torch.randn(6, 6).double(), torch.randn(6).double()
    for _ in range(2):  # two changes in a row
        codes = (codes - mean.float()) @ matrix.float()
        network.change_basis(matrix, mean)
    changed, same = network(examples)
    assert torch.allclose(changed, codes, atol=1e-3)
    assert torch.allclose(same, reconstructions, atol=1e-4)


def test_a_softmax_output_is_a_distribution_whose_loss_is_least_at_the_example() -> None:
    network = made(DenseConfig((20, 12, 6), output="softmax"))
    counts = torch.randint(0, 4, (5, 20)).float()
    distributions = network(counts)[1]
    assert torch.allclose(distributions.sum(1), torch.ones(5), atol=1e-5)
    best = network.reconstruction_loss(counts / counts.sum(1, keepdim=True), counts)
    assert best < network.reconstruction_loss(distributions, counts)
    entropy = torch.distributions.Categorical(probs=counts / counts.sum(1, keepdim=True)).entropy().mean()  # type: ignore[no-untyped-call] # torch leaves it untyped
    assert torch.allclose(best, entropy, atol=1e-4)


@pytest.mark.parametrize("in_another_basis", [False, True])
def test_the_jacobian_of_one_sigmoid_layer_is_exact(in_another_basis: bool) -> None:
    network = made(DenseConfig((20, 6), code="sigmoid"))
    examples = torch.rand(4, 20)
    if in_another_basis:  # as after whitening
        network.change_basis(torch.randn(6, 6), torch.randn(6))
    exact = network.squared_jacobian(examples)
    assert exact is not None
    for example, squared in zip(examples, exact, strict=True):
        jacobian = torch.autograd.functional.jacobian(lambda x: network.encode(x[None])[0], example)  # type: ignore[no-untyped-call] # torch's own
        assert squared.item() == pytest.approx(jacobian.square().sum().item(), rel=1e-4)
    assert made(SMALL).squared_jacobian(examples) is None


@pytest.mark.parametrize(
    "settings",
    [{"sizes": (20,)}, {"sizes": (20, 0, 3)}, {"activation": "step"}, {"code": "step"}, {"output": "step"}],
)
def test_what_makes_no_network_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ModelError):
        DenseConfig(**settings)  # type: ignore[arg-type] # wrong on purpose


def test_every_activation_of_the_configuration_has_its_function() -> None:
    assert tuple(dense.ACTIVATIONS) == ACTIVATIONS
