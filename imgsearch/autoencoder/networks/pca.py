"""The linear autoencoder: principal components, fitted exactly.

Among all linear autoencoders it has the smallest squared reconstruction error (Baldi & Hornik 1989): the rows of the
encoder W are the directions in which examples vary most, and the decoder is W transposed.
"""

import torch
from torch import Tensor, nn

from imgsearch.autoencoder.networks.base import FittedAutoencoder, fold_basis
from imgsearch.autoencoder.networks.config import PcaConfig


class PcaAutoencoder(FittedAutoencoder):
    """Code = W (example - mean), reconstruction = W' code + mean, clipped to 0..1."""

    metric = "l2"
    decoder: nn.Linear

    def __init__(self, config: PcaConfig) -> None:
        super().__init__(config.code_size, config.code_size, config.example_shape)
        n_values = torch.Size(config.example_shape).numel()
        self.encoder = nn.Linear(n_values, config.code_size)
        self.decoder = nn.Linear(config.code_size, n_values)

    @property
    def code_layer(self) -> nn.Linear:
        return self.encoder

    def encode(self, examples: Tensor) -> Tensor:
        codes: Tensor = self.encoder(examples.flatten(1))
        return codes

    def decode(self, codes: Tensor) -> Tensor:
        values: Tensor = self.decoder(codes)
        return values.clamp(0, 1).view(-1, *self.example_shape)

    def change_basis(self, matrix: Tensor, mean: Tensor) -> None:
        fold_basis(self.encoder, self.decoder, matrix, mean)

    @torch.no_grad()
    def fit(self, mean: Tensor, directions: Tensor) -> None:
        """Set the weights to the directions (k, d), largest variance first; code dimensions beyond k are 0."""
        missing = self.code_size - len(directions)
        components = torch.cat([directions, directions.new_zeros(missing, len(mean))])  # (code_size, d)
        self.encoder.weight.copy_(components)
        self.encoder.bias.copy_(-components @ mean)
        self.decoder.weight.copy_(components.T)
        self.decoder.bias.copy_(mean)
