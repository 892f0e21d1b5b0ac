"""Latent semantic analysis: texts by the few directions in which their word vectors vary most.

Source: Deerwester et al., "Indexing by Latent Semantic Analysis" (1990): the singular value decomposition of the
weighted counts, cut after the largest singular values.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imgsearch.retrieval.text.bags import WordVectors

MOST_FITTED, SEED = 50_000, 0  # texts that the directions are computed of; a sample, drawn with this seed, of more


@dataclass(frozen=True)
class SemanticSpace:
    """The directions, the largest singular value first."""

    directions: NDArray[np.float32]  # (v, k)

    @classmethod
    def of(cls, vectors: WordVectors, size: int) -> "SemanticSpace":
        """Compute the first `size` directions of word vectors (n, v), or of a sample where they are many.

        There are never more directions than words or texts.
        """
        n, n_words = vectors.shape
        if n > MOST_FITTED:
            vectors = vectors[np.sort(np.random.default_rng(SEED).choice(n, MOST_FITTED, replace=False))]
        if min(n, n_words) <= size:  # the solver for sparse matrices finds fewer directions than there are
            directions = np.linalg.svd(vectors.toarray(), full_matrices=False)[2][:size]
        else:
            from sklearn.decomposition import TruncatedSVD  # slow to import: only where a space is computed

            svd = TruncatedSVD(size, algorithm="arpack", random_state=SEED)
            directions = svd.fit(vectors.astype(np.float64)).components_
        return cls(np.ascontiguousarray(directions.T, dtype=np.float32))

    def project(self, vectors: WordVectors) -> NDArray[np.float32]:
        """(n, k) coordinates of texts in the space, from their word vectors (n, v)."""
        places: NDArray[np.float32] = vectors @ self.directions
        return places
