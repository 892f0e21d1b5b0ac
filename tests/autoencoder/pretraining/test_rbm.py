"""Restricted Boltzmann machines, compared with sums over all their states."""

from itertools import product

import pytest
import torch
from torch import Tensor

from imgsearch.autoencoder.pretraining.rbm import (
    BINARY,
    LINEAR,
    ContrastiveDivergence,
    Machine,
    PersistentDivergence,
    Units,
    new_machine,
    sample_top,
    to_bottom,
    to_top,
)

PATTERNS = torch.tensor([[1.0, 1, 0, 0], [0, 0, 1, 1], [1, 0, 0, 1]])  # of the toy data, equally frequent
STATES = torch.tensor(list(product((0.0, 1.0), repeat=4)))  # (16, 4)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def small_machine(n_visible: int = 4, n_hidden: int = 6, **units: object) -> Machine:
    weight = 0.1 * torch.randn(n_hidden, n_visible, generator=generator(1))
    return Machine(weight, torch.zeros(n_hidden), torch.zeros(n_visible), **units)  # type: ignore[arg-type]


def probabilities(machine: Machine) -> Tensor:
    """Probabilities (16,) of the states of four binary visible units: exp(a'v) Π (1 + exp(b + Wv)), normalised."""
    free = STATES @ machine.visible_bias + torch.nn.functional.softplus(machine.to_hidden(STATES)).sum(1)
    return free.softmax(0)


def surprise(machine: Machine) -> float:
    """Cross-entropy of the patterns in nats: log 16 for an untrained machine, log 3 for a perfect one."""
    places = [STATES.tolist().index(pattern) for pattern in PATTERNS.tolist()]
    return float(-probabilities(machine)[places].log().mean())


def test_a_step_is_the_rule_of_contrastive_divergence_where_every_draw_is_certain() -> None:
    # Hidden units that are certainly on or off (±50): draws are deterministic, and the rule can be written out.
    machine = Machine(torch.zeros(2, 3), torch.tensor([50.0, -50.0]), torch.tensor([0.0, 0.0, 0.0]))
    visible = torch.tensor([[1.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
    error = ContrastiveDivergence(machine, weight_decay=0.0).step(visible, 0.1, 0.0, generator())
    # The reconstruction is 1/2 everywhere, the hidden units stay as they were.
    expected = 0.1 * (visible.mean(0) - 0.5)
    assert torch.allclose(machine.weight, torch.stack([expected, torch.zeros(3)]), atol=1e-6)
    assert torch.allclose(machine.visible_bias, expected)
    assert torch.allclose(machine.hidden_bias, torch.tensor([50.0, -50.0]))
    assert error == pytest.approx(0.25)


def test_the_reconstruction_is_made_from_drawn_hidden_units_not_from_expected_ones() -> None:
    # Hidden units that are expected to be half on, and are drawn as off: the reconstruction has the biases alone.
    off = Units(torch.sigmoid, lambda inputs, _: torch.zeros_like(inputs))
    machine = Machine(torch.full((2, 3), 7.0), torch.full((2,), -14.0), torch.zeros(3), hidden=off)
    visible = torch.tensor([[1.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
    error = ContrastiveDivergence(machine, weight_decay=0.0).step(visible, 0.0, 0.0, generator())
    assert error == pytest.approx(0.25)  # one half everywhere; 7 from each expected half would give nearly 1


def test_momentum_goes_on_and_decay_shrinks() -> None:
    visible = PATTERNS.repeat(8, 1)
    once, twice = small_machine(), small_machine()
    before = once.weight.clone()
    ContrastiveDivergence(once, weight_decay=0.0).step(visible, 0.1, 0.0, generator())
    moving = ContrastiveDivergence(twice, weight_decay=0.0)
    moving.step(visible, 0.1, 0.0, generator())
    at_first = twice.weight.clone()
    moving.step(visible, 0.0, 0.5, generator())  # no new gradient, half of the old step
    assert torch.allclose(twice.weight - at_first, 0.5 * (once.weight - before), atol=1e-6)
    decaying = small_machine()
    ContrastiveDivergence(decaying, weight_decay=0.5).step(visible, 0.1, 0.0, generator())
    assert torch.allclose(decaying.weight, once.weight - 0.1 * 0.5 * before, atol=1e-6)


def test_contrastive_divergence_learns_which_states_there_are() -> None:
    machine = small_machine()
    learner = ContrastiveDivergence(machine)
    draws = generator()
    errors = [float(learner.step(PATTERNS.repeat(20, 1), 0.1, 0.9, draws)) for _ in range(600)]
    assert surprise(machine) < 1.7  # log 3 = 1.10
    assert surprise(small_machine()) > 2.7  # log 16 = 2.77
    assert errors[-1] < 0.2 * errors[0]


def test_persistent_chains_learn_the_states_themselves() -> None:
    machine = new_machine(PATTERNS, 6, generator())
    assert torch.allclose(torch.sigmoid(machine.visible_bias), PATTERNS.mean(0), atol=0.01)
    learner = PersistentDivergence(machine, torch.rand(100, 4, generator=generator()).round())
    draws = generator()
    for step in range(1500):
        learner.step(PATTERNS.repeat(20, 1), 0.2 * (1 - step / 1500), draws)
    assert surprise(machine) < 1.35


def test_linear_units_learn_values_of_any_size() -> None:
    draws = generator()
    causes = torch.randn(400, 2, generator=draws)
    visible = causes @ torch.tensor([[2.0, -2, 0, 0], [0, 0, 2, 2]]) + 0.1 * torch.randn(400, 4, generator=draws)
    machine = small_machine(visible=LINEAR, hidden=LINEAR)
    learner = ContrastiveDivergence(machine)
    for _ in range(300):
        error = learner.step(visible, 0.003, 0.5, draws)
    assert float(error) < 0.25 * float(visible.square().mean())


def test_units_are_drawn_around_what_is_expected_of_them() -> None:
    inputs = torch.tensor([[-1.0, 0.0, 2.0]]).expand(20_000, 3)
    on, linear = BINARY.draw(inputs, generator()), LINEAR.draw(inputs, generator())
    assert set(on.flatten().tolist()) == {0.0, 1.0}
    assert torch.allclose(on.mean(0), torch.sigmoid(inputs[0]), atol=0.02)
    assert torch.allclose(linear.mean(0), inputs[0], atol=0.03)
    assert torch.allclose(linear.var(0), torch.ones(3), atol=0.05)


def test_gibbs_chains_draw_as_often_as_the_machine_says() -> None:
    machine = Machine(
        torch.tensor([[2.0, -1.0, 0.0, 1.0], [-1.0, 1.0, 1.5, -2.0]]),
        torch.tensor([0.3, -0.2]),
        torch.tensor([0.5, 0.0, -0.5, 0.2]),
    )
    drawn = sample_top([machine], torch.zeros(20_000, 4), 50, generator())  # expected values of the visible units
    assert torch.allclose(drawn.mean(0), probabilities(machine) @ STATES, atol=0.015)


def test_a_stack_is_drawn_from_at_its_top_and_read_at_its_bottom() -> None:
    lower, upper = small_machine(4, 6), small_machine(6, 3)
    start = torch.rand(5, 4, generator=generator())
    assert to_top([lower, upper], start).shape == (5, 3)
    # Without a step nothing is drawn: one pass up to the top machine's visible units, and down again.
    untouched = sample_top([lower, upper], start, 0, generator())
    assert torch.equal(untouched, to_bottom([lower], to_top([lower], start)))
    drawn = sample_top([lower, upper], start, 3, generator())
    assert drawn.shape == (5, 4)
    assert torch.equal(drawn, sample_top([lower, upper], start, 3, generator()))
    assert not torch.equal(drawn, sample_top([lower, upper], start, 3, generator(7)))
