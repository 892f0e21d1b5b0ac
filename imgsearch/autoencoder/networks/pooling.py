"""Layers that halve maps by max pooling, and layers that double them again.

They differ in their use of the positions of the maxima, the "switches": `Repeat` ignores them, `Unpool` puts each value
back where it came from (Zeiler, Taylor & Fergus, "Adaptive Deconvolutional Networks", ICCV 2011; Zhao et al., "Stacked
What-Where Auto-encoders", 2015). Switches bypass the code: information in them need not be in the code.
"""

from torch import Tensor, nn
from torch.nn import functional


class MaxPool(nn.Module):
    """Halve maps (n, c, h, w) to (n, c, h/2, w/2): the largest value of each 2x2 patch."""

    def forward(self, maps: Tensor) -> Tensor:
        return functional.max_pool2d(maps, 2)

    def with_switches(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Return the same, and the switches (n, c, h/2, w/2), int64: the position of each maximum in its map."""
        pooled, switches = functional.max_pool2d(maps, 2, return_indices=True)
        return pooled, switches


class Repeat(nn.Module):
    """Double maps (n, c, h, w) to (n, c, 2h, 2w): each value fills a 2x2 patch."""

    def forward(self, maps: Tensor) -> Tensor:
        return functional.interpolate(maps, scale_factor=2.0, mode="nearest")


class Unpool(nn.Module):
    """Double maps (n, c, h, w) to (n, c, 2h, 2w): each value goes to its switch's position, the others are 0.

    Without switches each value is spread evenly over its patch, a quarter to each position: the mean over all switches.
    """

    def forward(self, maps: Tensor) -> Tensor:
        return functional.interpolate(maps / 4, scale_factor=2.0, mode="nearest")

    def with_switches(self, maps: Tensor, switches: Tensor) -> Tensor:
        """Put the values at the positions of the switches (n, c, h, w) of `MaxPool`."""
        return functional.max_unpool2d(maps, switches, [2, 2])


def encode_with_switches(encoder: nn.Sequential, maps: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Return the encoder's output and the switches of its pooling layers, in their order."""
    switches: list[Tensor] = []
    for layer in encoder:
        if isinstance(layer, MaxPool):
            maps, places = layer.with_switches(maps)
            switches.append(places)
        else:
            maps = layer(maps)
    return maps, switches


def decode_with_switches(decoder: nn.Sequential, values: Tensor, switches: list[Tensor]) -> Tensor:
    """Return the decoder's output with the encoder's switches in its unpooling layers, the last switches first."""
    left = list(switches)
    for layer in decoder:
        values = layer.with_switches(values, left.pop()) if isinstance(layer, Unpool) else layer(values)
    return values
