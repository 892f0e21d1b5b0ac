"""Small generated pictures for tests that need images but no files."""

import numpy as np
from numpy.typing import NDArray


def toy_thumbnails(n: int, seed: int = 0) -> NDArray[np.uint8]:
    """n thumbnails (n, 32, 32, 3) uint8: two colours and a stripe of random place and width each."""
    rng = np.random.default_rng(seed)
    side = np.arange(32)
    pictures = np.empty((n, 32, 32, 3), np.uint8)
    for picture in pictures:
        inside = np.abs(side - rng.uniform(4, 28)) < rng.uniform(2, 10)
        mask = np.outer(inside, np.ones(32, bool)) if rng.random() < 0.5 else np.outer(np.ones(32, bool), inside)
        picture[:] = rng.integers(0, 256, 3)
        picture[mask] = rng.integers(0, 256, 3)
    return pictures
