"""Binary codes of 256 bits, learned from the codes of a corpus without labels.

The signs of 256 random projections preserve angles only roughly, too roughly to order near neighbours. Therefore codes
are first pulled a little towards the anchors around them, which brings images of one kind together, and then rotated so
that rounding to signs loses as little as possible.

Sources: the pull towards anchors is a weak form of Liu, Wang, Kumar & Chang, "Hashing with Graphs" (ICML 2011), whose
bits depend on the distances to anchors alone. The rotation is iterative quantisation: Gong & Lazebnik, "Iterative
Quantization: A Procrustean Approach to Learning Binary Codes" (CVPR 2011).
"""

from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from imgsearch.errors import Hint, IndexMissingError
from imgsearch.progress import Progress, silent
from imgsearch.retrieval.index.exact import blocks

N_BITS = 256
PULL = 0.15  # how far codes of length 1 are pulled: more finds more images of the same kind and fewer copies
TEMPERATURE = 0.05  # of the anchors' weights: how fast they fall with cosine distance
SEED = 0
BLOCK = 2048  # codes that are compared with all anchors at once

CODES_PER_ANCHOR, MOST_ANCHORS = 10, 4096
KMEANS_ITERATIONS = 8  # more bring no measurable gain
ROTATION_ROUNDS = 20
MOST_FITTED, MOST_ROTATED = CODES_PER_ANCHOR * MOST_ANCHORS, 16_384  # codes that anchors and rotation are fitted to


@dataclass(frozen=True)
class BinaryCoder:
    """Encodes codes to bits; the bits of a code do not depend on the codes beside it."""

    anchors: NDArray[np.float32]  # (m, d) of length 1; m may be 0
    rotation: NDArray[np.float32]  # (256, d)

    @classmethod
    def fit(cls, codes: NDArray[np.floating]) -> "BinaryCoder":
        """Fit anchors and rotation to codes (n, d) of a corpus, or to a sample of 40,960 drawn with a fixed seed."""
        n, d = codes.shape
        rng = np.random.default_rng(SEED)
        sample = _directions(codes[np.sort(rng.permutation(n)[:MOST_FITTED])]).astype(np.float32)
        start = rng.standard_normal((N_BITS, d)).astype(np.float32)
        coder = cls(find_anchors(sample, SEED), start)
        leaned = coder.lean(sample[rng.permutation(len(sample))[:MOST_ROTATED]])
        return cls(coder.anchors, quantising_rotation(_directions(leaned).astype(np.float32), start))

    def lean(self, codes: NDArray[np.floating]) -> NDArray[np.float64]:
        """(n, d) directions of codes (n, d), each pulled towards the anchors near it."""
        directions = _directions(codes)
        if not len(self.anchors):
            return directions
        anchors = self.anchors.astype(np.float64)
        for start, stop in blocks(len(directions), BLOCK):
            block = directions[start:stop]
            nearness = block @ anchors.T / TEMPERATURE  # (b, m)
            nearness -= nearness.max(axis=1, keepdims=True)
            weights = np.exp(nearness, out=nearness)
            block += PULL * _directions(weights @ anchors)
        return directions

    def encode(self, codes: NDArray[np.floating], *, on_progress: Progress = silent) -> NDArray[np.uint8]:
        """(n, 32) packed bits of codes (n, d): bit j is bit 7 - j % 8 of byte j // 8."""
        packed = np.empty((len(codes), N_BITS // 8), np.uint8)
        rotation = self.rotation.astype(np.float64)
        for start, stop in blocks(len(codes), BLOCK, on_progress):
            packed[start:stop] = np.packbits(self.lean(codes[start:stop]) @ rotation.T > 0, axis=1)
        return packed


def find_anchors(directions: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """(m, d) cluster centres of directions (n, d) of length 1, by spherical k-means: one per ten, at most 4,096."""
    n, d = directions.shape
    if n == 0:
        return np.empty((0, d), np.float32)
    means = faiss.Kmeans(
        d,
        min(max(n // CODES_PER_ANCHOR, 1), MOST_ANCHORS),
        niter=KMEANS_ITERATIONS,
        seed=seed,
        spherical=True,
        min_points_per_centroid=1,  # faiss would warn that clusters of ten points are small
        max_points_per_centroid=2 * CODES_PER_ANCHOR,
    )
    means.train(directions)
    assert means.centroids is not None
    return means.centroids


def quantising_rotation(
    directions: NDArray[np.float32], start: NDArray[np.float32], rounds: int = ROTATION_ROUNDS
) -> NDArray[np.float32]:
    """(n_bits, d) a rotation by which directions (n, d) of length 1 lose little when rounded to signs.

    Bit j of a direction is the sign of its product with row j. Each round rounds the rotated directions and then finds
    the rotation that brings the directions nearest to the rounded ones (iterative quantisation). The result is a local
    optimum near `start` (n_bits, d); with n_bits >= d its columns are orthonormal.
    """
    rotation = _nearest_rotation(start)
    for _ in range(rounds):
        signs = np.where(directions @ rotation.T > 0, np.float32(1), np.float32(-1))  # (n, n_bits)
        rotation = _nearest_rotation(signs.T @ directions)
    return rotation


def save_binary(path: Path, coder: BinaryCoder, bits: NDArray[np.uint8]) -> None:
    """Write a coder and the bits (n, 32) that it made into one file, so that they cannot be separated."""
    path.write_bytes(save({"anchors": coder.anchors, "rotation": coder.rotation, "bits": bits}))


def load_binary(path: Path, rows: int) -> tuple[BinaryCoder, NDArray[np.uint8]]:
    """Read the coder and the bits (rows, 32) that `save_binary` wrote.

    Raises:
        FileNotFoundError: there is no such file.
        IndexMissingError: it is damaged, or holds another number of rows.
    """
    try:
        parts = load(path.read_bytes())
        coder, bits = BinaryCoder(parts["anchors"], parts["rotation"]), parts["bits"]
        if bits.shape != (rows, N_BITS // 8) or coder.rotation.shape != (N_BITS, coder.anchors.shape[1]):
            raise ValueError(f"it holds {bits.shape} for {rows} rows")
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise IndexMissingError(f"{path} is damaged: {error}.", hint=Hint.REINDEX) from error
    return coder, bits


def _directions(codes: NDArray[np.floating]) -> NDArray[np.float64]:
    """(n, d) codes (n, d) scaled to length 1, a new array; codes of zeros stay zero."""
    exact = codes.astype(np.float64)
    lengths = np.linalg.norm(exact, axis=1, keepdims=True)
    directions: NDArray[np.float64] = np.divide(exact, lengths, out=exact, where=lengths > 0)
    return directions


def _nearest_rotation(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """The orthogonal Procrustes solution: the rotation nearest to a matrix."""
    left, _, right = np.linalg.svd(matrix, full_matrices=False)
    rotation: NDArray[np.float32] = (left @ right).astype(np.float32)
    return rotation
