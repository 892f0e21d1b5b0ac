"""Latent semantic analysis: texts by the few directions in which their word vectors vary most. numpy only.

Source: Deerwester et al., "Indexing by Latent Semantic Analysis" (1990): the singular value decomposition of the
weighted counts, cut after the largest singular values. Must not know files, images or models.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

MOST_FITTED, SEED = 50_000, 0  # texts that the directions are computed of; a sample, drawn with this seed, of more
BLOCK_ROWS = 4096


class Rows(Protocol):
    """Word vectors (n, v) float32, dense where they are asked for."""

    def __len__(self) -> int: ...
    def __getitem__(self, chosen: slice | NDArray[np.int64]) -> NDArray[np.float32]: ...


@dataclass(frozen=True)
class SemanticSpace:
    """The directions, the largest singular value first."""

    directions: NDArray[np.float32]  # (v, k)

    @classmethod
    def of(cls, vectors: Rows, rows: NDArray[np.int64], size: int) -> "SemanticSpace":
        """Exactly those of `vectors[rows]`, or of a sample where they are many; at most as many as there are words."""
        if len(rows) > MOST_FITTED:
            rows = np.sort(np.random.default_rng(SEED).choice(rows, MOST_FITTED, replace=False))
        gram: NDArray[np.float64] | float = 0.0
        for start in range(0, len(rows), BLOCK_ROWS):
            block = vectors[rows[start : start + BLOCK_ROWS]]
            gram = gram + (block.T @ block).astype(np.float64)
        _, directions = np.linalg.eigh(gram)  # ascending
        return cls(np.ascontiguousarray(directions[:, ::-1][:, :size], dtype=np.float32))

    def project(self, vectors: Rows) -> NDArray[np.float32]:
        """(n, k) where texts lie, from their word vectors (n, v)."""
        parts = [vectors[start : start + BLOCK_ROWS] @ self.directions for start in range(0, len(vectors), BLOCK_ROWS)]
        return np.concatenate(parts) if parts else np.zeros((0, self.directions.shape[1]), np.float32)
