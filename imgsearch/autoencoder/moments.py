"""Mean and covariance of examples, exact, block by block. Must not know what they are for."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imgsearch.autoencoder.encode import as_examples
from imgsearch.autoencoder.feed import Examples

BLOCK_ROWS = 4096  # that are multiplied at once, in float32
CENTRE = 0.5  # taken off values in 0..1 before they are multiplied: sums of squares then lose least to rounding


def moments(examples: Examples, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    """Mean (d,) and covariance (d, d) of `examples[rows]` as networks see them, float64, exact, block by block."""
    n_values = examples[0].size
    total, products = torch.zeros(n_values, dtype=torch.float64), torch.zeros(n_values, n_values, dtype=torch.float64)
    for start in range(0, len(rows), BLOCK_ROWS):
        block = as_examples(examples[rows[start : start + BLOCK_ROWS]], torch.device("cpu")).flatten(1) - CENTRE
        total += block.sum(0, dtype=torch.float64)
        products += (block.T @ block).double()
    mean = total / len(rows)
    return mean + CENTRE, products / len(rows) - torch.outer(mean, mean)
