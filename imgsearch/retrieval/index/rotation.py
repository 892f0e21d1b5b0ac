"""Iterative quantisation: a rotation after which codes lose least when each number is rounded to a sign. numpy only.

Source: Gong & Lazebnik, "Iterative Quantization: A Procrustean Approach to Learning Binary Codes" (CVPR 2011). Two
steps in turn: round the rotated codes, then find the rotation that brings the codes nearest to what was rounded. Where
more bits are wanted than a code has numbers, the rotation leads into the larger space.
"""

import numpy as np
from numpy.typing import NDArray

ROUNDS = 20


def quantising_rotation(
    directions: NDArray[np.float32], start: NDArray[np.float32], rounds: int = ROUNDS
) -> NDArray[np.float32]:
    """(n_bits, d) of directions (n, d) of length 1: bit j of a direction is the sign of row j times it.

    The rotation found is one near `start` (n_bits, d); with n_bits >= d its columns are orthonormal.
    """
    rotation = _nearest_rotation(start)
    for _ in range(rounds):
        signs = np.where(directions @ rotation.T > 0, np.float32(1), np.float32(-1))  # (n, n_bits)
        rotation = _nearest_rotation(signs.T @ directions)
    return rotation


def _nearest_rotation(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    left, _, right = np.linalg.svd(matrix, full_matrices=False)
    rotation: NDArray[np.float32] = (left @ right).astype(np.float32)
    return rotation
