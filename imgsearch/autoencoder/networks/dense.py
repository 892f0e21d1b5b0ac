"""The fully connected autoencoder of Hinton & Salakhutdinov (2006) and Krizhevsky & Hinton (2011), of any sizes.

For images the sizes begin with 3072: 3072-8192-4096-2048-1024-512-256 is the network of 2011; 784-1000-500-250-30 is
that of 2006, for digits.
"""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from imgsearch.autoencoder.networks.base import Autoencoder, Basis
from imgsearch.autoencoder.networks.config import IMAGE_SHAPE, N_IMAGE_VALUES, DenseConfig
from imgsearch.autoencoder.networks.conv import PIXEL_MEAN, PIXEL_SCALE

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "silu": functional.silu,
    "sigmoid": torch.sigmoid,
}


class TiedDecoder(nn.Module):
    """A decoder that uses the encoder's weights, transposed, and has only biases of its own."""

    def __init__(self, layers: nn.ModuleList) -> None:
        super().__init__()
        self._encoder = [layers]  # in a list, so that torch does not count the encoder's weights twice
        self.biases = nn.ParameterList(torch.zeros(layer.in_features) for layer in reversed(layers))  # type: ignore[call-overload] # all are nn.Linear

    def linear(self, number: int, values: Tensor) -> Tensor:
        """Apply layer `number` of the decoder, without its activation."""
        layer = self._encoder[0][-1 - number]
        assert isinstance(layer, nn.Linear)
        return functional.linear(values, layer.weight.T, self.biases[number])


class UntiedDecoder(nn.Module):
    """A decoder with weights of its own."""

    def __init__(self, sizes: tuple[int, ...], activation: str) -> None:
        super().__init__()
        self.layers = dense_layers(sizes[::-1], activation)

    def linear(self, number: int, values: Tensor) -> Tensor:
        """Apply layer `number` of the decoder, without its activation."""
        decoded: Tensor = self.layers[number](values)
        return decoded


class DenseAutoencoder(Autoencoder):
    """Fully connected layers to the code, and mirrored ones back."""

    decoder: "TiedDecoder | UntiedDecoder"

    def __init__(self, config: DenseConfig) -> None:
        first, code_size = config.sizes[0], config.sizes[-1]
        shape = IMAGE_SHAPE if first == N_IMAGE_VALUES else (first,)
        super().__init__(code_size, config.invariant_size or code_size, shape)
        self.config = config
        self.layers = dense_layers(config.sizes, config.activation)
        self.decoder = TiedDecoder(self.layers) if config.tied else UntiedDecoder(config.sizes, config.activation)
        self._activation = ACTIVATIONS[config.activation]
        self.basis = Basis(code_size)  # tied weights cannot absorb a change of basis

    @property
    def code_layer(self) -> nn.Linear:
        layer = self.layers[-1]
        assert isinstance(layer, nn.Linear)
        return layer

    def inputs(self, examples: Tensor) -> Tensor:
        """Return the inputs (n, d) of the first layer: images centred and scaled, vectors as they are."""
        return flat_inputs(examples, self.example_shape)

    def units(self, examples: Tensor, depth: int) -> Tensor:
        """Return the activations (n, d) of the encoder's hidden layer `depth`; 0 gives the inputs of the first one."""
        values = self.inputs(examples)
        for layer in self.layers[:depth]:
            values = self._activation(layer(values))
        return values

    def encode(self, examples: Tensor) -> Tensor:
        values = self.units(examples, len(self.layers) - 1)
        codes: Tensor = self.layers[-1](values)
        if self.config.code == "sigmoid":
            codes = torch.sigmoid(codes)
        based: Tensor = self.basis(codes)
        return based

    def decode_logits(self, codes: Tensor) -> Tensor:
        """Return the outputs (n, d) of the last layer, before they are brought to 0..1."""
        values = self.basis.undo(codes)
        last = len(self.layers) - 1
        for number in range(last):
            values = self._activation(self.decoder.linear(number, values))
        return self.decoder.linear(last, values)

    def decode(self, codes: Tensor) -> Tensor:
        return self.outputs(self.decode_logits(codes).float())

    def outputs(self, logits: Tensor) -> Tensor:
        """Turn outputs of the last layer (n, d) into reconstructions (n, *example_shape) in 0..1."""
        values = logits.softmax(1) if self.config.output == "softmax" else torch.sigmoid(logits)
        return values.view(-1, *self.example_shape)

    def reconstruction_loss(self, reconstructions: Tensor, examples: Tensor) -> Tensor:
        """Return the mean squared error per value, or for distributions the cross-entropy with the example, in nats."""
        if self.config.output == "sigmoid":
            return super().reconstruction_loss(reconstructions, examples)
        wanted = examples / examples.sum(1, keepdim=True).clamp_min(1e-9)
        return -(wanted * reconstructions.clamp_min(1e-12).log()).sum(1).mean()

    def squared_jacobian(self, examples: Tensor) -> Tensor | None:
        """Exact for one layer of sigmoids (Rifai et al. 2011): that of B' S W, S = h (1 - h), B the codes' basis."""
        if len(self.layers) > 1 or self.config.code != "sigmoid":
            return None
        weights = self.code_layer.weight  # (d, values)
        units = torch.sigmoid(self.code_layer(self.inputs(examples)))  # (n, d)
        slopes = (units * (1 - units)).float()
        products = (weights @ weights.T) * (self.basis.matrix @ self.basis.matrix.T)  # (d, d)
        scale = PIXEL_SCALE**2 if self.example_shape == IMAGE_SHAPE else 1.0
        return ((slopes @ products.float()) * slopes).sum(1) * scale

    def change_basis(self, matrix: Tensor, mean: Tensor) -> None:
        """Replace every code c by (c - mean) @ matrix from now on."""
        self.basis.change(matrix, mean)


def flat_inputs(examples: Tensor, example_shape: tuple[int, ...]) -> Tensor:
    """Return examples (n, *example_shape) as inputs (n, d): images centred and scaled, vectors as they are."""
    values = examples.flatten(1)
    return (values - PIXEL_MEAN) * PIXEL_SCALE if example_shape == IMAGE_SHAPE else values


def dense_layers(sizes: tuple[int, ...], activation: str) -> nn.ModuleList:
    """Return linear layers from each size to the next, initialised for the activation (sigmoid: Glorot, else He)."""
    layers = [nn.Linear(into, out) for into, out in pairwise(sizes)]
    for layer in layers:
        if activation != "sigmoid":
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        else:
            nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)
    return nn.ModuleList(layers)
