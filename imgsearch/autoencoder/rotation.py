"""Iterative quantisation: a rotation after which codes lose least when each number is rounded to a sign. Numbers only.

Source: Gong & Lazebnik, "Iterative Quantization: A Procrustean Approach to Learning Binary Codes" (CVPR 2011). Two
steps in turn: round the rotated codes, then find the rotation that brings the codes nearest to what was rounded. Where
more bits are wanted than a code has numbers, the rotation leads into the larger space.
"""

import torch
from torch import Tensor
from torch.nn import functional

ROUNDS = 40


def quantising_rotation(codes: Tensor, start: Tensor, rounds: int = ROUNDS) -> Tensor:
    """(n_bits, d) of codes (n, d), n_bits >= d: orthonormal columns; bit j of a code is the sign of row j times it.

    The rotation found is one near `start` (n_bits, d). Codes count by their directions alone.
    """
    directions = functional.normalize(codes.float(), dim=1)  # (n, d)
    left, _, right = torch.linalg.svd(start.to(directions), full_matrices=False)
    rotation: Tensor = left @ right  # (n_bits, d): the nearest to `start`
    for _ in range(rounds):
        signs = torch.where(directions @ rotation.T > 0, 1.0, -1.0)  # (n, n_bits)
        left, _, right = torch.linalg.svd(signs.T @ directions, full_matrices=False)
        rotation = left @ right
    return rotation
