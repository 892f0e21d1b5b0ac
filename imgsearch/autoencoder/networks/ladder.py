"""The ladder network: classes from a few labels, helped by many examples without (Rasmus et al., NIPS 2015).

The encoder runs twice, clean and with noise in every layer. From the top down, the denoiser estimates each clean layer
from the noisy layer beside it and the estimate above. Details can bypass the upper layers, which need to represent
little more than the classes. The code is the last layer before the classes. Because details never pass through the
code, the denoiser alone would decode every code to about the mean example; so a separate decoder is trained, last.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from imgsearch.autoencoder.networks.base import Autoencoder, Basis
from imgsearch.autoencoder.networks.config import IMAGE_SHAPE, N_IMAGE_VALUES, LadderConfig
from imgsearch.autoencoder.networks.dense import UntiedDecoder, flat_inputs

EPSILON = 1e-5  # added to variances before they divide
MEMORY = 0.95  # of running means and variances, from step to step
N_COMBINING = 10  # parameters of a combinator for each unit


# ----------------------------------------------------------------------------------------------------------------------
# Parts


class Normalisation(nn.Module):
    """Batch normalisation without scale and shift (Ioffe & Szegedy 2015)."""

    mean: Tensor
    variance: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("variance", torch.ones(size))

    def forward(self, values: Tensor) -> Tensor:
        """Normalise values (n, size): by the batch in training, and by the running mean and variance in evaluation."""
        if self.training:
            return self.of_batch(values, remember=True)
        return (values.float() - self.mean) * torch.rsqrt(self.variance + EPSILON)

    def of_batch(self, values: Tensor, *, remember: bool = False) -> Tensor:
        """Normalise values (n, size) by their own mean and variance; `remember` updates the running ones."""
        values = values.float()
        variance, mean = torch.var_mean(values, 0, correction=0)
        if remember:
            with torch.no_grad():
                self.mean.lerp_(mean, 1 - MEMORY)
                self.variance.lerp_(variance, 1 - MEMORY)
        return (values - mean) * torch.rsqrt(variance + EPSILON)


class Combinator(nn.Module):
    """Estimate a clean value from the noisy one beside it and the signal from above (section 4.1 of the paper).

    The value is taken to be normally distributed with a mean that follows from the signal; the noisy value is shrunk
    towards that mean.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        weights = torch.zeros(N_COMBINING, size)
        weights[1] = weights[6] = 1.0
        self.weights = nn.Parameter(weights)

    def forward(self, noisy: Tensor, above: Tensor) -> Tensor:
        """Return the estimates; both arguments and the result are (n, size)."""
        w = self.weights
        mean = w[0] * torch.sigmoid(w[1] * above + w[2]) + w[3] * above + w[4]
        trust = w[5] * torch.sigmoid(w[6] * above + w[7]) + w[8] * above + w[9]
        return (noisy - mean) * trust + mean


class Denoiser(nn.Module):
    """The denoising path from the classes down to the example; combinator 0 belongs to the example."""

    def __init__(self, sizes: tuple[int, ...]) -> None:
        super().__init__()
        self.layers = unbiased_layers(sizes[::-1])
        self.combinators = nn.ModuleList(Combinator(size) for size in sizes)
        self._norm = Normalisation(0)  # only its `of_batch` is used

    def forward(self, noisy: list[Tensor], classes: Tensor) -> list[Tensor]:
        """Estimate the clean layers, the example first, from the noisy ones and class probabilities (n, classes)."""
        above = self._norm.of_batch(classes)
        denoised = [self.combinators[-1](noisy[-1], above)]
        for layer, beside, combinator in zip(self.layers, noisy[-2::-1], list(self.combinators)[-2::-1], strict=True):
            above = self._norm.of_batch(layer(denoised[-1]))
            denoised.append(combinator(beside, above))
        return denoised[::-1]


# ----------------------------------------------------------------------------------------------------------------------
# The network


class LadderAutoencoder(Autoencoder):
    """Normalised layers to the code and the classes, a denoiser beside them, and a decoder of the code."""

    decoder: UntiedDecoder

    def __init__(self, config: LadderConfig) -> None:
        first, code_size = config.sizes[0], config.sizes[-2]
        super().__init__(code_size, code_size, IMAGE_SHAPE if first == N_IMAGE_VALUES else (first,))
        self.config = config
        self.n_classes = config.sizes[-1]
        self.layers = unbiased_layers(config.sizes)
        self.norms = nn.ModuleList(Normalisation(size) for size in config.sizes[1:])
        self.biases = nn.ParameterList(torch.zeros(size) for size in config.sizes[1:])
        self.sharpness = nn.Parameter(torch.ones(self.n_classes))
        self.denoiser = Denoiser(config.sizes)
        self.decoder = UntiedDecoder(config.sizes[:-1], "relu")
        self.basis = Basis(code_size)  # normalised layers cannot absorb a change of basis

    @property
    def code_layer(self) -> nn.Linear:
        layer = self.layers[-2]
        assert isinstance(layer, nn.Linear)
        return layer

    def inputs(self, examples: Tensor) -> Tensor:
        """Return the inputs (n, d) of the first layer: images centred and scaled, vectors as they are."""
        return flat_inputs(examples, self.example_shape)

    def encode(self, examples: Tensor) -> Tensor:
        """Encode examples as codes (n, code_size): the last layer before the classes, normalised, before its ReLU."""
        codes: Tensor = self.basis(self.clean(examples)[-2])
        return codes

    def clean(self, examples: Tensor) -> list[Tensor]:
        """Return every layer without noise, normalised and before its activation, from the example to the classes."""
        found = [self.inputs(examples).float()]
        values = found[0]
        for number, (layer, norm) in enumerate(zip(self.layers, self.norms, strict=True)):
            found.append(norm(layer(values)))
            values = self._activated(number, found[-1])
        return found

    def noisy(self, examples: Tensor, generator: torch.Generator, n_apart: int = 0) -> tuple[list[Tensor], Tensor]:
        """Return every layer with noise, as `clean` without, and the logits (n, classes).

        The first `n_apart` examples and the others are normalised as two separate batches.
        """
        found = [self._with_noise(self.inputs(examples).float(), generator)]
        values = found[0]
        for number, (layer, norm) in enumerate(zip(self.layers, self.norms, strict=True)):
            assert isinstance(norm, Normalisation)
            apart = torch.split(layer(values), [n_apart, len(values) - n_apart])
            normalised = torch.cat([norm.of_batch(part) for part in apart if len(part)])
            found.append(self._with_noise(normalised, generator))
            values = self._activated(number, found[-1])
        return found, values

    def classify(self, codes: Tensor) -> Tensor:
        """Return the logits (n, classes) of codes (n, code_size)."""
        last, norm = len(self.layers) - 1, self.norms[-1]
        assert isinstance(norm, Normalisation)
        values = self._activated(last - 1, self.basis.undo(codes))
        return self._activated(last, norm(self.layers[-1](values)))

    def decode(self, codes: Tensor) -> Tensor:
        values = self.basis.undo(codes)
        last = len(self.decoder.layers) - 1
        for number in range(last):
            values = torch.relu(self.decoder.linear(number, values))
        return torch.sigmoid(self.decoder.linear(last, values).float()).view(-1, *self.example_shape)

    def change_basis(self, matrix: Tensor, mean: Tensor) -> None:
        """Replace every code c by (c - mean) @ matrix from now on."""
        self.basis.change(matrix, mean)

    def _activated(self, number: int, values: Tensor) -> Tensor:
        values = values + self.biases[number]
        return values * self.sharpness if number == len(self.layers) - 1 else torch.relu(values)

    def _with_noise(self, values: Tensor, generator: torch.Generator) -> Tensor:
        noise = torch.randn(values.shape, generator=generator, device=values.device)
        return values + self.config.noise * noise


def unbiased_layers(sizes: tuple[int, ...]) -> nn.ModuleList:
    """Return linear layers from each size to the next, without biases, initialised to keep the variance."""
    layers = [nn.Linear(into, out, bias=False) for into, out in pairwise(sizes)]
    for layer in layers:
        nn.init.normal_(layer.weight, std=layer.in_features**-0.5)
    return nn.ModuleList(layers)
