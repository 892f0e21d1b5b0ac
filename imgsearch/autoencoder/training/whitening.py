"""Whitening: codes whose directions all count alike. Knows codes as numbers; must not know networks or files.

An autoencoder's code varies much along a few directions (how bright, how warm) and little along those that tell kinds
of things apart; a cosine listens to the loudest. Whitening turns the volume of all directions to the same.
"""

import torch
from torch import Tensor


def whitening(codes: Tensor, strength: float) -> tuple[Tensor, Tensor]:
    """A matrix (d, d) and a mean (d,) such that `(codes - mean) @ matrix` is whitened; float64.

    Each principal direction of the codes (n, d) is divided by its variance to the power of `strength`: 0.5 makes all
    variances alike, 0 leaves them. Directions stay where they are (the matrix is symmetric). The fewer the codes, the
    nearer their covariance is drawn to a multiple of the identity, so that chance directions are not blown up.
    """
    n, d = codes.shape
    codes = codes.double()
    mean = codes.mean(0)
    covariance = (codes - mean).T @ (codes - mean) / n
    chance = d / (d + n)  # the share of the estimate that is noise, roughly
    level = covariance.diagonal().mean() + torch.finfo(torch.float32).tiny
    covariance = torch.lerp(covariance, level * torch.eye(d, dtype=covariance.dtype, device=codes.device), chance)
    variances, directions = torch.linalg.eigh(covariance / level)  # about 1 each: the codes' size stays
    scales = variances.clamp(min=1e-6) ** -strength
    return directions * scales @ directions.T, mean


def whitening_in_parts(codes: Tensor, first: int, strength: float, loudness: float) -> tuple[Tensor, Tensor]:
    """The same for the first numbers of the codes (n, d) and for the rest, each on their own.

    The rest is scaled to `loudness` times the root mean square length of the first numbers: a cosine hears it that
    much. Returns a block-diagonal matrix (d, d) and a mean (d,); float64.
    """
    parts = [part for part in (codes[:, :first], codes[:, first:]) if part.shape[1]]
    solved = [whitening(part, strength) for part in parts]
    lengths = [
        ((part.double() - mean) @ matrix).square().sum(1).mean().sqrt()
        for part, (matrix, mean) in zip(parts, solved, strict=True)
    ]
    scales = [1.0] + [float(loudness * lengths[0] / length) if length > 0 else 1.0 for length in lengths[1:]]
    matrix = torch.zeros(codes.shape[1], codes.shape[1], dtype=torch.float64, device=codes.device)
    start = 0
    for scale, (part, _) in zip(scales, solved, strict=True):
        stop = start + len(part)
        matrix[start:stop, start:stop] = scale * part
        start = stop
    return matrix, torch.cat([mean for _, mean in solved])
