import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from imgsearch.autoencoder.optim.muon import ITERATIONS, Muon, orthogonalised


@settings(max_examples=20, deadline=None)
@given(m=st.integers(2, 12), n=st.integers(2, 12), seed=st.integers(0, 1000))
def test_singular_values_come_to_about_one_and_directions_stay(m: int, n: int, seed: int) -> None:
    torch.manual_seed(seed)
    u, _, v = torch.linalg.svd(torch.randn(m, n, dtype=torch.float64), full_matrices=False)
    values = torch.logspace(0, -1, min(m, n), dtype=torch.float64)
    result = orthogonalised(u * values @ v, iterations=5)
    assert torch.linalg.svdvals(result).min() > 0.5
    assert torch.linalg.svdvals(result).max() < 1.3
    inside = u.T @ result @ v.T
    assert torch.allclose(inside, torch.diag(inside.diagonal()), atol=1e-9)


def test_a_step_does_not_depend_on_the_gradient_s_size() -> None:
    torch.manual_seed(0)
    start, gradient = torch.randn(6, 4), torch.randn(6, 4)
    moved = []
    for scale in (1.0, 1000.0):
        parameter = nn.Parameter(start.clone())
        parameter.grad = scale * gradient
        Muon([parameter], learning_rate=0.1).step()
        moved.append(parameter.detach())
    assert torch.allclose(moved[0], moved[1], atol=1e-5)
    assert not torch.allclose(moved[0], start)


@pytest.mark.parametrize("shape", [(8, 8), (4, 3, 3, 3), (16, 4), (4, 16)])
def test_it_finds_a_linear_map_and_its_state_can_be_saved(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    target, parameter = torch.randn(shape), nn.Parameter(torch.zeros(shape))
    optimiser = Muon([parameter], learning_rate=0.1)
    losses = []
    for step in range(80):
        if step == 40:
            state, optimiser = optimiser.state_dict(), Muon([parameter], learning_rate=0.1)
            optimiser.load_state_dict(state)
        for group in optimiser.param_groups:
            group["lr"] = 0.2 * (1 - step / 80)
        optimiser.zero_grad()
        loss = (parameter - target).pow(2).mean()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.02 * losses[0]


@pytest.mark.parametrize("shape", [(6, 4), (4, 6)])
def test_two_steps_are_those_of_torch_s_own_muon(shape: tuple[int, int]) -> None:
    """Two steps, because the first one is the same with and without Nesterov momentum."""
    torch.manual_seed(0)
    start, gradients = torch.randn(shape), torch.randn(2, *shape)
    ours, theirs = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    optimisers = (
        Muon([ours], learning_rate=0.1, momentum=0.9, dtype=torch.bfloat16),  # torch's always computes in bfloat16
        torch.optim.Muon([theirs], lr=0.1, momentum=0.9, weight_decay=0.0, nesterov=True, ns_steps=ITERATIONS),
    )
    for gradient in gradients:
        for parameter, optimiser in zip((ours, theirs), optimisers, strict=True):
            parameter.grad = gradient.clone()
            optimiser.step()
    assert (ours - theirs).abs().max() < 0.01  # the rounding of bfloat16; without Nesterov momentum it exceeds 0.02
    assert (ours - start).abs().mean() > 0.05
