"""The methods that an evaluation compares: vectors of thumbnails and the distance between them.

Loads torch only for the untrained network; other codes come from the `Searcher`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from imgsearch.progress import Progress, silent
from imgsearch.retrieval.explore.principal import PrincipalComponents
from imgsearch.retrieval.index.exact import Rows, blocks
from imgsearch.retrieval.index.index_info import COSINE, L2
from imgsearch.retrieval.index.ranking import HAMMING

if TYPE_CHECKING:
    from imgsearch.retrieval.search.searcher import Searcher

EVALUATED = ("pixel", "pca", "pca-white", "hog", "untrained", "code", "binary", "short")
THUMBNAIL_BLOCK = 1024  # thumbnails whose vectors are computed between two reports of progress
FITTED_IMAGES, FITTED_SEED = (
    10_000,
    0,
)  # principal components are fitted to at most so many images, drawn with this seed
UNTRAINED_SEED = 0
SHORT_BITS = 28
DISTANCES = {COSINE: "cosine", L2: "Euclidean"}

# Histograms of oriented gradients, normalised once over the whole image: the best of ten settings that were tried on
# 15,000 CIFAR-10 images (P@10 .384; with the usual blocks of 2x2 cells .337; with cells of 8x8 pixels .346). Vectors
# have equal lengths, so that cosine and Euclidean distance give the same order.
HOG_CELL, HOG_ORIENTATIONS = 4, 9


@dataclass(frozen=True)
class EvaluatedMethod:
    """One way to compare images."""

    name: str  # one of `EVALUATED`
    title: str  # what is compared, and how
    metric: str  # "l2", "cosine" or "hamming": see `ranking.Database`
    vectors: Callable[[NDArray[np.uint8]], NDArray[Any]]  # (n, 32, 32, 3) to (n, d), float32 or uint8 (pixels, bits)
    stored: Callable[[Rows], NDArray[Any]] | None = None  # the vectors of indexed rows, where the index stores them


def build_methods(
    searcher: "Searcher", *, names: Sequence[str] = EVALUATED, rows: Rows | None = None
) -> Iterator[EvaluatedMethod]:
    """Yield the methods of these names in this order, each built when it is needed.

    Args:
        searcher: an open index.
        names: names out of `EVALUATED`.
        rows: the rows that principal components are fitted to (a sample of them where they are many); by default all
            that can be found.
    """
    fitted: PrincipalComponents | None = None
    for name in names:
        if name.startswith("pca"):
            fitted = fitted or _fitted(searcher, searcher.findable_rows() if rows is None else rows)
            yield _by_components(name, fitted)
        else:
            yield _MAKERS[name](searcher)


def row_vectors(
    method: EvaluatedMethod, searcher: "Searcher", rows: Rows, on_progress: Progress = silent
) -> NDArray[Any]:
    """(m, d) the vectors of indexed rows (m,): stored ones where there are any, else computed from thumbnails."""
    if method.stored is not None:
        return method.stored(rows)
    parts = [
        method.vectors(searcher.thumbnails(rows[start:stop]))
        for start, stop in blocks(len(rows), THUMBNAIL_BLOCK, on_progress)
    ]
    return np.concatenate(parts)


# ----------------------------------------------------------------------------------------------------------------------
# methods without training


def _pixel(_: "Searcher") -> EvaluatedMethod:
    return EvaluatedMethod(
        "pixel", "raw pixels, Euclidean distance", L2, lambda thumbnails: thumbnails.reshape(-1, 3072)
    )


def _fitted(searcher: "Searcher", rows: Rows) -> PrincipalComponents:
    if len(rows) > FITTED_IMAGES:
        rows = np.sort(np.random.default_rng(FITTED_SEED).choice(rows, FITTED_IMAGES, replace=False))
    return PrincipalComponents.of(searcher.thumbnails(rows))


def _by_components(name: str, fitted: PrincipalComponents) -> EvaluatedMethod:
    of = f"{fitted.n_components} principal components"
    if name == "pca":
        return EvaluatedMethod(name, f"{of}, Euclidean distance", L2, fitted.project)
    return EvaluatedMethod(name, f"{of}, whitened, cosine distance", COSINE, fitted.whiten)


def _hog(_: "Searcher") -> EvaluatedMethod:
    title = f"HOG, {HOG_CELL}×{HOG_CELL} pixels a cell, cosine distance"
    return EvaluatedMethod("hog", title, COSINE, hog_vectors)


def hog_vectors(thumbnails: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(n, 576) histograms of thumbnails (n, 32, 32, 3): 8×8 cells of 9 orientations, of the strongest channels."""
    from skimage.feature import hog  # slow to import

    cells = 32 // HOG_CELL
    vectors = np.empty((len(thumbnails), cells * cells * HOG_ORIENTATIONS), dtype=np.float32)
    for vector, thumbnail in zip(vectors, thumbnails, strict=True):
        vector[:] = hog(
            thumbnail,
            orientations=HOG_ORIENTATIONS,
            pixels_per_cell=(HOG_CELL, HOG_CELL),
            cells_per_block=(cells, cells),
            transform_sqrt=True,
            channel_axis=-1,
        )
    return vectors


def _untrained(searcher: "Searcher") -> EvaluatedMethod:
    from imgsearch.autoencoder.encode import untrained_encoder  # loads torch

    encoder = untrained_encoder(searcher.card, searcher.device, seed=UNTRAINED_SEED)
    metric = searcher.metric
    return EvaluatedMethod("untrained", f"code of the untrained network, {DISTANCES[metric]} distance", metric, encoder)


# ----------------------------------------------------------------------------------------------------------------------
# methods whose vectors the index stores


def _code(searcher: "Searcher") -> EvaluatedMethod:
    metric = searcher.metric
    return EvaluatedMethod(
        "code",
        f"code of {searcher.code_size} numbers, {DISTANCES[metric]} distance",
        metric,
        searcher.encode,
        searcher.indexed_codes,
    )


def _binary(searcher: "Searcher") -> EvaluatedMethod:
    return EvaluatedMethod(
        "binary",
        "binary code of 256 bits, Hamming distance",
        HAMMING,
        lambda thumbnails: searcher.binary_codes(searcher.encode(thumbnails)),
        searcher.indexed_bits,
    )


def _short(searcher: "Searcher") -> EvaluatedMethod:
    return EvaluatedMethod(
        "short",
        f"binary code of {SHORT_BITS} bits, Hamming distance",
        HAMMING,
        lambda thumbnails: searcher.short_codes(searcher.encode(thumbnails)),
        lambda rows: searcher.short_codes(searcher.indexed_codes(rows)),
    )


_MAKERS: dict[str, Callable[["Searcher"], EvaluatedMethod]] = {
    "pixel": _pixel,
    "hog": _hog,
    "untrained": _untrained,
    "code": _code,
    "binary": _binary,
    "short": _short,
}
