"""Muon, an optimiser for matrices.

Source: Jordan et al., "Muon: an optimizer for hidden layers in neural networks" (2024). The momentum of a matrix is
replaced by a matrix with the same singular vectors and singular values of about 1, so that a step moves all directions
equally. Five Newton-Schulz iterations are usual; three are enough here and cheaper.

`torch.optim.Muon` takes matrices only, and many weights here are 4-dimensional convolutions. On matrices both make the
same steps, which a test checks.
"""

from collections.abc import Callable, Iterable
from typing import Any, overload

import torch
from torch import Tensor, nn

ITERATIONS = 3
COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the quintic; from the source


def orthogonalised(matrix: Tensor, iterations: int = ITERATIONS, dtype: torch.dtype | None = None) -> Tensor:
    """Return the matrix (m, n) with singular values of about 1 (between 0.5 and 1.3 after five iterations).

    Computed and returned in `dtype`, by default the matrix's own; bfloat16 is precise enough, according to the source.
    """
    a, b, c = COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    x: Tensor = matrix.T if tall else matrix
    x = (x / (x.norm() + 1e-7)).to(dtype)
    for _ in range(iterations):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if tall else x


class Muon(torch.optim.Optimizer):
    """Orthogonalised Nesterov momentum. A convolution (o, i, h, w) is treated as a matrix (o, i * h * w)."""

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        learning_rate: float,
        momentum: float = 0.9,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(parameters, {"lr": learning_rate, "momentum": momentum})
        self._dtype = dtype  # of the orthogonalisation; momentum and weights stay as they are

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], float]) -> float: ...
    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Update the parameters from their gradients; closures, which other optimisers accept, are not supported."""
        assert closure is None
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._move(parameter, group)
        return None

    def _move(self, parameter: nn.Parameter, group: dict[str, Any]) -> None:
        state, gradient = self.state[parameter], parameter.grad
        assert gradient is not None
        momentum = state.setdefault("momentum", torch.zeros_like(gradient))
        momentum.mul_(group["momentum"]).add_(gradient)
        direction = gradient.add(momentum, alpha=group["momentum"]).flatten(1)  # (m, n)
        m, n = direction.shape
        # A tall matrix needs a longer step for the same change of its outputs.
        size = max(1.0, m / n) ** 0.5
        step = orthogonalised(direction, dtype=self._dtype).to(parameter.dtype).view_as(parameter)
        parameter.add_(step, alpha=-group["lr"] * size)
