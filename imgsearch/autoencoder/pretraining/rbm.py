"""Restricted Boltzmann machines and stacks of them: weights, states of units, and one step of learning.

In a machine the hidden units are independent of one another once the visible ones are known, and the other way round.
It learns by one step of contrastive divergence (CD-1; Hinton 2002), as in Krizhevsky & Hinton (2011). A stack of
machines, each learned on what the one below it makes of the examples, is a deep belief network (Hinton, Osindero & Teh
2006).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

INITIAL_DEVIATION = 0.01  # of weights


def _draw_binary(inputs: Tensor, generator: torch.Generator) -> Tensor:
    # Where learning diverged no draw must fail: the error, which is no number, tells of it.
    return torch.bernoulli(torch.sigmoid(inputs).nan_to_num(), generator=generator)


def _draw_linear(inputs: Tensor, generator: torch.Generator) -> Tensor:
    return inputs + torch.randn(inputs.shape, generator=generator, device=inputs.device)


@dataclass(frozen=True)
class Units:
    """A kind of units: what is expected of them, and a draw, each from what the other side sends them, (n, d)."""

    mean: Callable[[Tensor], Tensor]
    draw: Callable[[Tensor, torch.Generator], Tensor]


BINARY = Units(torch.sigmoid, _draw_binary)
LINEAR = Units(lambda inputs: inputs, _draw_linear)  # Gaussian, of unit variance


@dataclass(frozen=True)
class Machine:
    """The weights of one machine, which learning changes in place, and the kinds of its units."""

    weight: Tensor  # (hidden, visible)
    hidden_bias: Tensor  # (hidden,)
    visible_bias: Tensor  # (visible,)
    visible: Units = BINARY
    hidden: Units = BINARY

    def to_hidden(self, visible: Tensor) -> Tensor:
        """What visible units (n, visible) send to the hidden ones, (n, hidden)."""
        return functional.linear(visible, self.weight, self.hidden_bias).float()

    def to_visible(self, hidden: Tensor) -> Tensor:
        """What hidden units (n, hidden) send to the visible ones, (n, visible)."""
        return functional.linear(hidden, self.weight.T, self.visible_bias).float()


# ----------------------------------------------------------------------------------------------------------------------
# Learning


class ContrastiveDivergence:
    """CD-1 with momentum and weight decay, for one machine."""

    def __init__(self, machine: Machine, weight_decay: float = 2e-4) -> None:
        self.machine, self.weight_decay = machine, weight_decay
        self._parameters = (machine.weight, machine.hidden_bias, machine.visible_bias)
        self._velocities = [torch.zeros_like(parameter) for parameter in self._parameters]

    @torch.no_grad()
    def step(self, visible: Tensor, rate: float, momentum: float, generator: torch.Generator) -> Tensor:
        """Learn from examples (n, visible); returns the mean squared error per value of their reconstruction, a scalar.

        Hidden units are drawn only once, to make the reconstruction; it and all statistics are of expected values,
        which have less noise.
        """
        machine, n = self.machine, len(visible)
        inputs = machine.to_hidden(visible)
        hidden = machine.hidden.mean(inputs)
        again = machine.visible.mean(machine.to_visible(machine.hidden.draw(inputs, generator)))
        hidden_again = machine.hidden.mean(machine.to_hidden(again))
        directions = (
            (hidden.T @ visible - hidden_again.T @ again) / n - self.weight_decay * machine.weight,
            (hidden - hidden_again).mean(0),
            (visible - again).mean(0),
        )
        for parameter, velocity, direction in zip(self._parameters, self._velocities, directions, strict=True):
            parameter.add_(velocity.mul_(momentum).add_(direction, alpha=rate))
        return functional.mse_loss(again, visible)


class PersistentDivergence:
    """As contrastive divergence, but the machine's own side are Gibbs chains that never end (Tieleman 2008).

    They wander to where the machine believes examples to be and there are none, and such places are unlearned. After
    CD-1 reconstructions are better; after this what the machine draws is.
    """

    def __init__(self, machine: Machine, start: Tensor, weight_decay: float = 1e-4) -> None:
        """`start` (n, visible) is where the n chains begin."""
        self.machine, self.weight_decay, self._chains = machine, weight_decay, start

    @torch.no_grad()
    def step(self, visible: Tensor, rate: float, generator: torch.Generator) -> None:
        """Learn from examples (n, visible), expected values of binary units."""
        machine = self.machine
        visible = torch.bernoulli(visible, generator=generator)
        hidden = machine.hidden.mean(machine.to_hidden(visible))
        drawn = machine.hidden.draw(machine.to_hidden(self._chains), generator)
        self._chains = machine.visible.draw(machine.to_visible(drawn), generator)
        imagined = machine.hidden.mean(machine.to_hidden(self._chains))
        change = hidden.T @ visible / len(visible) - imagined.T @ self._chains / len(imagined)
        machine.weight.add_(change - self.weight_decay * machine.weight, alpha=rate)
        machine.hidden_bias.add_(hidden.mean(0) - imagined.mean(0), alpha=rate)
        machine.visible_bias.add_(visible.mean(0) - self._chains.mean(0), alpha=rate)


# ----------------------------------------------------------------------------------------------------------------------
# A stack of machines, the lowest first


def to_top(machines: Sequence[Machine], visible: Tensor) -> Tensor:
    """(n, d) what is expected of the highest hidden units when the lowest visible ones are `visible`."""
    for machine in machines:
        visible = machine.hidden.mean(machine.to_hidden(visible))
    return visible


def new_machine(visible: Tensor, n_hidden: int, generator: torch.Generator) -> Machine:
    """A machine of binary units that has learned nothing but how often each visible unit is on in `visible` (n, d)."""
    weight = torch.randn(n_hidden, visible.shape[1], generator=generator, device=visible.device).mul_(INITIAL_DEVIATION)
    usual = torch.logit(visible.mean(0).clamp(0.01, 0.99))  # the bias that alone would make each as frequent
    return Machine(weight, torch.zeros_like(weight[:, 0]), usual)


def to_bottom(machines: Sequence[Machine], hidden: Tensor) -> Tensor:
    """(n, d) what is expected of the lowest visible units when the highest hidden ones are `hidden`."""
    for machine in reversed(machines):
        hidden = machine.visible.mean(machine.to_visible(hidden))
    return hidden


@torch.no_grad()
def sample_top(machines: Sequence[Machine], start: Tensor, steps: int, generator: torch.Generator) -> Tensor:
    """Examples that a deep belief network draws: n chains of Gibbs sampling in its highest machine, then downwards.

    `start` (n, d) is what the chains begin with, as the lowest visible units have it: noise, or examples. In each step
    all units of the highest machine are drawn, the hidden ones, then the visible ones (Hinton, Osindero & Teh 2006).
    Returns (n, d), the expected values of the lowest visible units.
    """
    *below, top = machines
    visible = to_top(below, start)
    for _ in range(steps):
        hidden = top.hidden.draw(top.to_hidden(visible), generator)
        inputs = top.to_visible(hidden)
        visible = top.visible.draw(inputs, generator)
    return to_bottom(below, top.visible.mean(inputs) if steps else visible)
