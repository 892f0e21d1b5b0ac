"""Pooling and unpooling, on small maps with known results, and in the network that uses them."""

import pytest
import torch

from imgsearch.autoencoder.config import TrainConfig
from imgsearch.autoencoder.networks.config import UNPOOLINGS, ConvConfig
from imgsearch.autoencoder.networks.conv import ConvAutoencoder
from imgsearch.autoencoder.networks.pooling import MaxPool, Repeat, Unpool
from imgsearch.autoencoder.objectives.registry import Objective
from imgsearch.errors import ModelError

MAPS = torch.tensor([[[[1.0, 4, 2, 0], [3, 2, 0, 5]]]])  # two patches with their maxima in the upper and the lower row


def network(unpool: str, **settings: object) -> ConvAutoencoder:
    torch.manual_seed(0)
    config = ConvConfig(16, 16, (4, 6, 8, 8, 12), (0, 1, 0, 0), (0, 0, 1, 0), unpool=unpool, **settings)  # type: ignore[arg-type]
    return ConvAutoencoder(config).eval()


# ----------------------------------------------------------------------------------------------------------------------
# layers


def test_pooling_takes_the_largest_of_each_patch_and_remembers_where_it_lay() -> None:
    pooled, switches = MaxPool().with_switches(MAPS)
    assert pooled.tolist() == [[[[4, 5]]]]
    assert torch.equal(MaxPool()(MAPS), pooled)
    assert torch.equal(MAPS.flatten(2).gather(2, switches.flatten(2)).view_as(pooled), pooled)


def test_unpooling_puts_each_value_back_where_it_came_from() -> None:
    pooled, switches = MaxPool().with_switches(MAPS)
    assert Unpool().with_switches(pooled, switches).tolist() == [[[[0, 4, 0, 0], [0, 0, 0, 5]]]]


def test_repeating_forgets_the_place() -> None:
    assert Repeat()(torch.tensor([[[[4.0, 5]]]])).tolist() == [[[[4, 4, 5, 5], [4, 4, 5, 5]]]]


def test_unpooling_without_switches_is_the_mean_over_all_of_them() -> None:
    values = torch.rand(1, 1, 1, 1)
    places = [Unpool().with_switches(values, torch.full((1, 1, 1, 1), place)) for place in range(4)]
    assert torch.allclose(Unpool()(values), torch.stack(places).mean(0))


def test_pooling_what_was_unpooled_gives_it_back() -> None:
    maps = torch.rand(2, 3, 8, 6)
    pooled, switches = MaxPool().with_switches(maps)
    again, where = MaxPool().with_switches(Unpool().with_switches(pooled, switches))
    assert torch.equal(again, pooled)
    assert torch.equal(where, switches)


# ----------------------------------------------------------------------------------------------------------------------
# the network


@pytest.mark.parametrize("unpool", UNPOOLINGS)
def test_the_maxima_are_taken_at_the_same_sizes(unpool: str) -> None:
    torch.manual_seed(0)
    made, maps = ConvAutoencoder(ConvConfig(unpool=unpool, max_pooling=True)).eval(), torch.rand(1, 3, 32, 32)
    sizes = []
    with torch.no_grad():
        for layer in made.encoder:
            maps = layer(maps)
            if isinstance(layer, MaxPool):
                sizes.append(maps[0].numel())
        assert made.decode(maps).shape == (1, 3, 32, 32)
    assert sizes == [8192, 4096, 2048, 1024, 512]


def test_all_three_can_have_the_very_same_encoder() -> None:
    encoders = [network(unpool, max_pooling=True).encoder.state_dict() for unpool in UNPOOLINGS]
    for encoder in encoders[1:]:
        assert encoder.keys() == encoders[0].keys()
        assert all(torch.equal(value, encoders[0][name]) for name, value in encoder.items())


@pytest.mark.parametrize("unpool", UNPOOLINGS)
def test_only_switches_go_around_the_code(unpool: str) -> None:
    made, images = network(unpool), torch.rand(3, 3, 32, 32)
    with torch.no_grad():
        codes, reconstructions = made(images)
        assert torch.allclose(codes, made.encode(images), atol=1e-6)
        told_the_code_alone = torch.allclose(reconstructions, made.decode(codes), atol=1e-6)
    assert made.uses_switches == (unpool == "switches")
    assert told_the_code_alone != made.uses_switches


def test_the_reconstruction_follows_the_switches_of_another_image() -> None:
    made, images = network("switches").train(), torch.rand(6, 3, 32, 32)  # in training, maps are of unit variance
    with torch.no_grad():
        codes, reconstructions = made(images)
        own, others = made.decode_by_switches(codes, images), made.decode_by_switches(codes, images.roll(1, 0))
    assert torch.allclose(own, reconstructions, atol=1e-6)
    assert (own - others).abs().mean() > 0.05


def test_another_basis_changes_codes_and_no_reconstruction_with_switches() -> None:
    made, images = network("switches"), torch.rand(4, 3, 32, 32)
    matrix, mean = torch.randn(16, 16).double(), torch.randn(16).double()
    with torch.no_grad():
        codes, reconstructions = made(images)
        made.change_basis(matrix, mean)
        changed, same = made(images)
    assert torch.allclose(changed, (codes - mean.float()) @ matrix.float(), atol=1e-3)
    assert torch.allclose(same, reconstructions, atol=1e-4)


def test_agreement_is_refused_where_a_code_alone_is_not_decoded() -> None:
    with pytest.raises(ModelError, match="switches"):
        Objective(TrainConfig()).check(network("switches"), n_classes=0)
    Objective(TrainConfig()).check(network("repeat"), n_classes=0)
    Objective(TrainConfig(objective=(("reconstruct", 1.0),))).check(network("switches"), n_classes=0)


def test_an_unknown_unpooling_names_those_there_are() -> None:
    with pytest.raises(ModelError, match="transpose, repeat, switches"):
        ConvConfig(unpool="bilinear")
