"""Another basis for codes: kept beside a network, or folded into its layers. Knows layers; must not know networks."""

import torch
from torch import Tensor, nn


@torch.no_grad()
def fold_basis(into: nn.Linear, out_of: nn.Linear, matrix: Tensor, mean: Tensor) -> None:
    """Make every code c that `into` gives the code (c - mean) @ matrix, and `out_of` take it back.

    `matrix` is (d, d) and invertible, `mean` (d,); in float64, so that folding again and again loses nothing.
    """
    matrix, mean = (part.to(into.weight.device, torch.float64) for part in (matrix, mean))
    out_of.bias.copy_(out_of.bias + out_of.weight.double() @ mean)
    out_of.weight.copy_(out_of.weight.double() @ torch.linalg.inv(matrix).T)
    into.weight.copy_(matrix.T @ into.weight.double())
    into.bias.copy_((into.bias - mean) @ matrix)


class Basis(nn.Module):
    """The basis of a network's codes, where its layers cannot take one in: at first the one they give."""

    matrix: Tensor
    inverse: Tensor
    shift: Tensor

    def __init__(self, code_size: int) -> None:
        super().__init__()
        self.register_buffer("matrix", torch.eye(code_size))
        self.register_buffer("inverse", torch.eye(code_size))
        self.register_buffer("shift", torch.zeros(code_size))

    def forward(self, given: Tensor) -> Tensor:
        """What the layers give, (n, d), as codes."""
        return (given - self.shift) @ self.matrix

    def undo(self, codes: Tensor) -> Tensor:
        """Codes (n, d) as the layers gave them."""
        return codes @ self.inverse + self.shift

    @torch.no_grad()
    def change(self, matrix: Tensor, mean: Tensor) -> None:
        """Make every code c the code (c - mean) @ matrix, for good; `matrix` is (d, d) and invertible, `mean` (d,)."""
        matrix, mean = (part.to(self.matrix.device, torch.float64) for part in (matrix, mean))
        # (given - shift) @ own = c, so c - mean = (given - shift - mean @ inverse) @ own
        self.shift.copy_(self.shift + mean @ self.inverse.double())
        self.matrix.copy_(self.matrix.double() @ matrix)
        self.inverse.copy_(torch.linalg.inv(self.matrix.double()))
