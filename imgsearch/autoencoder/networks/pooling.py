"""Layers that halve maps by their maxima, and layers that double maps again. Knows maps; must not know networks.

What becomes of the places of the maxima is the difference: `Repeat` forgets them, `Unpool` puts each value back where
it came from (Zeiler, Taylor & Fergus, "Adaptive Deconvolutional Networks", ICCV 2011; Zhao et al., "Stacked What-Where
Auto-encoders", 2015). The places go around the code: what they say, the code need not hold.
"""

from torch import Tensor, nn
from torch.nn import functional


class MaxPool(nn.Module):
    """(n, c, h, w) to (n, c, h/2, w/2): the largest value of each 2x2 patch."""

    def forward(self, maps: Tensor) -> Tensor:
        return functional.max_pool2d(maps, 2)

    def with_switches(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """The same, and the switches (n, c, h/2, w/2), int64: where in its map (h * w) each largest value lay."""
        pooled, switches = functional.max_pool2d(maps, 2, return_indices=True)
        return pooled, switches


class Repeat(nn.Module):
    """(n, c, h, w) to (n, c, 2h, 2w): each value four times, on a 2x2 patch."""

    def forward(self, maps: Tensor) -> Tensor:
        return functional.interpolate(maps, scale_factor=2.0, mode="nearest")


class Unpool(nn.Module):
    """(n, c, h, w) to (n, c, 2h, 2w): each value at the place of its switch in a 2x2 patch, zeros beside it.

    Without switches each value is spread evenly over its patch, a quarter to each place: the mean of what unpooling
    gives when every place is as likely.
    """

    def forward(self, maps: Tensor) -> Tensor:
        return functional.interpolate(maps / 4, scale_factor=2.0, mode="nearest")

    def with_switches(self, maps: Tensor, switches: Tensor) -> Tensor:
        """The values where the switches (n, c, h, w) of `MaxPool` say."""
        return functional.max_unpool2d(maps, switches, [2, 2])


def encode_with_switches(encoder: nn.Sequential, maps: Tensor) -> tuple[Tensor, list[Tensor]]:
    """What the encoder gives, and the switches of its pooling layers, the first layer's first."""
    switches: list[Tensor] = []
    for layer in encoder:
        if isinstance(layer, MaxPool):
            maps, places = layer.with_switches(maps)
            switches.append(places)
        else:
            maps = layer(maps)
    return maps, switches


def decode_with_switches(decoder: nn.Sequential, values: Tensor, switches: list[Tensor]) -> Tensor:
    """What the decoder gives when its unpooling layers know the encoder's switches: the last layer's are used first."""
    left = list(switches)
    for layer in decoder:
        values = layer.with_switches(values, left.pop()) if isinstance(layer, Unpool) else layer(values)
    return values
