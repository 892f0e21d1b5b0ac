"""The default network: a convolutional autoencoder with activations 8192-4096-2048-1024-512-256.

    image      3 x 32 x 32
    stage 1   32 x 16 x 16 = 8192
    stage 2   64 x  8 x  8 = 4096
    stage 3  128 x  4 x  4 = 2048
    stage 4  256 x  2 x  2 = 1024
    stage 5  512 x  1 x  1 =  512
    code     256, linear

Maps are halved by a 2x2 convolution of stride 2, written as one matrix product over channels-last patches: on a CPU
that is several times faster than the convolution routine, above all for small maps. Some stages also have residual 3x3
convolutions, where they improve the code most for their cost. The decoder mirrors the stages; it is run on fewer images
than the encoder and has fewer convolutions.

Two other decoders undo max pooling (`ConvConfig.unpool`); their encoder halves by a 3x3 convolution and the maxima of
2x2 patches, at the same sizes.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from imgsearch.autoencoder.networks.base import Autoencoder, fold_basis
from imgsearch.autoencoder.networks.config import SWITCHES, TRANSPOSE, ConvConfig
from imgsearch.autoencoder.networks.pooling import MaxPool, Repeat, Unpool, decode_with_switches, encode_with_switches

PIXEL_MEAN, PIXEL_SCALE = 0.45, 4.0  # of photographs: pixels in 0..1 get about zero mean and unit variance


# ----------------------------------------------------------------------------------------------------------------------
# Layers. All maps are (n, c, h, w) tensors, channels last in memory.


class Halve(nn.Module):
    """Halve maps (n, c, h, w) to (n, d, h/2, w/2): a 2x2 convolution of stride 2, as one matrix for each patch."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.weight = nn.Linear(4 * channels, out_channels, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        n, c, h, w = maps.shape
        patches = maps.permute(0, 2, 3, 1).reshape(n, h // 2, 2, w // 2, 2, c).transpose(2, 3)
        halved: Tensor = self.weight(patches.reshape(n, h // 2, w // 2, 4 * c))
        return halved.permute(0, 3, 1, 2)


class Double(nn.Module):
    """Double maps (n, c, h, w) to (n, d, 2h, 2w): the transpose of `Halve`."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.weight = nn.Linear(channels, 4 * out_channels, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        n, _, h, w = maps.shape
        patches: Tensor = self.weight(maps.permute(0, 2, 3, 1))
        doubled = patches.view(n, h, w, 2, 2, -1).transpose(2, 3).reshape(n, 2 * h, 2 * w, -1)
        return doubled.permute(0, 3, 1, 2)


class Residual(nn.Module):
    """Add a 3x3 convolution of the maps to the maps."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1, bias=False), *normalised(channels))

    def forward(self, maps: Tensor) -> Tensor:
        added: Tensor = self.layers(maps)
        return maps + added


def normalised(channels: int) -> list[nn.Module]:
    """Return the layers that follow every convolution."""
    return [nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]


def centred(examples: Tensor) -> Tensor:
    """Return images (n, 3, 32, 32) in 0..1 as inputs of the first layer: about zero, channels last in memory."""
    return examples.contiguous(memory_format=torch.channels_last).sub(PIXEL_MEAN).mul_(PIXEL_SCALE)


def halving(into: int, out: int, config: ConvConfig) -> list[nn.Module]:
    """Return the layers of an encoder stage without its residuals: (n, into, h, w) to (n, out, h/2, w/2)."""
    if config.pools:
        return [nn.Conv2d(into, out, 3, padding=1, bias=False), *normalised(out), MaxPool()]
    return [Halve(into, out), *normalised(out)]


def doubling(into: int, out: int, config: ConvConfig) -> list[nn.Module]:
    """Return the layers of a decoder stage without its residuals: (n, into, h, w) to (n, out, 2h, 2w)."""
    if config.unpool == TRANSPOSE:
        return [Double(into, out), *normalised(out)]
    return [_undoing_pooling(config), nn.Conv2d(into, out, 3, padding=1, bias=False), *normalised(out)]


def _undoing_pooling(config: ConvConfig) -> nn.Module:
    return Unpool() if config.unpool == SWITCHES else Repeat()


# ----------------------------------------------------------------------------------------------------------------------
# The network


class ConvAutoencoder(Autoencoder):
    """The convolutional encoder and its mirrored decoder."""

    encoder: nn.Sequential
    decoder: nn.Sequential

    def __init__(self, config: ConvConfig) -> None:
        super().__init__(config.code_size, config.invariant_size)
        self.uses_switches = config.unpool == SWITCHES
        channels, last = config.channels, config.channels[-1]
        if config.pools:
            encoder = halving(3, channels[0], config)
        else:
            encoder = [nn.Conv2d(3, channels[0], 3, 2, 1, bias=False), *normalised(channels[0])]
        for count, (into, out) in zip(config.residuals, pairwise(channels), strict=True):
            encoder += [Residual(into) for _ in range(count)]
            encoder += halving(into, out, config)
        self.encoder = nn.Sequential(*encoder, nn.Flatten(), nn.Linear(last, config.code_size))

        decoder: list[nn.Module] = [nn.Linear(config.code_size, last), nn.Unflatten(1, (last, 1, 1)), *normalised(last)]
        mirrored = zip(reversed(config.decoder_residuals), pairwise(reversed(channels)), strict=True)
        for count, (into, out) in mirrored:
            decoder += doubling(into, out, config)
            decoder += [Residual(out) for _ in range(count)]
        if config.unpool == TRANSPOSE:
            # Neighbouring 4x4 kernels overlap, so that the 2x2 patches before them leave no visible grid.
            decoder += [nn.ConvTranspose2d(channels[0], 3, 4, 2, 1)]
        else:
            decoder += [_undoing_pooling(config), nn.Conv2d(channels[0], 3, 3, padding=1)]
        self.decoder = nn.Sequential(*decoder)
        self.to(memory_format=torch.channels_last)

    def forward(self, examples: Tensor) -> tuple[Tensor, Tensor]:
        """Return the codes and the reconstructions; with switches, `decode` of the codes alone gives other ones."""
        if not self.uses_switches:
            return super().forward(examples)
        codes, switches = encode_with_switches(self.encoder, centred(examples))
        return codes, torch.sigmoid(decode_with_switches(self.decoder, codes, switches))

    def encode(self, examples: Tensor) -> Tensor:
        """Encode images (n, 3, 32, 32), float in 0..1, as codes (n, code_size)."""
        codes: Tensor = self.encoder(centred(examples))
        return codes

    def decode(self, codes: Tensor) -> Tensor:
        """Decode codes (n, code_size) to reconstructions (n, 3, 32, 32) in 0..1."""
        return torch.sigmoid(self.decoder(codes))

    def decode_by_switches(self, codes: Tensor, examples: Tensor) -> Tensor:
        """Decode codes (n, code_size), which may be of other images, with the switches of `examples`."""
        _, switches = encode_with_switches(self.encoder, centred(examples))
        return torch.sigmoid(decode_with_switches(self.decoder, codes, switches))

    @property
    def code_layer(self) -> nn.Linear:
        """The last layer of the encoder."""
        layer = self.encoder[-1]
        assert isinstance(layer, nn.Linear)
        return layer

    def change_basis(self, matrix: Tensor, mean: Tensor) -> None:
        """Replace every code c by (c - mean) @ matrix from now on."""
        out_of = self.decoder[0]
        assert isinstance(out_of, nn.Linear)
        fold_basis(self.code_layer, out_of, matrix, mean)
