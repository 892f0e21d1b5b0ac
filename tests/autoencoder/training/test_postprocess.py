"""Postprocessing: whitened codes, and bits that keep what the codes distinguish."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from imgsearch.autoencoder.config import TrainConfig
from imgsearch.autoencoder.encode import encode_images
from imgsearch.autoencoder.networks.config import ConvConfig
from imgsearch.autoencoder.networks.conv import ConvAutoencoder
from imgsearch.autoencoder.networks.hashing import Hashing
from imgsearch.autoencoder.training.postprocess import (
    learn_short_bits,
    postprocess,
    view_codes,
    whitening,
    whitening_in_parts,
)
from imgsearch.device import pick_device
from tests.support.toy_images import toy_thumbnails

CPU = pick_device("cpu")
NARROW = ConvConfig(channels=(8, 8, 16, 16, 32))


def clusters(n: int, seed: int) -> torch.Tensor:
    """(2, n, 24) two noisy views of codes around 8 centres; code i belongs to centre i % 8."""
    centres = torch.randn(8, 24, generator=torch.Generator().manual_seed(0))
    noise = torch.randn(2, n, 24, generator=torch.Generator().manual_seed(seed))
    return centres[torch.arange(n) % 8] + noise


def agreement(packed: NDArray[np.uint8]) -> float:
    """Return the share of codes whose nearest neighbour by Hamming distance has the same centre."""
    bits = np.unpackbits(packed, axis=1).astype(np.int64)
    distances = (bits[:, None, :] != bits[None, :, :]).sum(axis=2)
    np.fill_diagonal(distances, 10**6)
    return float((distances.argmin(axis=1) % 8 == np.arange(len(bits)) % 8).mean())


@pytest.mark.slow
def test_learned_short_bits_find_the_same_thing_more_often_than_random_ones() -> None:
    torch.manual_seed(0)
    hashing, held_out = Hashing(24), clusters(200, seed=2)[0].numpy()
    before = agreement(hashing.packed(held_out))
    learn_short_bits(hashing, clusters(512, seed=1), seed=0)
    after = agreement(hashing.packed(held_out))
    assert after > before
    assert after > 0.6  # by chance 1/8


def test_postprocessing_centres_codes_weights_the_appearance_and_keeps_reconstructions() -> None:
    torch.manual_seed(0)
    network, pictures = ConvAutoencoder(NARROW).eval(), toy_thumbnails(400)
    images = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
    with torch.no_grad():
        before = network(images)[1]
    rows = np.arange(400, dtype=np.int64)
    postprocess(network, pictures, rows, TrainConfig(network=NARROW), CPU)
    codes = encode_images(network, pictures, CPU)
    assert np.abs(codes.mean(axis=0)).max() < 0.05 * np.linalg.norm(codes, axis=1).mean()
    invariant, appearance = codes[:, :192], codes[:, 192:]
    assert np.sqrt((appearance**2).sum(1).mean() / (invariant**2).sum(1).mean()) == pytest.approx(0.4, abs=0.04)
    with torch.no_grad():
        assert torch.allclose(network(images)[1], before, atol=5e-3)
    assert all(parameter.requires_grad for parameter in network.parameters())


def test_no_bit_depends_on_the_appearance_dimensions() -> None:
    torch.manual_seed(0)
    hashing, codes = Hashing(24), np.random.default_rng(0).normal(size=(50, 32))
    before = hashing.packed(codes)
    codes[:, 24:] *= -3
    assert np.array_equal(hashing.packed(codes), before)


def test_views_differ_and_are_the_same_at_every_call() -> None:
    torch.manual_seed(0)
    network, pictures = ConvAutoencoder(NARROW).eval(), toy_thumbnails(12)
    codes = view_codes(network, pictures, TrainConfig(network=NARROW), CPU)
    assert codes.shape == (4, 12, 256)
    assert not torch.allclose(codes[0], codes[1])
    assert torch.equal(codes, view_codes(network, pictures, TrainConfig(network=NARROW), CPU))


# ----------------------------------------------------------------------------------------------------------------------
# Whitening


def test_many_whitened_codes_vary_alike_in_all_directions() -> None:
    rng = np.random.default_rng(0)
    rotation = np.linalg.qr(rng.standard_normal((8, 8)))[0]
    codes = rng.standard_normal((20_000, 8)) * np.logspace(-0.5, 0.5, 8) @ rotation + 3
    matrix, mean = whitening(codes, 0.5)
    covariance = np.cov(((codes - mean) @ matrix).T, bias=True)
    level = covariance.diagonal().mean()
    assert covariance == pytest.approx(level * np.eye(8), abs=0.1 * level)


@settings(max_examples=20, deadline=None)
@given(n=st.integers(1, 40), flat=st.booleans())
def test_few_or_equal_codes_give_a_tame_matrix(n: int, flat: bool) -> None:
    codes = np.ones((n, 16)) if flat else np.random.default_rng(n).standard_normal((n, 16))
    matrix, _ = whitening(codes, 0.5)
    scales = np.linalg.eigvalsh(matrix)
    assert scales.min() > 0
    assert scales.max() / scales.min() < 20


def test_strength_0_only_takes_the_mean() -> None:
    codes = np.random.default_rng(0).standard_normal((100, 8)) * np.arange(1, 9)
    matrix, mean = whitening(codes, 0)
    assert matrix == pytest.approx(np.eye(8), abs=1e-9)
    assert mean == pytest.approx(codes.mean(axis=0))


def test_folded_into_a_network_it_changes_the_codes_and_not_the_reconstructions() -> None:
    torch.manual_seed(0)
    network, images = ConvAutoencoder(ConvConfig()).eval(), torch.rand(64, 3, 32, 32)
    with torch.no_grad():
        codes, reconstructions = network(images)
        matrix, mean = whitening(codes.numpy(), 0.5)
        network.change_basis(torch.from_numpy(matrix), torch.from_numpy(mean))
        new_codes, new_reconstructions = network(images)
    expected = (codes.numpy() - mean) @ matrix
    assert new_codes.numpy() == pytest.approx(expected, abs=1e-3 * np.abs(expected).max())
    assert torch.allclose(new_reconstructions, reconstructions, atol=1e-3)


def test_in_parts_each_is_whitened_alone_and_the_appearance_has_its_weight() -> None:
    codes = np.random.default_rng(0).standard_normal((20_000, 12)) * np.arange(1, 13) + 5
    matrix, mean = whitening_in_parts(codes, 8, 0.5, 0.3)
    assert (matrix[:8, 8:] == 0).all()
    whitened = (codes - mean) @ matrix
    invariant, appearance = (np.sqrt(np.square(part).sum(1).mean()) for part in (whitened[:, :8], whitened[:, 8:]))
    assert appearance / invariant == pytest.approx(0.3, abs=1e-6)
    variances = whitened.var(axis=0)[:8]
    assert variances == pytest.approx(np.full(8, variances.mean()), rel=0.02)


def test_in_parts_without_appearance_dimensions_is_the_whole() -> None:
    codes = np.random.default_rng(0).standard_normal((100, 8))
    for parted, whole in zip(whitening_in_parts(codes, 8, 0.25, 0.3), whitening(codes, 0.25), strict=True):
        assert (parted == whole).all()
