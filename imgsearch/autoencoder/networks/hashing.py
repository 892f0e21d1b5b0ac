"""Short binary codes: a linear map from a code to the logits of 28 bits, and bits to packed bytes.

Knows codes as numbers; must not know networks, images or files. The bits are made on top of a finished code, so that
the code itself loses nothing to them; how, `finish` says. They belong to the model, since they learn from views of
images; the 256 bits that are searched need codes alone, and belong to the index (`retrieval.binary_coder`).
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

SHORT_BITS = 28  # to address memory with (semantic hashing)
GAIN = 8.0  # brings logits, of codes of length 1, to where the hyperbolic tangent is neither straight nor flat


class Hashing(nn.Module):
    """The linear map from a code (n, code_size) to 28 bit logits, `short`.

    A bit is set where its logit is positive. Bits are of the first `size` numbers of a code, what its image shows: of
    the others, the looks, a sign would be as loud as any.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.short = nn.Linear(size, SHORT_BITS)
        # A random rotation to begin with: each bit then depends on all of the numbers, and none is always the same.
        nn.init.orthogonal_(self.short.weight, gain=GAIN)
        nn.init.zeros_(self.short.bias)

    def forward(self, codes: Tensor) -> Tensor:
        """Codes (n, code_size) to logits (n, 28)."""
        logits: Tensor = self.short(functional.normalize(codes[:, : self.size].float(), dim=1))
        return logits

    @torch.no_grad()
    def packed(self, codes: NDArray[np.floating]) -> NDArray[np.uint8]:
        """Codes (n, code_size) to packed bits (n, 4): bit j is bit 7 - j % 8 of byte j // 8; the last four are 0.

        In float64, so that a code gives the same bits whatever batch it stands in.
        """
        directions = np.asarray(codes[:, : self.size], np.float64)
        lengths = np.linalg.norm(directions, axis=1, keepdims=True)
        directions = np.divide(directions, lengths, out=np.zeros_like(directions), where=lengths > 0)
        weight, bias = (part.double().cpu().numpy() for part in (self.short.weight, self.short.bias))
        packed: NDArray[np.uint8] = np.packbits(directions @ weight.T + bias > 0, axis=1)
        return packed


def rounded(logits: Tensor) -> Tensor:
    """Bits as -1 and 1; backwards the gradient of the hyperbolic tangent of the logits.

    Straight-through, as in Krizhevsky & Hinton (2011): the gradient passes as if nothing had been rounded.
    """
    soft = torch.tanh(logits)
    return soft + (torch.where(logits > 0, 1.0, -1.0) - soft).detach()
