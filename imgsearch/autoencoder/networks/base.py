"""What every network of this wing offers. Knows no particular network, no file and no training."""

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional

from imgsearch.autoencoder.networks.config import IMAGE_SHAPE
from imgsearch.autoencoder.networks.hashing import Hashing
from imgsearch.errors import ModelError


class Autoencoder(nn.Module, ABC):
    """An encoder and a decoder around a bottleneck of `code_size` numbers, and the binary codes made of these.

    One example is of `example_shape`: an image (3, 32, 32), or a vector (d,). The first `invariant_size` numbers of a
    code say what an image shows, the others how it looks: only the latter may differ between views of one image
    without a cost in training.
    """

    metric: ClassVar[str] = "cosine"  # how its codes are to be compared: "cosine" or "l2"
    goes_around_the_code: bool = False  # whether `forward` tells the decoder more of an example than its code
    decoder: nn.Module
    classifier: nn.Linear | None  # a softmax on the code, while labels are learned; never part of a checkpoint

    def __init__(self, code_size: int, invariant_size: int, example_shape: tuple[int, ...] = IMAGE_SHAPE) -> None:
        super().__init__()
        if not 0 < invariant_size <= code_size:
            raise ModelError("the views must agree on at least one number of the code, and at most on all.")
        self.code_size, self.invariant_size, self.example_shape = code_size, invariant_size, example_shape
        self.hashing = Hashing(invariant_size)
        self.classifier = None

    @property
    @abstractmethod
    def code_layer(self) -> nn.Linear:
        """The linear layer that gives the code."""

    @abstractmethod
    def encode(self, examples: Tensor) -> Tensor:
        """Examples (n, *example_shape), float, images in 0..1, to codes (n, code_size)."""

    @abstractmethod
    def decode(self, codes: Tensor) -> Tensor:
        """Codes (n, code_size) to reconstructions (n, *example_shape) in 0..1."""

    @abstractmethod
    def change_basis(self, matrix: Tensor, mean: Tensor) -> None:
        """Make every code c the code (c - mean) @ matrix, for good; reconstructions stay what they were.

        `matrix` is (code_size, code_size) and invertible, `mean` (code_size,).
        """

    def forward(self, examples: Tensor) -> tuple[Tensor, Tensor]:
        """Examples to their codes and reconstructions."""
        codes = self.encode(examples)
        return codes, self.decode(codes)

    def reconstruction_loss(self, reconstructions: Tensor, examples: Tensor) -> Tensor:
        """What reconstructions cost, both (n, *example_shape): the mean squared error per value; a scalar."""
        return functional.mse_loss(reconstructions.float(), examples)

    def squared_jacobian(self, examples: Tensor) -> Tensor | None:
        """(n,) the squared Frobenius norm of the encoder's Jacobian, where a formula gives it exactly; else None."""
        del examples
        return None


class FittedAutoencoder(Autoencoder):
    """An autoencoder whose weights follow from the examples by a formula: training it takes no steps."""

    @abstractmethod
    def fit(self, mean: Tensor, directions: Tensor) -> None:
        """Take the weights that fit examples of this mean (d,) best, which vary most in these directions (k, d)."""
