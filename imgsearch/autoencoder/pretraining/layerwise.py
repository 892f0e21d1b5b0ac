"""Pre-training of one layer of a dense network, with its mirror in the decoder, on the outputs of the layers below.

- `MachineLayer`: a restricted Boltzmann machine; its weights, and these transposed, become those of encoder and decoder
  (Hinton & Salakhutdinov 2006, Krizhevsky & Hinton 2011).
- `AutoencoderLayer`: a small autoencoder, such as 1000-500-1000 on the codes of the one below (Bengio et al. 2007).
"""

import math
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from imgsearch.autoencoder.networks.config import IMAGE_SHAPE
from imgsearch.autoencoder.networks.conv import PIXEL_MEAN
from imgsearch.autoencoder.networks.dense import ACTIVATIONS, DenseAutoencoder, TiedDecoder, UntiedDecoder
from imgsearch.autoencoder.optim.schedule import rate_share
from imgsearch.autoencoder.pretraining.rbm import (
    BINARY,
    INITIAL_DEVIATION,
    LINEAR,
    ContrastiveDivergence,
    Machine,
    Units,
)
from imgsearch.errors import ModelError

FIRST_MOMENTUM, MOMENTUM, FIRST_SHARE = 0.5, 0.9, 0.1  # the lower one holds for the first share of a layer's steps
BINARY_RATE, LINEAR_RATE = 0.1, 0.01  # of machines, at most: see `rate_of`
MEAN_LOGIT = math.log(PIXEL_MEAN / (1 - PIXEL_MEAN))
ADAM_RATE, WARMUP = 3e-3, 0.1  # of small autoencoders: the rate at its peak, at most, and the share of steps before


class LayerLearner(Protocol):
    """A layer that learns."""

    def step(self, examples: Tensor, share: float) -> Tensor:
        """Learn from examples (n, *example_shape) when a share of the layer's budget is spent, 0..1.

        Returns the mean squared error per value with which the layer's input was reconstructed, a scalar.
        """

    def unroll(self) -> None:
        """Put what was learned into the network, where it is not there yet."""


class MachineLayer:
    """Layer `number` of a network as a restricted Boltzmann machine; it learns in place, from small random weights."""

    def __init__(self, network: DenseAutoencoder, number: int, generator: torch.Generator) -> None:
        self._network, self._number, self._generator = network, number, generator
        self._layer = layer_of(network, number)
        visible, hidden = units_of(network, number)
        bias = decoder_bias(network, number)
        with torch.no_grad():
            self._layer.weight.normal_(0, INITIAL_DEVIATION, generator=generator)
            self._layer.bias.zero_()
            bias.zero_()
        self.machine = Machine(self._layer.weight.data, self._layer.bias.data, bias.data, visible, hidden)
        self._learner = ContrastiveDivergence(self.machine)
        self._rate = rate_of(self.machine)

    def step(self, examples: Tensor, share: float) -> Tensor:
        with torch.no_grad():
            values = self._network.units(examples, self._number)
        if self._number == 0 and self.machine.visible is BINARY and not ((values >= 0) & (values <= 1)).all():
            raise ModelError("a restricted Boltzmann machine needs values between 0 and 1. Pre-train layerwise.")
        momentum = FIRST_MOMENTUM if share < FIRST_SHARE else MOMENTUM
        return self._learner.step(values, self._rate * (1 - 0.95 * share), momentum, self._generator)

    @torch.no_grad()
    def unroll(self) -> None:
        """The decoder's layer is the machine from the hidden to the visible units.

        An image's visible units are linear and pixels about their mean, times 4. The decoder ends in a sigmoid, whose
        slope about there is 1/4: the same weights serve, with the mean's own logit in the bias.
        """
        if isinstance(self._network.decoder, UntiedDecoder):
            decoding = self._network.decoder.layers[-1 - self._number]
            assert isinstance(decoding, nn.Linear)
            decoding.weight.copy_(self._layer.weight.T)
        if sees_images(self._network, self._number):
            self.machine.visible_bias.add_(MEAN_LOGIT)


class AutoencoderLayer:
    """Layer `number` of a network and its mirror in the decoder as an autoencoder of their own."""

    def __init__(self, network: DenseAutoencoder, number: int, generator: torch.Generator) -> None:
        del generator  # nothing is drawn
        self._network, self._number = network, number
        self._activation = ACTIVATIONS[network.config.activation]
        self._layer = layer_of(network, number)
        learning = [*self._layer.parameters(), decoder_bias(network, number)]
        if isinstance(network.decoder, UntiedDecoder):
            learning.append(network.decoder.layers[-1 - number].get_parameter("weight"))
        self._peak = min(ADAM_RATE, 3 / self._layer.in_features)  # each step moves every weight by about the rate
        self._optimiser = torch.optim.Adam(learning, self._peak)

    def step(self, examples: Tensor, share: float) -> Tensor:
        for group in self._optimiser.param_groups:
            group["lr"] = self._peak * rate_share(share, WARMUP)
        with torch.no_grad():
            values = self._network.units(examples, self._number)
        hidden = self._layer(values)
        if self._number < len(self._network.layers) - 1:
            hidden = self._activation(hidden)
        elif self._network.config.code == "sigmoid":
            hidden = torch.sigmoid(hidden)
        inputs = self._network.decoder.linear(len(self._network.layers) - 1 - self._number, hidden).float()
        if self._number == 0:
            again, wanted = self._network.outputs(inputs), examples
            loss = self._network.reconstruction_loss(again, wanted)
        else:
            again, wanted = self._activation(inputs), values
            loss = functional.mse_loss(again, wanted)
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self._optimiser.step()
        return functional.mse_loss(again.detach(), wanted)

    def unroll(self) -> None:
        """Nothing is left to do: the layers learned where they stand."""


# ----------------------------------------------------------------------------------------------------------------------
# The layers of a network, from outside


def rate_of(machine: Machine) -> float:
    """The learning rate at which a machine of this size starts; a wide one diverges sooner.

    What linear units are sent grows with the number of units that send it, and so does the correction by each step. In
    2011, for 80 epochs: .001 for images under 8192 units, .03 for layers of binary units.
    """
    n_hidden, n_visible = machine.weight.shape
    if machine.visible is LINEAR and machine.hidden is LINEAR:
        return min(LINEAR_RATE, 2 / (n_hidden + n_visible))
    if machine.visible is LINEAR:
        return min(LINEAR_RATE, 4 / n_hidden)
    if machine.hidden is LINEAR:
        return min(LINEAR_RATE, 5 / n_visible)
    return min(BINARY_RATE, 200 / (n_hidden + n_visible))


def layer_of(network: DenseAutoencoder, number: int) -> nn.Linear:
    """Layer `number` of the encoder."""
    layer = network.layers[number]
    assert isinstance(layer, nn.Linear)
    return layer


def decoder_bias(network: DenseAutoencoder, number: int) -> nn.Parameter:
    """The bias (in_features,) of what mirrors the encoder's layer `number`."""
    decoder = network.decoder
    if isinstance(decoder, TiedDecoder):
        bias = decoder.biases[-1 - number]
    else:
        assert isinstance(decoder, UntiedDecoder)
        bias = decoder.layers[-1 - number].bias
    assert isinstance(bias, nn.Parameter)
    return bias


def sees_images(network: DenseAutoencoder, number: int) -> bool:
    """Whether layer `number` sees the colours of images."""
    return number == 0 and network.example_shape == IMAGE_SHAPE


def units_of(network: DenseAutoencoder, number: int) -> tuple[Units, Units]:
    """The kinds of units, visible and hidden, of layer `number` as a machine.

    Grey values in 0..1 count as probabilities, colours are linear units of unit variance, and so is a linear code.
    """
    is_linear_code = number == len(network.layers) - 1 and network.config.code == "linear"
    return LINEAR if sees_images(network, number) else BINARY, LINEAR if is_linear_code else BINARY


def machines_of(network: DenseAutoencoder) -> list[Machine]:
    """The network's encoder as a stack of machines, the lowest first: a deep belief network, until it is fine-tuned."""
    stack = []
    for number in range(len(network.layers)):
        layer, (visible, hidden) = layer_of(network, number), units_of(network, number)
        bias = decoder_bias(network, number).data - MEAN_LOGIT * sees_images(network, number)
        stack.append(Machine(layer.weight.data, layer.bias.data, bias, visible, hidden))
    return stack
