import torch
from torch.nn import functional

from imgsearch.autoencoder.rotation import quantising_rotation


def loss(codes: torch.Tensor, rotation: torch.Tensor) -> float:
    """How far the rotated directions are from their signs, as angles are: 1 - the mean cosine."""
    rotated = functional.normalize(codes, dim=1) @ rotation.T
    return 1 - functional.cosine_similarity(rotated, rotated.sign(), dim=1).mean().item()


def test_it_is_a_rotation_into_as_many_bits_as_asked() -> None:
    torch.manual_seed(0)
    rotation = quantising_rotation(torch.randn(500, 12), torch.randn(20, 12))
    assert rotation.shape == (20, 12)
    assert torch.allclose(rotation.T @ rotation, torch.eye(12), atol=1e-5)


def test_rounding_loses_less_after_it_than_after_a_random_one() -> None:
    torch.manual_seed(0)
    codes, start = torch.randn(2000, 16) * torch.logspace(0, -1, 16), torch.randn(16, 16)
    assert loss(codes, quantising_rotation(codes, start)) < loss(codes, quantising_rotation(codes, start, rounds=0))


def test_a_rotation_that_is_best_already_stays() -> None:
    torch.manual_seed(0)
    turn = torch.linalg.qr(torch.randn(6, 6))[0]
    signs = torch.randint(0, 2, (4000, 6)).float() * 2 - 1
    assert torch.allclose(quantising_rotation(signs @ turn, turn), turn, atol=1e-4)
