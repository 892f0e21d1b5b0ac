"""Principal components of pixels: the linear code that needs no training. numpy only; knows no method and no index."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_COMPONENTS = 256  # as many as a code has numbers
IMAGES_PER_COMPONENT = 4  # with fewer, a direction fits the chance of its sample: whitened, that would be all one sees
LEAST_VARIANCE = 1e-6  # of the first component's; below it float32 finds directions in its own rounding


@dataclass(frozen=True)
class PrincipalComponents:
    """The directions in which thumbnails differ most, and how much."""

    mean: NDArray[np.float32]  # (3072,)
    directions: NDArray[np.float32]  # (3072, d), of length 1, the one of largest variance first
    deviations: NDArray[np.float32]  # (d,) standard deviation along each

    @classmethod
    def of(cls, thumbnails: NDArray[np.uint8]) -> "PrincipalComponents":
        """Of a sample of thumbnails (n, 32, 32, 3); 256 components, or fewer where the sample is small or flat."""
        pixels = _flat(thumbnails)  # (n, 3072)
        n, d = pixels.shape
        mean = pixels.mean(axis=0)
        pixels -= mean
        # Of the two products the smaller one is taken apart: both have the same eigenvalues.
        small = pixels @ pixels.T if n < d else pixels.T @ pixels
        variances: NDArray[np.float32]
        vectors: NDArray[Any]
        variances, vectors = np.linalg.eigh(small / n)
        most = min(MOST_COMPONENTS, max(1, n // IMAGES_PER_COMPONENT))
        variances, vectors = variances[::-1][:most], vectors[:, ::-1][:, :most]
        real = variances > LEAST_VARIANCE * max(float(variances[0]), LEAST_VARIANCE)
        variances, vectors = variances[real], vectors[:, real]
        if n < d:
            vectors = pixels.T @ vectors
            vectors /= np.linalg.norm(vectors, axis=0)
        return cls(mean, np.ascontiguousarray(vectors, dtype=np.float32), np.sqrt(variances))

    @property
    def n_components(self) -> int:
        return len(self.deviations)

    def project(self, thumbnails: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, d) the components of thumbnails (n, 32, 32, 3)."""
        return np.asarray((_flat(thumbnails) - self.mean) @ self.directions, dtype=np.float32)

    def whiten(self, thumbnails: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, d) the components, each divided by its deviation: all count alike."""
        return self.project(thumbnails) / self.deviations


def _flat(thumbnails: NDArray[np.uint8]) -> NDArray[np.float32]:
    return thumbnails.reshape(len(thumbnails), -1).astype(np.float32) / np.float32(255)
