"""Binary codes: a linear map from a code to the logits of bits, and bits to packed bytes.

Knows codes as numbers; must not know networks, images or files. Bits are made on top of a finished code, so that
the code itself loses nothing to them; how, `finish` says.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

LONG_BITS, SHORT_BITS = 256, 28  # to search with, and to address memory with (semantic hashing)
GAIN = 8.0  # brings logits, of codes of length 1, to where the hyperbolic tangent is neither straight nor flat


class Hashing(nn.Module):
    """The linear maps from a code (n, code_size) to bit logits: `long` (n, 256) and `short` (n, 28).

    A bit is set where its logit is positive. Bits are of the first `size` numbers of a code, what its image shows: of
    the others, the looks, a sign would be as loud as any.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.long = _rotation(size, LONG_BITS)
        self.short = _rotation(size, SHORT_BITS)

    def forward(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Codes (n, code_size) to the logits of both, (n, 256) and (n, 28)."""
        directions = functional.normalize(codes[:, : self.size].float(), dim=1)
        return self.long(directions), self.short(directions)

    @torch.no_grad()
    def packed(self, codes: NDArray[np.floating], *, n_bits: int = LONG_BITS) -> NDArray[np.uint8]:
        """Codes (n, code_size) to packed binary codes (n, ceil(n_bits / 8)): bit j is bit 7 - j % 8 of byte j // 8.

        In float64, so that a code gives the same bits whatever batch it stands in.
        """
        layer = self.long if n_bits == LONG_BITS else self.short
        assert layer.out_features == n_bits, f"there are {LONG_BITS} and {SHORT_BITS} bits, not {n_bits}"
        directions = np.asarray(codes[:, : self.size], np.float64)
        lengths = np.linalg.norm(directions, axis=1, keepdims=True)
        directions = np.divide(directions, lengths, out=np.zeros_like(directions), where=lengths > 0)
        weight, bias = (part.double().cpu().numpy() for part in (layer.weight, layer.bias))
        packed: NDArray[np.uint8] = np.packbits(directions @ weight.T + bias > 0, axis=1)
        return packed


def _rotation(size: int, n_bits: int) -> nn.Linear:
    """A random rotation to begin with: each bit then depends on all of the numbers, and none is always the same."""
    layer = nn.Linear(size, n_bits)
    nn.init.orthogonal_(layer.weight, gain=GAIN)
    nn.init.zeros_(layer.bias)
    return layer


def rounded(logits: Tensor) -> Tensor:
    """Bits as -1 and 1; backwards the gradient of the hyperbolic tangent of the logits.

    Straight-through, as in Krizhevsky & Hinton (2011): the gradient passes as if nothing had been rounded.
    """
    soft = torch.tanh(logits)
    return soft + (torch.where(logits > 0, 1.0, -1.0) - soft).detach()
