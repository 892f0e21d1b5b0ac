"""Distorted-query recall: against slow counting, with ties, and by methods with a known result."""

import doctest
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from imgsearch.corpus.store import Corpus
from imgsearch.errors import EvaluationError, Hint
from imgsearch.paths import IndexPaths
from imgsearch.retrieval.evaluation import robustness as distorted_module
from imgsearch.retrieval.evaluation.distortions import DISTORTIONS, distort
from imgsearch.retrieval.evaluation.methods import EVALUATED, EvaluatedMethod, build_methods
from imgsearch.retrieval.evaluation.robustness import Recall, found_in, measure_distorted
from imgsearch.retrieval.search.searcher import Searcher
from tests.support.hints import raises_with_hint
from tests.support.index import make_index, smooth_thumbnails
from tests.support.progress import RecordedProgress

N = 40
REMOVED = 5


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> IndexPaths:
    """N images, one of them removed."""
    paths = make_index(tmp_path_factory.mktemp("index"), smooth_thumbnails(N))
    with Corpus.open_for_writing(paths) as corpus:
        corpus.remove([REMOVED])
    return paths


def mean_colour(thumbnails: NDArray[np.uint8]) -> NDArray[Any]:
    """(n, 3): what mirroring leaves exactly as it is."""
    colours: NDArray[np.float32] = thumbnails.reshape(len(thumbnails), -1, 3).sum(axis=1).astype(np.float32) / 1024
    return colours


def nothing(thumbnails: NDArray[np.uint8]) -> NDArray[Any]:
    return np.zeros((len(thumbnails), 4), np.uint8)


COLOUR = EvaluatedMethod("colour-only", "mean colour", "l2", mean_colour)
NOTHING = EvaluatedMethod("nothing", "no bit differs", "hamming", nothing)


def test_by_pixels_as_counted_slowly(paths: IndexPaths) -> None:
    thumbnails = smooth_thumbnails(N)
    rows = np.setdiff1d(np.arange(N), [REMOVED])
    with Searcher.open(paths, device="cpu") as searcher:
        found = measure_distorted(searcher, build_methods(searcher, names=("pixel",)))
    assert (found.n_rows, found.n_database, found.distortions) == (N - 1, N - 1, DISTORTIONS)
    for name in DISTORTIONS:
        copies = distort(thumbnails[rows], name, rows).astype(np.int64)
        away = ((copies[:, None] - thumbnails[rows].astype(np.int64)) ** 2).sum(axis=(2, 3, 4))  # (n, n)
        ranks = (away < np.diag(away)[:, None]).sum(axis=1) + 1
        assert found.recall["pixel"][name] == Recall(np.mean(ranks == 1), np.mean(ranks <= 10)), name
    assert found.mean["pixel"].top1 == pytest.approx(np.mean([each.top1 for each in found.recall["pixel"].values()]))


def test_a_method_that_a_distortion_cannot_touch_finds_every_original(paths: IndexPaths) -> None:
    with Searcher.open(paths, device="cpu") as searcher:
        found = measure_distorted(searcher, [COLOUR])
    assert found.recall["colour-only"]["mirror"] == Recall(1, 1)
    assert found.recall["colour-only"]["brightness"].top1 < 0.9


def test_equal_distances_neither_help_nor_hurt(paths: IndexPaths) -> None:
    """All at distance 0: the original comes first once in all of them."""
    with Searcher.open(paths, device="cpu") as searcher:
        found = measure_distorted(searcher, [NOTHING])
    for recall in found.recall["nothing"].values():
        assert recall.top1 == pytest.approx(1 / (N - 1))
        assert recall.top10 == pytest.approx(10 / (N - 1))


def test_ranks_with_ties() -> None:
    distances = np.array([[1, 2, 2, 2, 3], [5, 4, 3, 2, 1], [0, 0, 9, 9, 9]])
    found = found_in(distances, np.array([2, 0, 1]), (1, 2, 4))
    assert found == pytest.approx(np.array([[0, 1 / 3, 1], [0, 0, 0], [0.5, 1, 1]]))
    assert doctest.testmod(distorted_module, extraglobs={"np": np}).failed == 0


def test_every_method_gets_the_same_copies_and_reports_progress(paths: IndexPaths) -> None:
    seen = RecordedProgress()
    with Searcher.open(paths, device="cpu") as searcher:
        first, second = (
            measure_distorted(searcher, build_methods(searcher), n_rows=6, on_progress=seen) for _ in range(2)
        )
        other = measure_distorted(searcher, build_methods(searcher), n_rows=6, seed=1)
    assert first == second
    assert first.n_rows == 6
    assert first.recall != other.recall
    assert tuple(first.recall) == tuple(first.mean) == EVALUATED
    assert (1, 1, "code: searching") in seen.calls
    assert {what.split(":")[0] for what in seen.texts} == set(EVALUATED)


def test_a_large_database_is_sampled(paths: IndexPaths) -> None:
    with Searcher.open(paths, device="cpu") as searcher:
        found = measure_distorted(searcher, [COLOUR], max_database=12, n_rows=30)
    assert (found.n_rows, found.n_database) == (12, 12)
    assert found.recall["colour-only"]["mirror"].top1 == 1


def test_one_image_is_always_found(tmp_path: Path) -> None:
    with Searcher.open(make_index(tmp_path, smooth_thumbnails(1)), device="cpu") as searcher:
        assert measure_distorted(searcher, [COLOUR]).mean["colour-only"] == Recall(1, 1)


def test_where_no_image_can_be_found(tmp_path: Path) -> None:
    paths = make_index(tmp_path, smooth_thumbnails(1))
    with Corpus.open_for_writing(paths) as corpus:
        corpus.remove([0])
    with (
        Searcher.open(paths, device="cpu") as searcher,
        raises_with_hint(EvaluationError, Hint.ADD_AND_REINDEX, match="no image can be found"),
    ):
        measure_distorted(searcher, [COLOUR])


def test_json(paths: IndexPaths) -> None:
    with Searcher.open(paths, device="cpu") as searcher:
        parsed = json.loads(json.dumps(measure_distorted(searcher, [COLOUR], n_rows=3).to_json()))
    assert list(parsed) == ["n_rows", "n_database", "distortions", "recall", "mean"]
    assert parsed["distortions"] == list(DISTORTIONS) == list(parsed["recall"]["colour-only"])
    assert list(parsed["recall"]["colour-only"]["crop"]) == list(parsed["mean"]["colour-only"]) == ["top1", "top10"]
