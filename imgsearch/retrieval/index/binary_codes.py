"""Codes to binary codes of 256 bits, as a corpus's own codes suggest. Knows codes as numbers; must not know images.

A sign for each of 256 numbers keeps the angle between two codes only roughly, too roughly to order near neighbours.
So codes are first drawn a little towards what lies around them in the corpus, which brings those together that are of
one kind, and are then rotated to where rounding loses least. Neither needs labels.

Source: drawing codes towards anchors is a small dose of Liu, Wang, Kumar & Chang, "Hashing with Graphs" (ICML 2011),
whose bits are made of nothing but the nearness of anchors. For the rotation see `rotation`.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from imgsearch.errors import Hint, IndexMissingError
from imgsearch.progress import Progress, silent
from imgsearch.retrieval.index.anchors import CODES_PER_ANCHOR, MOST_ANCHORS, find_anchors
from imgsearch.retrieval.index.exact import blocks
from imgsearch.retrieval.index.rotation import quantising_rotation

N_BITS = 256
PULL = 0.15  # how far codes of length 1 are drawn: more finds more of the same kind and fewer copies
TEMPERATURE = 0.05  # of the anchors' weights: how fast they fall with cosine distance
SEED = 0
MOST_FITTED, MOST_ROTATED = CODES_PER_ANCHOR * MOST_ANCHORS, 16_384  # codes that anchors and rotation are made of
BLOCK = 2048  # codes that are compared with all anchors at once


@dataclass(frozen=True)
class BinaryCoder:
    """What makes bits of codes: the same code always gets the same bits, whatever it stands beside."""

    anchors: NDArray[np.float32]  # (m, d) of length 1; there may be none
    rotation: NDArray[np.float32]  # (256, d)

    @classmethod
    def fit(cls, codes: NDArray[np.floating]) -> "BinaryCoder":
        """Learn from codes (n, d) of a corpus, or from 40,960 of them drawn with a fixed seed."""
        n, d = codes.shape
        rng = np.random.default_rng(SEED)
        sample = _directions(codes[np.sort(rng.permutation(n)[:MOST_FITTED])]).astype(np.float32)
        start = rng.standard_normal((N_BITS, d)).astype(np.float32)
        coder = cls(find_anchors(sample, SEED), start)
        leaned = coder.lean(sample[rng.permutation(len(sample))[:MOST_ROTATED]])
        return cls(coder.anchors, quantising_rotation(_directions(leaned).astype(np.float32), start))

    def lean(self, codes: NDArray[np.floating]) -> NDArray[np.float64]:
        """(n, d) the directions of codes (n, d), each drawn towards the anchors near it."""
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


def save_binary(path: Path, coder: BinaryCoder, bits: NDArray[np.uint8]) -> None:
    """Write a coder and the bits (n, 32) that it made into one file, so that neither is ever without the other."""
    path.write_bytes(save({"anchors": coder.anchors, "rotation": coder.rotation, "bits": bits}))


def load_binary(path: Path, rows: int) -> tuple[BinaryCoder, NDArray[np.uint8]]:
    """What `save_binary` wrote of so many rows.

    Raises:
        FileNotFoundError: there is no such file.
        IndexMissingError: it is damaged.
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
    """(n, d) codes (n, d) at length 1, a new array; a code of nothing stays nothing."""
    exact = codes.astype(np.float64)
    lengths = np.linalg.norm(exact, axis=1, keepdims=True)
    directions: NDArray[np.float64] = np.divide(exact, lengths, out=exact, where=lengths > 0)
    return directions
