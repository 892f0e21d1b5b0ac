"""Training of a single layer of a dense network, together with its mirror in the decoder, on the layer below.

- `MachineLayer`: as a restricted Boltzmann machine, whose weights become those of the encoder and, transposed, those of
  the decoder (Hinton & Salakhutdinov 2006, Krizhevsky & Hinton 2011).
- `AutoencoderLayer`: as a small autoencoder, such as 1000-500-1000 (Bengio et al. 2007).
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

FIRST_MOMENTUM, MOMENTUM, FIRST_SHARE = 0.5, 0.9, 0.1  # the first one for the first share of a layer's steps
BINARY_RATE, LINEAR_RATE = 0.1, 0.01  # of machines, at most; see `rate_of`
MEAN_LOGIT = math.log(PIXEL_MEAN / (1 - PIXEL_MEAN))
ADAM_RATE, WARMUP = 3e-3, 0.1  # of small autoencoders: the peak rate, at most, and the share of steps before the peak


class LayerLearner(Protocol):
    """A way to train one layer."""

    def step(self, examples: Tensor, share: float) -> Tensor:
        """Train on examples (n, *example_shape) once, when a share of the layer's budget is spent, 0..1.

        Returns:
            the mean squared error per value of the reconstructed inputs of the layer, a scalar.
        """

    def unroll(self) -> None:
        """Copy the learned weights into the network, where they are not there yet."""


class MachineLayer:
    """Layer `number` of a network as a restricted Boltzmann machine, trained in place from small random weights."""

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
            raise ModelError("restricted Boltzmann machines need values between 0 and 1. Pre-train layerwise instead.")
        momentum = FIRST_MOMENTUM if share < FIRST_SHARE else MOMENTUM
        return self._learner.step(values, self._rate * (1 - 0.95 * share), momentum, self._generator)

    @torch.no_grad()
    def unroll(self) -> None:
        """Copy the weights from the hidden to the visible units into the decoder's layer.

        The visible units of an image are linear and stand for centred pixels, times 4. The decoder ends in a sigmoid
        whose slope there is about 1/4: so the same weights fit, with the logit of the pixels' mean added to the bias.
        """
        if isinstance(self._network.decoder, UntiedDecoder):
            decoding = self._network.decoder.layers[-1 - self._number]
            assert isinstance(decoding, nn.Linear)
            decoding.weight.copy_(self._layer.weight.T)
        if sees_images(self._network, self._number):
            self.machine.visible_bias.add_(MEAN_LOGIT)


class AutoencoderLayer:
    """Layer `number` of a network and its mirror in the decoder as a small autoencoder."""

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
        """Do nothing: the layers were trained in place."""


# ----------------------------------------------------------------------------------------------------------------------
# The layers of a network


def rate_of(machine: Machine) -> float:
    """Return the initial learning rate of a machine of this size; wide machines diverge sooner.

    The input of linear units grows with the number of units on the other side, and so does the change by each step.
    Krizhevsky & Hinton (2011) trained for 80 epochs with .001 for images and 8192 units, and .03 for binary layers.
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
    """Return layer `number` of the encoder."""
    layer = network.layers[number]
    assert isinstance(layer, nn.Linear)
    return layer


def decoder_bias(network: DenseAutoencoder, number: int) -> nn.Parameter:
    """Return the bias (in_features,) of the decoder's layer that mirrors layer `number` of the encoder."""
    decoder = network.decoder
    if isinstance(decoder, TiedDecoder):
        bias = decoder.biases[-1 - number]
    else:
        assert isinstance(decoder, UntiedDecoder)
        bias = decoder.layers[-1 - number].bias
    assert isinstance(bias, nn.Parameter)
    return bias


def sees_images(network: DenseAutoencoder, number: int) -> bool:
    """Whether the inputs of layer `number` are the pixels of images."""
    return number == 0 and network.example_shape == IMAGE_SHAPE


def units_of(network: DenseAutoencoder, number: int) -> tuple[Units, Units]:
    """Return the kinds of units, visible and hidden, of layer `number` as a machine.

    Grey values in 0..1 are treated as probabilities; colours and linear codes are linear units of unit variance.
    """
    is_linear_code = number == len(network.layers) - 1 and network.config.code == "linear"
    return LINEAR if sees_images(network, number) else BINARY, LINEAR if is_linear_code else BINARY


def machines_of(network: DenseAutoencoder) -> list[Machine]:
    """Return the encoder as a stack of machines, the lowest first: a deep belief network, until it is fine-tuned."""
    stack = []
    for number in range(len(network.layers)):
        layer, (visible, hidden) = layer_of(network, number), units_of(network, number)
        bias = decoder_bias(network, number).data - MEAN_LOGIT * sees_images(network, number)
        stack.append(Machine(layer.weight.data, layer.bias.data, bias, visible, hidden))
    return stack
