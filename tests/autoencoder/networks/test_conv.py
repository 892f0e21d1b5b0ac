import pytest
import torch
from torch.nn import functional

from imgsearch.autoencoder.networks.config import ConvConfig
from imgsearch.autoencoder.networks.conv import ConvAutoencoder, Double, Halve


@pytest.fixture(scope="module")
def network() -> ConvAutoencoder:
    torch.manual_seed(0)
    return ConvAutoencoder(ConvConfig()).eval()


def test_codes_and_reconstructions_have_the_promised_shapes_and_range(network: ConvAutoencoder) -> None:
    images = torch.rand(3, 3, 32, 32)
    with torch.no_grad():
        codes, reconstructions = network(images)
    assert codes.shape == (3, 256)
    assert reconstructions.shape == images.shape
    assert reconstructions.min() >= 0
    assert reconstructions.max() <= 1


def test_the_activations_between_stages_are_the_named_ones(network: ConvAutoencoder) -> None:
    sizes: list[int] = []
    maps = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        for layer in network.encoder:
            maps = layer(maps)
            if maps[0].numel() not in sizes:
                sizes.append(maps[0].numel())
    assert sizes == [8192, 4096, 2048, 1024, 512, 256]


def test_the_images_are_left_as_they_were(network: ConvAutoencoder) -> None:
    images = torch.rand(2, 3, 32, 32).contiguous(memory_format=torch.channels_last)
    before = images.clone()
    with torch.no_grad():
        network.encode(images)
    assert torch.equal(images, before)


def test_an_image_has_the_same_code_alone_and_in_a_batch(network: ConvAutoencoder) -> None:
    images = torch.rand(5, 3, 32, 32)
    with torch.no_grad():
        assert torch.allclose(network.encode(images)[2:3], network.encode(images[2:3]), atol=1e-5)


def test_halve_is_the_2x2_convolution_of_stride_2() -> None:
    halve, maps = Halve(3, 5), torch.rand(2, 3, 8, 6)
    kernel = halve.weight.weight.view(5, 2, 2, 3).permute(0, 3, 1, 2)
    assert torch.allclose(halve(maps), functional.conv2d(maps, kernel, stride=2), atol=1e-5)


def test_double_is_the_transposed_2x2_convolution_of_stride_2() -> None:
    double, maps = Double(5, 3), torch.rand(2, 5, 4, 3)
    kernel = double.weight.weight.view(2, 2, 3, 5).permute(3, 2, 0, 1)
    assert torch.allclose(double(maps), functional.conv_transpose2d(maps, kernel, stride=2), atol=1e-5)


def test_residuals_are_as_many_as_asked() -> None:
    def weights(config: ConvConfig) -> int:
        return sum(p.numel() for p in ConvAutoencoder(config).encoder.parameters())

    none, two = weights(ConvConfig(residuals=(0, 0, 0, 0))), weights(ConvConfig(residuals=(2, 0, 0, 0)))
    assert two - none == 2 * (32 * 32 * 9 + 2 * 32)
