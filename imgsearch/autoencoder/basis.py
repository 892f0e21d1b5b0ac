"""Another basis for codes, folded into the linear layers on both sides. Knows layers; must not know networks."""

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
