"""Distorted-query recall: search with distorted copies of indexed images and count how often the original is found.

It needs no labels. Rules of the measurement:

- the database is every image that can be found, or 50,000 of them drawn with a fixed seed; it contains the originals;
- every method is queried with the same copies;
- the rank of the original is 1 plus the number of nearer images. Equally distant images, frequent with binary codes,
  count as if in random order: with none nearer and one other equally far, the original counts as first by one half.
  Thus equal distances neither help nor hurt.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from imgsearch.errors import EvaluationError, Hint
from imgsearch.progress import Progress, part_of, silent
from imgsearch.retrieval.evaluation.distortions import DISTORTIONS, distort
from imgsearch.retrieval.evaluation.methods import EvaluatedMethod, row_vectors
from imgsearch.retrieval.index.exact import Rows, blocks
from imgsearch.retrieval.index.ranking import QUERY_BLOCK, Database

if TYPE_CHECKING:
    from imgsearch.retrieval.search.searcher import Searcher

MOST_ROWS = 50_000  # images of a database
N_ROWS = 1000  # images that are distorted


@dataclass(frozen=True)
class Recall:
    """Shares of the copies, 0 to 1."""

    top1: float  # whose original came first
    top10: float  # whose original was among the first ten


@dataclass(frozen=True)
class DistortedRecall:
    """Share of distorted copies whose original each method finds, for each distortion and on average."""

    n_rows: int  # images that were distorted
    n_database: int  # images that could be found
    distortions: tuple[str, ...]
    recall: dict[str, dict[str, Recall]]  # by method and distortion
    mean: dict[str, Recall]  # by method, over the distortions

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return asdict(self) | {"distortions": list(self.distortions)}


def measure_distorted(
    searcher: "Searcher",
    methods: Iterable[EvaluatedMethod],
    *,
    n_rows: int = N_ROWS,
    seed: int = 0,
    max_database: int = MOST_ROWS,
    on_progress: Progress = silent,
) -> DistortedRecall:
    """Distort a sample of the images that can be found in each way, and search with the copies by each method.

    Raises:
        EvaluationError: no image can be found.
    """
    rng, findable = np.random.default_rng(seed), searcher.findable_rows()
    if len(findable) == 0:
        raise EvaluationError("no image can be found.", hint=Hint.ADD_AND_REINDEX)
    rows = np.sort(rng.choice(findable, min(max_database, len(findable)), replace=False))
    positions = np.sort(rng.choice(len(rows), min(n_rows, len(rows)), replace=False))
    originals = searcher.thumbnails(rows[positions])  # (m, 32, 32, 3)
    copies = np.concatenate([distort(originals, name, rows[positions], seed=seed) for name in DISTORTIONS])
    recall: dict[str, dict[str, Recall]] = {}
    mean: dict[str, Recall] = {}
    for method in methods:
        shares = _shares(method, searcher, rows, positions, copies, on_progress)  # (distortions, 2)
        recall[method.name] = {name: Recall(*each) for name, each in zip(DISTORTIONS, shares.tolist(), strict=True)}
        mean[method.name] = Recall(*shares.mean(axis=0).tolist())
    return DistortedRecall(len(positions), len(rows), DISTORTIONS, recall, mean)


def _shares(
    method: EvaluatedMethod,
    searcher: "Searcher",
    rows: Rows,
    positions: Rows,
    copies: NDArray[np.uint8],
    on_progress: Progress,
) -> NDArray[np.float64]:
    """(distortions, 2) shares of copies (distortions * m, 32, 32, 3) whose original is first, and in the first ten."""
    vectors = row_vectors(
        method,
        searcher,
        rows,
        part_of(on_progress, 0, 1, f"{method.name}: computing vectors"),
    )
    database, originals = Database.of(vectors, method.metric), np.tile(positions, len(DISTORTIONS))
    found = np.empty((len(copies), 2))
    for start, stop in blocks(len(copies), QUERY_BLOCK, part_of(on_progress, 0, 1, f"{method.name}: searching")):
        distances = database.distances(method.vectors(copies[start:stop]))  # (nb, n)
        found[start:stop] = found_in(distances, originals[start:stop], (1, 10))
    shares: NDArray[np.float64] = found.reshape(len(DISTORTIONS), len(positions), 2).mean(axis=1)
    return shares


def found_in(distances: NDArray[Any], originals: Rows, sizes: Sequence[int]) -> NDArray[np.float64]:
    """(nq, sizes) probability that the original (nq,) is among the first so many, given distances (nq, n).

    >>> found_in(np.array([[5, 3, 3, 3, 9]]), np.array([2]), (1, 2, 3)).round(2).tolist()
    [[0.33, 0.67, 1.0]]
    """
    own = distances[np.arange(len(originals)), originals][:, None]
    nearer = (distances < own).sum(axis=1)[:, None]
    as_far = (distances == own).sum(axis=1)[:, None]  # the original among them
    chance: NDArray[np.float64] = np.clip((np.array(sizes) - nearer) / as_far, 0, 1)
    return chance
