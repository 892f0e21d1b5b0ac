"""Interface that all networks share, and the change of basis of their codes."""

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from imgsearch.autoencoder.networks.config import IMAGE_SHAPE
from imgsearch.autoencoder.networks.hashing import Hashing
from imgsearch.errors import ModelError


class Autoencoder(nn.Module, ABC):
    """An encoder and a decoder around a bottleneck of `code_size` numbers, and short binary codes made from these.

    One example has `example_shape`: an image (3, 32, 32), or a vector (d,). The first `invariant_size` dimensions of a
    code represent what an image shows and are trained to be invariant under random views; the others represent its
    appearance (colours, positions), which may differ between views.
    """

    metric: ClassVar[str] = "cosine"  # how codes are compared: "cosine" or "l2"
    uses_switches: bool = False  # whether `forward` gives the decoder more of an example than its code
    decoder: nn.Module

    def __init__(self, code_size: int, invariant_size: int, example_shape: tuple[int, ...] = IMAGE_SHAPE) -> None:
        super().__init__()
        if not 0 < invariant_size <= code_size:
            raise ModelError("at least one dimension of the code must be invariant, and at most all.")
        self.code_size, self.invariant_size, self.example_shape = code_size, invariant_size, example_shape
        self.hashing = Hashing(invariant_size)

    @property
    @abstractmethod
    def code_layer(self) -> nn.Linear:
        """The linear layer whose output is the code."""

    @abstractmethod
    def encode(self, examples: Tensor) -> Tensor:
        """Encode examples (n, *example_shape), float, images in 0..1, as codes (n, code_size)."""

    @abstractmethod
    def decode(self, codes: Tensor) -> Tensor:
        """Decode codes (n, code_size) to reconstructions (n, *example_shape) in 0..1."""

    @abstractmethod
    def change_basis(self, matrix: Tensor, mean: Tensor) -> None:
        """Replace every code c by (c - mean) @ matrix from now on; reconstructions stay the same.

        `matrix` is (code_size, code_size) and invertible, `mean` (code_size,).
        """

    def forward(self, examples: Tensor) -> tuple[Tensor, Tensor]:
        """Return the codes and the reconstructions of examples."""
        codes = self.encode(examples)
        return codes, self.decode(codes)

    def reconstruction_loss(self, reconstructions: Tensor, examples: Tensor) -> Tensor:
        """Return the mean squared error per value, a scalar; both arguments are (n, *example_shape)."""
        return functional.mse_loss(reconstructions.float(), examples)

    def squared_jacobian(self, examples: Tensor) -> Tensor | None:
        """Return the squared Frobenius norms (n,) of the encoder's Jacobian where a formula gives them, else None."""
        del examples
        return None


class FittedAutoencoder(Autoencoder):
    """An autoencoder whose weights follow from the examples by a formula: it is fitted in one go, without steps."""

    @abstractmethod
    def fit(self, mean: Tensor, directions: Tensor) -> None:
        """Set the weights for examples with this mean (d,) and these principal directions (k, d)."""


# ----------------------------------------------------------------------------------------------------------------------
# Change of basis


@torch.no_grad()
def fold_basis(into: nn.Linear, out_of: nn.Linear, matrix: Tensor, mean: Tensor) -> None:
    """Fold a change of basis into the layer that gives the codes and the layer that takes them.

    Every code c of `into` becomes (c - mean) @ matrix, and `out_of` undoes it. `matrix` is (d, d) and invertible,
    `mean` (d,). Computed in float64, so that repeated folding loses nothing.
    """
    matrix, mean = (part.to(into.weight.device, torch.float64) for part in (matrix, mean))
    out_of.bias.copy_(out_of.bias + out_of.weight.double() @ mean)
    out_of.weight.copy_(out_of.weight.double() @ torch.linalg.inv(matrix).T)
    into.weight.copy_(matrix.T @ into.weight.double())
    into.bias.copy_((into.bias - mean) @ matrix)


class Basis(nn.Module):
    """The basis of a network's codes, for networks whose layers cannot absorb it; at first the identity."""

    matrix: Tensor
    inverse: Tensor
    shift: Tensor

    def __init__(self, code_size: int) -> None:
        super().__init__()
        self.register_buffer("matrix", torch.eye(code_size))
        self.register_buffer("inverse", torch.eye(code_size))
        self.register_buffer("shift", torch.zeros(code_size))

    def forward(self, given: Tensor) -> Tensor:
        """Turn outputs of the layers (n, d) into codes (n, d)."""
        return (given - self.shift) @ self.matrix

    def undo(self, codes: Tensor) -> Tensor:
        """Turn codes (n, d) back into outputs of the layers (n, d)."""
        return codes @ self.inverse + self.shift

    @torch.no_grad()
    def change(self, matrix: Tensor, mean: Tensor) -> None:
        """Replace every code c by (c - mean) @ matrix from now on; `matrix` is (d, d) and invertible, `mean` (d,)."""
        matrix, mean = (part.to(self.matrix.device, torch.float64) for part in (matrix, mean))
        # (given - shift) @ own = c, so c - mean = (given - shift - mean @ inverse) @ own
        self.shift.copy_(self.shift + mean @ self.inverse.double())
        self.matrix.copy_(self.matrix.double() @ matrix)
        self.inverse.copy_(torch.linalg.inv(self.matrix.double()))
