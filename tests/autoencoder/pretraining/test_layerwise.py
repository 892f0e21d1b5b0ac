"""Training of a single layer of a dense network."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from imgsearch.autoencoder.networks.config import DenseConfig
from imgsearch.autoencoder.networks.conv import PIXEL_MEAN, PIXEL_SCALE
from imgsearch.autoencoder.networks.dense import DenseAutoencoder
from imgsearch.autoencoder.pretraining.layerwise import (
    AutoencoderLayer,
    LayerLearner,
    MachineLayer,
    machines_of,
    units_of,
)
from imgsearch.autoencoder.pretraining.rbm import BINARY, LINEAR, to_bottom, to_top
from imgsearch.errors import ModelError
from tests.support.toy_images import toy_thumbnails

Learner = Callable[[DenseAutoencoder, int, torch.Generator], LayerLearner]


def network(sizes: tuple[int, ...] = (12, 8, 5), **settings: object) -> DenseAutoencoder:
    torch.manual_seed(0)
    return DenseAutoencoder(DenseConfig(sizes, "sigmoid", **settings))  # type: ignore[arg-type]


def bars(n: int = 64) -> Tensor:
    """(n, 12) images of three bars of four values, each on or off."""
    return torch.randint(2, (n, 3), generator=torch.Generator().manual_seed(2)).repeat_interleave(4, 1).float()


def learn(learner: LayerLearner, examples: Tensor, steps: int = 600) -> tuple[float, float]:
    errors = [float(learner.step(examples, step / steps)) for step in range(steps)]
    learner.unroll()
    return errors[0], errors[-1]


@pytest.mark.parametrize("tied", [False, True], ids=["untied", "tied"])
@pytest.mark.parametrize("kind", [MachineLayer, AutoencoderLayer])
def test_a_layer_learns_to_bring_back_what_it_sees_and_leaves_the_others_alone(kind: Learner, tied: bool) -> None:
    net = network(tied=tied)
    for number in range(2):
        others = [name for name, _ in net.named_parameters() if name.startswith(f"layers.{1 - number}.")]
        before = {name: net.get_parameter(name).clone() for name in others}
        first, last = learn(kind(net, number, torch.Generator().manual_seed(0)), bars())
        assert last < 0.5 * first
        assert all(torch.equal(net.get_parameter(name), value) for name, value in before.items())


@pytest.mark.parametrize("tied", [False, True], ids=["untied", "tied"])
def test_the_machines_unrolled_are_the_network(tied: bool) -> None:
    net = network(tied=tied)
    for number in range(2):
        learn(MachineLayer(net, number, torch.Generator().manual_seed(0)), bars())
    machines = machines_of(net)
    codes, decoded = net(bars())
    assert torch.allclose(codes, to_top(machines, bars()), atol=1e-5)
    assert torch.allclose(decoded, to_bottom(machines, codes), atol=1e-5)


@pytest.mark.parametrize("sizes", [(3072, 8), (3072, 1024, 8)], ids=["linear to linear", "wide"])
def test_machines_of_images_do_not_diverge(sizes: tuple[int, ...]) -> None:
    net = network(sizes)
    images = torch.from_numpy(toy_thumbnails(128)).permute(0, 3, 1, 2) / 255
    first, last = learn(MachineLayer(net, 0, torch.Generator().manual_seed(0)), images, 25)
    assert last < 0.9 * first


def test_units_are_of_the_kind_of_what_they_hold() -> None:
    assert [units_of(network(), number) for number in range(2)] == [(BINARY, BINARY), (BINARY, LINEAR)]
    assert units_of(network(code="sigmoid"), 1) == (BINARY, BINARY)
    assert units_of(network((3072, 5)), 0) == (LINEAR, LINEAR)


@pytest.mark.parametrize("tied", [False, True], ids=["untied", "tied"])
def test_linear_units_of_images_become_a_decoder_that_ends_in_a_sigmoid(tied: bool) -> None:
    net = network((3072, 4), tied=tied)
    layer = MachineLayer(net, 0, torch.Generator().manual_seed(0))
    codes = torch.randn(6, 4, generator=torch.Generator().manual_seed(1))
    wanted = PIXEL_MEAN + to_bottom([layer.machine], codes) / PIXEL_SCALE  # pixels as the machine expects them
    layer.unroll()
    assert (wanted - PIXEL_MEAN).abs().max() > 0.01
    assert torch.allclose(net.decode(codes).flatten(1), wanted, atol=2e-3)  # the sigmoid is not quite linear
    (machine,) = machines_of(net)
    assert torch.allclose(PIXEL_MEAN + to_bottom([machine], codes) / PIXEL_SCALE, wanted, atol=1e-5)


def test_a_machine_takes_grey_values_only_between_0_and_1() -> None:
    with pytest.raises(ModelError, match="between 0 and 1"):
        MachineLayer(network(), 0, torch.Generator()).step(3 * bars(), 0.0)


def test_a_layer_of_words_learns_their_distribution() -> None:
    net = network((12, 5), output="softmax")
    counts = bars() + 0.01
    learner = AutoencoderLayer(net, 0, torch.Generator())
    words = counts / counts.sum(1, keepdim=True)
    first, last = learn(learner, words)
    assert last < 0.5 * first
    assert torch.allclose(net(words)[1].sum(1), torch.ones(len(words)), atol=1e-5)
