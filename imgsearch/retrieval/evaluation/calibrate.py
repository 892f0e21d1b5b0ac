"""Calibrate the match thresholds of a corpus from the corpus alone, without labels.

Three distances are measured on a sample of the images:

- `copies`: from mildly distorted copies to their originals;
- `others`: from images to their nearest other image. Images nearer than half of the copies count as copies and are
  skipped, so that duplicates in the corpus do not lower the threshold;
- `chance`: the distance within which a corpus of this size holds 0.05 unrelated images on average. A normal
  distribution is fitted to the narrower half of the distances between random pairs (related images widen the lower
  half, unusual images the upper one) and extrapolated to its lower tail.

A hit is the *same* within the distance that includes 90 % of the copies, but at most 1 % of the others. It is *close*
within `chance`, and within the distance at which 70 % of the images have their nearest other image.

Both bounds of *close* are needed. The first alone accepted nearly everything among 45,000 photographs, since dogs look
like cats; the second alone would call 70 % of a corpus close in which no two images are related. Of 50 definitions that
were compared on nine corpora (300 to 45,000 images, 2 to 17 labels, codes and whitened principal components), this one
came closest to the best single threshold for separating queries whose label is in the database from queries whose label
was left out: its accuracy is .03 lower on average and .09 at most.
"""

from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from imgsearch.progress import Progress, silent
from imgsearch.retrieval.evaluation.distortions import DISTORTIONS, MILD_STRENGTHS, distort
from imgsearch.retrieval.evaluation.methods import build_methods, row_vectors
from imgsearch.retrieval.index.exact import Rows, blocks
from imgsearch.retrieval.index.index_info import L2
from imgsearch.retrieval.index.ranking import Database
from imgsearch.retrieval.search.methods import METHODS
from imgsearch.retrieval.search.thresholds import Cutoff, Cutoffs

if TYPE_CHECKING:
    from imgsearch.retrieval.search.searcher import Searcher

SAME_COPIES, SAME_OTHERS = 0.9, 0.01  # shares of the copies and of the others that are called the same, at most
SKIPPED_COPIES = 0.5  # an image nearer than this share of the copies counts as a copy
CHANCE_HITS = 0.05  # unrelated images within the threshold, on average over queries
CLOSE_OTHERS = 0.7  # share of the images that have a close other image, at most
UPPER_QUANTILE = 0.8413  # where a normal distribution is one standard deviation above its median
LEAST_IMAGES = 10  # with fewer, chance cannot be estimated and only copies are close

MOST_ROWS = 100_000  # a larger corpus is sampled
MOST_COPIED = 250  # images that are distorted, each in every way
MOST_PAIRED = 1000  # images whose mutual distances are measured
MOST_QUERIES, LEAST_QUERIES = 1000, 250  # images whose nearest other is searched; fewer in a large corpus
COMPARISONS = 50_000_000  # at most, between queries and images
ROUNDING = 1e-6  # of float32: an image and its duplicate are at most so far apart
ROW_BLOCK, QUERY_BLOCK = 16_384, 256  # compared at once


def calibrate_index(searcher: "Searcher", *, seed: int = 0, on_progress: Progress = silent) -> Cutoffs:
    """Calibrate each search method of an index, in seconds; without cutoffs where no image can be found."""
    findable, rng = searcher.findable_rows(), np.random.default_rng(seed)
    rows = _drawn(rng, findable, MOST_ROWS)
    cutoffs: dict[str, Cutoff] = {}
    if len(rows):
        positions = _drawn(rng, np.arange(len(rows)), MOST_COPIED)
        copies, of_positions = mild_copies(searcher.thumbnails(rows[positions]), positions, seed=seed)
        for method in build_methods(searcher, names=tuple(METHODS)):
            vectors = row_vectors(method, searcher, rows)
            distorted = method.vectors(copies)
            cutoffs[method.name] = calibrate(
                vectors, method.metric, distorted, of_positions, n_images=len(findable), seed=seed
            )
            on_progress(len(cutoffs), len(METHODS))
    return Cutoffs(searcher.model, searcher.rows, cutoffs)


def mild_copies(thumbnails: NDArray[np.uint8], positions: Rows, *, seed: int = 0) -> tuple[NDArray[np.uint8], Rows]:
    """Distort each thumbnail (n, 32, 32, 3) mildly in each way; return the copies and (m,) the original of each."""
    copies = [distort(thumbnails, name, positions, seed=seed, strengths=MILD_STRENGTHS) for name in DISTORTIONS]
    return np.concatenate(copies), np.tile(positions, len(DISTORTIONS))


def calibrate(
    vectors: NDArray[Any],
    metric: str,
    distorted: NDArray[Any],
    positions: Rows,
    *,
    n_images: int | None = None,
    seed: int = 0,
) -> Cutoff:
    """Compute the cutoff of a corpus, in the unit of its hits.

    Args:
        vectors: (n, d) vectors of the images that can be found, as `ranking.Database` takes them.
        metric: "l2", "cosine" or "hamming".
        distorted: (m, d) vectors of mildly distorted copies of some of them.
        positions: (m,) the position in `vectors` of each copy's original.
        n_images: number of images that can be found, where `vectors` are a sample of them.
        seed: of the samples.
    """
    rng = np.random.default_rng(seed)
    copies = _copy_distances(vectors, metric, distorted, positions)
    copied, most_copies = np.quantile(copies, [SKIPPED_COPIES, SAME_COPIES]).tolist() if len(copies) else (0.0, 0.0)
    copied += ROUNDING
    others = _nearest_others(vectors, metric, copied, rng)
    if len(others) == 0:  # no image, one, or copies of one
        return Cutoff(metric, most_copies, most_copies)
    first_refused = np.sort(others)[int(SAME_OTHERS * len(others))]
    same = min(most_copies, float(np.nextafter(first_refused, 0)))
    if len(vectors) < LEAST_IMAGES:
        return Cutoff(metric, same, same)
    chance = _chance(vectors, metric, n_images or len(vectors), copied, rng)
    return Cutoff(metric, same, max(same, min(chance, float(np.quantile(others, CLOSE_OTHERS)))))


# ----------------------------------------------------------------------------------------------------------------------


def _copy_distances(
    vectors: NDArray[Any], metric: str, distorted: NDArray[Any], positions: Rows
) -> NDArray[np.float64]:
    """(m,) distances of copies from their originals."""
    originals, which = np.unique(positions, return_inverse=True)
    if len(originals) == 0:
        return np.empty(0)
    distances = Database.of(vectors[originals], metric).hit_distances(distorted)  # (m, originals)
    return distances[np.arange(len(which)), which]


def _nearest_others(vectors: NDArray[Any], metric: str, copied: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """(m,) distances of a sample of images from their nearest other image that is no copy, where they have one."""
    n = len(vectors)
    n_queries = int(np.clip(COMPARISONS // max(n, 1), LEAST_QUERIES, MOST_QUERIES))
    queries = _drawn(rng, np.arange(n), n_queries)
    nearest = np.full(len(queries), np.inf)
    for start, stop in blocks(n, ROW_BLOCK):
        database = Database.of(vectors[start:stop], metric)
        for first, last in blocks(len(queries), QUERY_BLOCK):
            positions = queries[first:last]
            distances = database.hit_distances(vectors[positions])
            inside = np.flatnonzero((positions >= start) & (positions < stop))
            distances[inside, positions[inside] - start] = np.inf
            distances[distances <= copied] = np.inf
            nearest[first:last] = np.minimum(nearest[first:last], distances.min(axis=1))
    found: NDArray[np.float64] = nearest[np.isfinite(nearest)]
    return found


def _chance(vectors: NDArray[Any], metric: str, n_images: int, copied: float, rng: np.random.Generator) -> float:
    """The distance within which a query has `CHANCE_HITS` hits among so many unrelated images."""
    some = vectors[_drawn(rng, np.arange(len(vectors)), MOST_PAIRED)]
    pairs = Database.of(some, metric).hit_distances(some)[np.triu_indices(len(some), 1)]
    pairs = pairs[pairs > copied]
    if len(pairs) == 0:  # nearly all are copies of one image
        return copied
    if metric == L2:  # distances of pixels are log-normally distributed
        return float(np.exp(_lower_tail(np.log(pairs), CHANCE_HITS / n_images)))
    return _lower_tail(pairs, CHANCE_HITS / n_images)


def _lower_tail(values: NDArray[np.float64], share: float) -> float:
    """The quantile at this share of a normal distribution that is fitted to the narrower half of the values."""
    lower, middle, upper = np.quantile(values, [1 - UPPER_QUANTILE, 0.5, UPPER_QUANTILE]).tolist()
    return float(middle + min(middle - lower, upper - middle) * NormalDist().inv_cdf(share))


def _drawn(rng: np.random.Generator, rows: Rows, most: int) -> Rows:
    """All rows, or `most` of them drawn at random, ascending."""
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))
