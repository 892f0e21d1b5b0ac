"""Short binary codes: a linear map from a code to the logits of 28 bits, and packing of bits into bytes.

The bits are learned after the code is finished (`postprocess`), so that the code loses nothing to them. They belong to
the model because they are learned from views of images; the 256 bits that are searched are computed from codes alone
and belong to the index.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

SHORT_BITS = 28  # enough to address memory with (semantic hashing)
GAIN = 8.0  # scales logits of codes of length 1 to where the hyperbolic tangent is neither linear nor saturated


class Hashing(nn.Module):
    """A linear map, `short`, from the first `size` dimensions of a code to the logits of 28 bits.

    A bit is set where its logit is positive. Only the invariant dimensions are used: in a binary code, appearance would
    count as much as content.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.short = nn.Linear(size, SHORT_BITS)
        # A random rotation at first: each bit then depends on all dimensions, and none is constant.
        nn.init.orthogonal_(self.short.weight, gain=GAIN)
        nn.init.zeros_(self.short.bias)

    def forward(self, codes: Tensor) -> Tensor:
        """Return the logits (n, 28) of codes (n, code_size)."""
        logits: Tensor = self.short(functional.normalize(codes[:, : self.size].float(), dim=1))
        return logits

    @torch.no_grad()
    def packed(self, codes: NDArray[np.floating]) -> NDArray[np.uint8]:
        """Return the bits of codes (n, code_size), packed (n, 4).

        Bit j is bit 7 - j % 8 of byte j // 8; the last four are 0. Computed in float64, so that the bits of a code do
        not depend on its batch.
        """
        directions = np.asarray(codes[:, : self.size], np.float64)
        lengths = np.linalg.norm(directions, axis=1, keepdims=True)
        directions = np.divide(directions, lengths, out=np.zeros_like(directions), where=lengths > 0)
        weight, bias = (part.double().cpu().numpy() for part in (self.short.weight, self.short.bias))
        packed: NDArray[np.uint8] = np.packbits(directions @ weight.T + bias > 0, axis=1)
        return packed


def rounded(logits: Tensor) -> Tensor:
    """Round logits to bits, -1 and 1; the gradient is that of their hyperbolic tangent.

    This is the straight-through estimate of Krizhevsky & Hinton (2011): gradients pass as if nothing were rounded.
    """
    soft = torch.tanh(logits)
    return soft + (torch.where(logits > 0, 1.0, -1.0) - soft).detach()
