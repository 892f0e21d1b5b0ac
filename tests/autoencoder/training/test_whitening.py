import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from imgsearch.autoencoder.networks.config import ConvConfig
from imgsearch.autoencoder.networks.conv import ConvAutoencoder
from imgsearch.autoencoder.training.whitening import whitening, whitening_in_parts


def test_many_whitened_codes_vary_alike_in_all_directions() -> None:
    torch.manual_seed(0)
    codes = torch.randn(20_000, 8) * torch.logspace(-0.5, 0.5, 8) @ torch.linalg.qr(torch.randn(8, 8))[0] + 3
    matrix, mean = whitening(codes, 0.5)
    whitened = (codes.double() - mean) @ matrix
    covariance = whitened.T @ whitened / len(codes)
    expected = covariance.diagonal().mean() * torch.eye(8)
    assert torch.allclose(covariance, expected.double(), atol=0.1 * covariance.diagonal().mean().item())


@settings(max_examples=20, deadline=None)
@given(n=st.integers(1, 40), flat=st.booleans())
def test_few_or_equal_codes_give_a_tame_matrix(n: int, flat: bool) -> None:
    torch.manual_seed(n)
    codes = torch.ones(n, 16) if flat else torch.randn(n, 16)
    matrix, _ = whitening(codes, 0.5)
    scales = torch.linalg.eigvalsh(matrix)
    assert scales.min() > 0
    assert scales.max() / scales.min() < 20


def test_strength_nought_only_takes_the_mean() -> None:
    codes = torch.randn(100, 8) * torch.arange(1, 9)
    matrix, mean = whitening(codes, 0)
    assert torch.allclose(matrix, torch.eye(8, dtype=torch.float64), atol=1e-9)
    assert torch.allclose(mean, codes.double().mean(0))


def test_folded_into_a_network_it_changes_the_codes_and_not_the_reconstructions() -> None:
    torch.manual_seed(0)
    network, images = ConvAutoencoder(ConvConfig()).eval(), torch.rand(64, 3, 32, 32)
    with torch.no_grad():
        codes, reconstructions = network(images)
        matrix, mean = whitening(codes, 0.5)
        network.change_basis(matrix, mean)
        new_codes, new_reconstructions = network(images)
    expected = ((codes.double() - mean) @ matrix).float()
    assert torch.allclose(new_codes, expected, atol=1e-3 * expected.abs().max().item())
    assert torch.allclose(new_reconstructions, reconstructions, atol=1e-3)


def test_in_parts_each_is_whitened_alone_and_the_rest_is_as_loud_as_asked() -> None:
    torch.manual_seed(0)
    codes = torch.randn(20_000, 12) * torch.arange(1, 13) + 5
    matrix, mean = whitening_in_parts(codes, 8, 0.5, 0.3)
    assert torch.equal(matrix[:8, 8:], torch.zeros(8, 4, dtype=torch.float64))
    whitened = (codes.double() - mean) @ matrix
    first, rest = (part.square().sum(1).mean().sqrt() for part in (whitened[:, :8], whitened[:, 8:]))
    assert rest / first == pytest.approx(0.3, abs=1e-6)
    variances = whitened.var(0)
    assert torch.allclose(variances[:8], variances[:8].mean().expand(8), rtol=0.02)


def test_in_parts_without_a_rest_is_the_whole() -> None:
    torch.manual_seed(0)
    codes = torch.randn(100, 8)
    for parted, whole in zip(whitening_in_parts(codes, 8, 0.25, 0.3), whitening(codes, 0.25), strict=True):
        assert torch.equal(parted, whole)
