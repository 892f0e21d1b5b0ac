import numpy as np
import pytest
import torch

from imgsearch.autoencoder.networks.hashing import SHORT_BITS, Hashing, rounded


@pytest.fixture(scope="module")
def hashing() -> Hashing:
    torch.manual_seed(3)
    return Hashing(24)


def codes(n: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.random.default_rng(1).normal(size=(n, 24)).astype(np.float32)


def test_packed_bits_are_the_signs_of_the_logits(hashing: Hashing) -> None:
    packed = hashing.packed(codes(50))
    assert packed.shape == (50, 4)
    bits = np.unpackbits(packed, axis=1)
    assert np.array_equal(bits[:, :SHORT_BITS], (hashing(torch.from_numpy(codes(50))) > 0).numpy())
    assert not bits[:, SHORT_BITS:].any()


def test_only_the_direction_of_a_code_counts_and_no_batch_changes_its_bits(hashing: Hashing) -> None:
    together = hashing.packed(codes(300))
    assert np.array_equal(hashing.packed(7 * codes(300)), together)
    assert np.array_equal(np.concatenate([hashing.packed(code[None]) for code in codes(300)]), together)


def test_a_code_of_nothing_has_bits(hashing: Hashing) -> None:
    expected = (hashing.short.bias > 0).numpy()
    assert np.array_equal(np.unpackbits(hashing.packed(np.zeros((1, 24), np.float32)))[:SHORT_BITS], expected)


def test_rounding_gives_whole_bits_and_lets_the_gradient_through() -> None:
    logits = torch.tensor([-2.0, -0.1, 0.1, 2.0], requires_grad=True)
    bits = rounded(logits)
    assert bits.tolist() == [-1, -1, 1, 1]
    bits.sum().backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    assert logits.grad is not None
    assert torch.allclose(logits.grad, 1 - torch.tanh(logits.detach()) ** 2)
