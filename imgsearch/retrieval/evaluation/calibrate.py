"""Finds the cutoff of a corpus in the corpus itself, without labels: numpy only, from vectors to two distances.

What is measured, on a sample of the images:

- `copies`: how far mildly distorted copies lie from their pictures;
- `others`: how far each image lies from its nearest other one. What is nearer than half of the mild copies is
  taken for a copy itself and passed over, so that duplicates in the corpus do not pull the cutoff in;
- `chance`: how near the nearest of n unrelated images would come. A normal distribution is laid through the narrower
  half of the distances between random pairs (siblings widen the lower half, odd images the upper one), and its lower
  tail is followed to where a corpus of this size holds 0.05 chance hits for a query.

A hit is the *same* within the distance that holds 90 % of the copies, but at most 1 % of the others. It is *close*
within `chance`, and within the distance at which 70 % of the images have their nearest other one.

Both bounds of *close* are needed. Alone, the first let nearly everything through in 45,000 photographs, since dogs do
look like cats; alone, the second would call 70 % of a corpus close in which no two images have anything in common. Of
50 definitions that were compared on nine corpora (300 to 45,000 images, 2 to 17 labels, codes and whitened principal
components) this one came nearest to what the best single distance separates between queries whose label is in the
database and queries whose label was left out: .03 below it in the mean, .09 at most.
"""

from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from imgsearch.progress import Progress, silent
from imgsearch.retrieval.evaluation.distortions import DISTORTIONS, MILD_STRENGTHS, distort
from imgsearch.retrieval.evaluation.methods import build_methods, row_vectors
from imgsearch.retrieval.evaluation.ranking import Database
from imgsearch.retrieval.index.exact import Rows, blocks
from imgsearch.retrieval.index.index_info import L2
from imgsearch.retrieval.search.methods import METHODS
from imgsearch.retrieval.search.thresholds import Cutoff, Cutoffs

if TYPE_CHECKING:
    from imgsearch.retrieval.search.searcher import Searcher

SAME_COPIES, SAME_OTHERS = 0.9, 0.01  # shares of the copies and of the others that may be called the same
PASSED_COPIES = 0.5  # another image that is nearer than this share of the copies is a copy
CHANCE_HITS = 0.05  # by chance, of a query in the whole corpus
CLOSE_OTHERS = 0.7  # share of the images that have a close other one
UPPER_QUANTILE = 0.8413  # where a normal distribution is one standard deviation above its median
LEAST_IMAGES = 10  # with fewer nothing is known of chance: only copies are better than it

MOST_ROWS = 100_000  # a larger corpus is sampled
MOST_COPIED = 250  # images that are distorted, each in every way
MOST_PAIRED = 1000  # images whose distances from each other are looked at
MOST_ASKING, LEAST_ASKING = 1000, 250  # images whose nearest others are found, fewer of a large corpus
COMPARISONS = 50_000_000  # that the asking ones may need
ROUNDING = 1e-6  # of float32, so that an image and its duplicate are at no distance
ROW_BLOCK, ASKING_BLOCK = 16_384, 256  # compared at once


def calibrate_index(searcher: "Searcher", *, seed: int = 0, on_progress: Progress = silent) -> Cutoffs:
    """The cutoffs of an index, by code, pixels and binary code: seconds. None where no image can be found."""
    findable, rng = searcher.findable_rows(), np.random.default_rng(seed)
    rows = _drawn(rng, findable, MOST_ROWS)
    cutoffs: dict[str, Cutoff] = {}
    if len(rows):
        places = _drawn(rng, np.arange(len(rows)), MOST_COPIED)
        copies, of_places = mild_copies(searcher.thumbnails(rows[places]), places, seed=seed)
        for method in build_methods(searcher, names=tuple(METHODS)):
            vectors = row_vectors(method, searcher, rows)
            distorted = method.vectors(copies)
            cutoffs[method.name] = calibrate(
                vectors, method.metric, distorted, of_places, n_images=len(findable), seed=seed
            )
            on_progress(len(cutoffs), len(METHODS))
    return Cutoffs(searcher.model, searcher.rows, cutoffs)


def mild_copies(thumbnails: NDArray[np.uint8], places: Rows, *, seed: int = 0) -> tuple[NDArray[np.uint8], Rows]:
    """Each thumbnail (n, 32, 32, 3), mildly distorted in each way; and (m,) which of the places each copy is of."""
    copies = [distort(thumbnails, name, places, seed=seed, strengths=MILD_STRENGTHS) for name in DISTORTIONS]
    return np.concatenate(copies), np.tile(places, len(DISTORTIONS))


def calibrate(
    vectors: NDArray[Any],
    metric: str,
    distorted: NDArray[Any],
    places: Rows,
    *,
    n_images: int | None = None,
    seed: int = 0,
) -> Cutoff:
    """The cutoff of a corpus, in the unit in which its hits report their distances.

    Args:
        vectors: (n, d) those of the images that can be found, as `ranking.Database` takes them.
        distorted: (m, d) those of mildly distorted copies of some of them.
        places: (m,) of which place in `vectors` each is a copy.
        n_images: how many can be found, where `vectors` are a sample of them.
    """
    rng = np.random.default_rng(seed)
    copies = _copy_distances(vectors, metric, distorted, places)
    passed, most_copies = np.quantile(copies, [PASSED_COPIES, SAME_COPIES]).tolist() if len(copies) else (0.0, 0.0)
    passed += ROUNDING
    others = _nearest_others(vectors, metric, passed, rng)
    if len(others) == 0:  # no image, one, or one many times
        return Cutoff(metric, most_copies, most_copies)
    first_refused = np.sort(others)[int(SAME_OTHERS * len(others))]
    same = min(most_copies, float(np.nextafter(first_refused, 0)))
    if len(vectors) < LEAST_IMAGES:
        return Cutoff(metric, same, same)
    chance = _chance(vectors, metric, n_images or len(vectors), passed, rng)
    return Cutoff(metric, same, max(same, min(chance, float(np.quantile(others, CLOSE_OTHERS)))))


# ----------------------------------------------------------------------------------------------------------------------


def _copy_distances(vectors: NDArray[Any], metric: str, distorted: NDArray[Any], places: Rows) -> NDArray[np.float64]:
    """(m,) of each copy from its picture."""
    pictures, which = np.unique(places, return_inverse=True)
    if len(pictures) == 0:
        return np.empty(0)
    distances = Database.of(vectors[pictures], metric).hit_distances(distorted)  # (m, pictures)
    return distances[np.arange(len(which)), which]


def _nearest_others(vectors: NDArray[Any], metric: str, passed: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """(m,) of a sample of images from their nearest other one that is further than `passed`; only of those with one."""
    n = len(vectors)
    n_asking = int(np.clip(COMPARISONS // max(n, 1), LEAST_ASKING, MOST_ASKING))
    asking = _drawn(rng, np.arange(n), n_asking)
    nearest = np.full(len(asking), np.inf)
    for start, stop in blocks(n, ROW_BLOCK):
        database = Database.of(vectors[start:stop], metric)
        for first, last in blocks(len(asking), ASKING_BLOCK):
            places = asking[first:last]
            distances = database.hit_distances(vectors[places])
            inside = np.flatnonzero((places >= start) & (places < stop))
            distances[inside, places[inside] - start] = np.inf
            distances[distances <= passed] = np.inf
            nearest[first:last] = np.minimum(nearest[first:last], distances.min(axis=1))
    found: NDArray[np.float64] = nearest[np.isfinite(nearest)]
    return found


def _chance(vectors: NDArray[Any], metric: str, n_images: int, passed: float, rng: np.random.Generator) -> float:
    """The distance within which a query has `CHANCE_HITS` among so many unrelated images."""
    some = vectors[_drawn(rng, np.arange(len(vectors)), MOST_PAIRED)]
    pairs = Database.of(some, metric).hit_distances(some)[np.triu_indices(len(some), 1)]
    pairs = pairs[pairs > passed]
    if len(pairs) == 0:  # nearly all are copies of one image
        return passed
    if metric == L2:  # of pixels it is the logarithm that is normally distributed
        return float(np.exp(_lower_tail(np.log(pairs), CHANCE_HITS / n_images)))
    return _lower_tail(pairs, CHANCE_HITS / n_images)


def _lower_tail(values: NDArray[np.float64], share: float) -> float:
    """Where a normal distribution, laid through the narrower half of the values, has this share of them below it."""
    lower, middle, upper = np.quantile(values, [1 - UPPER_QUANTILE, 0.5, UPPER_QUANTILE]).tolist()
    return float(middle + min(middle - lower, upper - middle) * NormalDist().inv_cdf(share))


def _drawn(rng: np.random.Generator, rows: Rows, most: int) -> Rows:
    """The rows, or `most` of them, ascending."""
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))
