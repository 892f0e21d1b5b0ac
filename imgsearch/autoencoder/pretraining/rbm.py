"""Restricted Boltzmann machines and stacks of them.

In a machine the hidden units are independent of one another given the visible ones, and vice versa. It is trained by
one step of contrastive divergence (CD-1; Hinton 2002), as in Krizhevsky & Hinton (2011). A stack of machines, each
trained on the hidden units of the one below it, is a deep belief network (Hinton, Osindero & Teh 2006).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

INITIAL_DEVIATION = 0.01  # of weights


def _draw_binary(inputs: Tensor, generator: torch.Generator) -> Tensor:
    # After divergence draws must not fail: the error, which is NaN, reports it.
    return torch.bernoulli(torch.sigmoid(inputs).nan_to_num(), generator=generator)


def _draw_linear(inputs: Tensor, generator: torch.Generator) -> Tensor:
    return inputs + torch.randn(inputs.shape, generator=generator, device=inputs.device)


@dataclass(frozen=True)
class Units:
    """A kind of units: their expected values and random draws, both from their inputs (n, d)."""

    mean: Callable[[Tensor], Tensor]
    draw: Callable[[Tensor, torch.Generator], Tensor]


BINARY = Units(torch.sigmoid, _draw_binary)
LINEAR = Units(lambda inputs: inputs, _draw_linear)  # Gaussian, of unit variance


@dataclass(frozen=True)
class Machine:
    """The weights of one machine, which training changes in place, and the kinds of its units."""

    weight: Tensor  # (hidden, visible)
    hidden_bias: Tensor  # (hidden,)
    visible_bias: Tensor  # (visible,)
    visible: Units = BINARY
    hidden: Units = BINARY

    def to_hidden(self, visible: Tensor) -> Tensor:
        """Return the inputs (n, hidden) of the hidden units from visible units (n, visible)."""
        return functional.linear(visible, self.weight, self.hidden_bias).float()

    def to_visible(self, hidden: Tensor) -> Tensor:
        """Return the inputs (n, visible) of the visible units from hidden units (n, hidden)."""
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
        """Train on examples (n, visible) once; return the mean squared error per value of their reconstructions.

        Hidden units are drawn only once, for the reconstruction; the reconstruction and all statistics are expected
        values, which are less noisy than draws.
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
    """Persistent contrastive divergence: the negative statistics come from Gibbs chains that never end (Tieleman 2008).

    The chains reach regions where the model has probability and the data have none, which is then reduced. Compared
    with CD-1, samples from the machine are better and reconstructions worse.
    """

    def __init__(self, machine: Machine, start: Tensor, weight_decay: float = 1e-4) -> None:
        """Start one chain in each row of `start` (n, visible)."""
        self.machine, self.weight_decay, self._chains = machine, weight_decay, start

    @torch.no_grad()
    def step(self, visible: Tensor, rate: float, generator: torch.Generator) -> None:
        """Train on examples (n, visible), expected values of binary units, once."""
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
    """Return the expected values (n, d) of the highest hidden units, given the lowest visible ones."""
    for machine in machines:
        visible = machine.hidden.mean(machine.to_hidden(visible))
    return visible


def new_machine(visible: Tensor, n_hidden: int, generator: torch.Generator) -> Machine:
    """Return an untrained machine of binary units whose visible biases fit the frequencies in `visible` (n, d)."""
    weight = torch.randn(n_hidden, visible.shape[1], generator=generator, device=visible.device).mul_(INITIAL_DEVIATION)
    usual = torch.logit(visible.mean(0).clamp(0.01, 0.99))  # the biases that alone give these frequencies
    return Machine(weight, torch.zeros_like(weight[:, 0]), usual)


def to_bottom(machines: Sequence[Machine], hidden: Tensor) -> Tensor:
    """Return the expected values (n, d) of the lowest visible units, given the highest hidden ones."""
    for machine in reversed(machines):
        hidden = machine.visible.mean(machine.to_visible(hidden))
    return hidden


@torch.no_grad()
def sample_top(machines: Sequence[Machine], start: Tensor, steps: int, generator: torch.Generator) -> Tensor:
    """Draw examples from a deep belief network: Gibbs sampling in its highest machine, then one pass down.

    Args:
        machines: the lowest first.
        start: (n, d) values of the lowest visible units with which the n chains begin: noise, or examples.
        steps: of sampling; in each all hidden units of the highest machine are drawn, then all visible ones (Hinton,
            Osindero & Teh 2006).
        generator: source of the draws.

    Returns:
        the expected values (n, d) of the lowest visible units.
    """
    *below, top = machines
    visible = to_top(below, start)
    for _ in range(steps):
        hidden = top.hidden.draw(top.to_hidden(visible), generator)
        inputs = top.to_visible(hidden)
        visible = top.visible.draw(inputs, generator)
    return to_bottom(below, top.visible.mean(inputs) if steps else visible)
