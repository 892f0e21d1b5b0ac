"""Mean and directions of largest variance of examples, exact. Must not know what they are for."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imgsearch.autoencoder.data.batches import Examples, as_examples

BLOCK_ROWS = 4096  # that are multiplied at once, in float32
CENTRE = 0.5  # taken off values in 0..1 before they are multiplied: sums of squares then lose least to rounding
CPU = torch.device("cpu")


def leading_components(examples: Examples, rows: NDArray[np.int64], most: int) -> tuple[Tensor, Tensor]:
    """The mean (d,) of `examples[rows]` as networks see them, and the directions (k, d) in which they vary most.

    Of length 1, the one of largest variance first, float64; k is `most`, or fewer where there are fewer directions.
    """
    if len(rows) <= examples[:1].size:  # few examples: the directions lie in their span
        values = _flat(examples, rows).double()
        mean = values.mean(0)
        _, _, directions = torch.linalg.svd(values - mean, full_matrices=False)
        return mean + CENTRE, directions[: min(most, len(rows) - 1)]
    mean, covariance = moments(examples, rows)
    _, directions = torch.linalg.eigh(covariance)  # in columns, ascending
    return mean, directions.flip(1)[:, :most].T


def moments(examples: Examples, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    """Mean (d,) and covariance (d, d) of `examples[rows]` as networks see them, float64, block by block."""
    n_values = examples[:1].size
    total, products = torch.zeros(n_values, dtype=torch.float64), torch.zeros(n_values, n_values, dtype=torch.float64)
    for start in range(0, len(rows), BLOCK_ROWS):
        block = _flat(examples, rows[start : start + BLOCK_ROWS])
        total += block.sum(0, dtype=torch.float64)
        products += (block.T @ block).double()
    mean = total / len(rows)
    return mean + CENTRE, products / len(rows) - torch.outer(mean, mean)


def _flat(examples: Examples, rows: NDArray[np.int64]) -> Tensor:
    return as_examples(examples[rows], CPU).flatten(1) - CENTRE
