"""Queries whose very image, or nearly the same one, is in the database. numpy only; knows neither labels nor methods.

Photographs come in several copies: cropped by a pixel, recoloured, compressed anew. Pixel distances do not tell these
from two pictures of the same empty sky, which are as near; so their *details* are compared, the differences between
neighbouring pixels, whatever the brightness and contrast. Of 5,000 queries of CIFAR-10 against 45,000 images, 82 have
near twins by the threshold below; seen side by side, all but two or three of the pairs show the same photograph.
"""

import numpy as np
from numpy.typing import NDArray

from imgsearch.progress import Progress, silent
from imgsearch.retrieval.index.exact import blocks

NEAR = 0.82  # correlation of details from which two images are near twins
IMAGE_BLOCK = 4096

Flags = NDArray[np.bool_]


def exact_twins(queries: NDArray[np.uint8], itself: NDArray[np.int64], database: NDArray[np.uint8]) -> Flags:
    """(nq,) whether a query's thumbnail (32, 32, 3) is also that of another database image.

    `itself` (nq,) is the query's own place in the database (n, 32, 32, 3), or -1.
    """
    copies: dict[bytes, int] = {}
    for thumbnail in database:
        key = thumbnail.tobytes()
        copies[key] = copies.get(key, 0) + 1
    return np.array(
        [copies.get(query.tobytes(), 0) > (own >= 0) for query, own in zip(queries, itself, strict=True)],
        dtype=np.bool_,
    )


def near_twins(
    queries: NDArray[np.uint8],
    itself: NDArray[np.int64],
    database: NDArray[np.uint8],
    on_progress: Progress = silent,
) -> Flags:
    """(nq,) whether another database image has nearly the details of the query; the arguments are as above."""
    asking, near = details(queries), np.zeros(len(queries), dtype=np.bool_)
    for start, stop in blocks(len(database), IMAGE_BLOCK, on_progress):
        correlation = asking @ details(database[start:stop]).T  # (nq, nb)
        inside = np.flatnonzero((itself >= start) & (itself < stop))
        correlation[inside, itself[inside] - start] = -1
        near |= (correlation >= NEAR).any(axis=1)
    return near


def details(thumbnails: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(n, 480) of length 1: differences between neighbours among the 16x16 grey pixels. All zero for a plain image."""
    grey = thumbnails.mean(axis=3, dtype=np.float32)  # (n, 32, 32)
    half = grey.reshape(len(grey), 16, 2, 16, 2).mean(axis=(2, 4))  # (n, 16, 16)
    down, across = np.diff(half, axis=1), np.diff(half, axis=2)
    differences = np.concatenate([down.reshape(len(half), -1), across.reshape(len(half), -1)], axis=1)
    lengths = np.linalg.norm(differences, axis=1, keepdims=True)
    unit: NDArray[np.float32] = np.divide(differences, lengths, out=np.zeros_like(differences), where=lengths > 0)
    return unit
