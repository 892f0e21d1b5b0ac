"""Principal components of pixels: the linear code that needs no training."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imgsearch.linear import principal_components

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
        """Fit them to thumbnails (n, 32, 32, 3): 256 components, or fewer where the sample is small or flat."""
        most = min(MOST_COMPONENTS, max(1, len(thumbnails) // IMAGES_PER_COMPONENT))
        found = principal_components(_flat(thumbnails), most)
        largest = found.variances.max(initial=0.0)
        real = found.variances > LEAST_VARIANCE * max(largest, LEAST_VARIANCE)
        return cls(
            found.mean.astype(np.float32),
            np.ascontiguousarray(found.directions[real].T, dtype=np.float32),
            np.sqrt(found.variances[real]).astype(np.float32),
        )

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
