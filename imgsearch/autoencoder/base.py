"""What every network of this wing offers. Knows no particular network, no file and no training."""

from abc import ABC, abstractmethod

from torch import Tensor, nn

from imgsearch.autoencoder.hashing import Hashing
from imgsearch.errors import ModelError


class Autoencoder(nn.Module, ABC):
    """An encoder and a decoder around a bottleneck of `code_size` numbers, and the binary codes made of these.

    The first `agreement_size` numbers say what an image shows, the others how it looks: only the latter may differ
    between views of one image without a cost in training.
    """

    decoder: nn.Module

    def __init__(self, code_size: int, agreement_size: int) -> None:
        super().__init__()
        if not 0 < agreement_size <= code_size:
            raise ModelError("the views must agree on at least one number of the code, and at most on all.")
        self.code_size, self.agreement_size = code_size, agreement_size
        self.hashing = Hashing(agreement_size)

    @property
    @abstractmethod
    def code_layer(self) -> nn.Linear:
        """The linear layer that gives the code."""

    @abstractmethod
    def encode(self, images: Tensor) -> Tensor:
        """Images (n, 3, 32, 32), float in 0..1, to codes (n, code_size)."""

    @abstractmethod
    def decode(self, codes: Tensor) -> Tensor:
        """Codes (n, code_size) to reconstructions (n, 3, 32, 32) in 0..1."""

    @abstractmethod
    def change_basis(self, matrix: Tensor, mean: Tensor) -> None:
        """Make every code c the code (c - mean) @ matrix, for good; reconstructions stay what they were.

        `matrix` is (code_size, code_size) and invertible, `mean` (code_size,).
        """

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Images to their codes and reconstructions."""
        codes = self.encode(images)
        return codes, self.decode(codes)
