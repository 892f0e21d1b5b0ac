"""The false-match rate, against slow counting on a small labelled index."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from imgsearch.corpus.store import Corpus
from imgsearch.errors import EvaluationError
from imgsearch.paths import IndexPaths
from imgsearch.retrieval.evaluation.false_matches import false_match_rate
from imgsearch.retrieval.search.searcher import Searcher
from imgsearch.retrieval.search.thresholds import Cutoff, Cutoffs
from tests.support.index import make_index, smooth_thumbnails
from tests.support.progress import RecordedProgress

N = 60
NAMES = ("ant", "bee", "cat")
REMOVED, UNLABELLED = 5, 6
ROWS = np.setdiff1d(np.arange(N), [REMOVED, UNLABELLED])


def labels() -> list[str]:
    """By the brightest channel, so that neighbours share a label more often than by chance."""
    return [NAMES[channel] for channel in smooth_thumbnails(N).mean(axis=(1, 2)).argmax(axis=1)]


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> IndexPaths:
    names = labels()
    names[UNLABELLED] = ""
    paths = make_index(tmp_path_factory.mktemp("labelled"), smooth_thumbnails(N), names)
    with Corpus.open_for_writing(paths) as corpus:
        corpus.remove([REMOVED])
    return paths


def pixel_distances() -> NDArray[np.float64]:
    """(n, n) in the unit of hits; inf from itself."""
    pixels = smooth_thumbnails(N)[ROWS].reshape(len(ROWS), -1) / 255
    distances = np.linalg.norm(pixels[:, None] - pixels[None], axis=2)
    return np.asarray(distances + np.diag(np.full(len(ROWS), np.inf)))


def test_rates_are_those_of_slow_counting(paths: IndexPaths) -> None:
    away, names = pixel_distances(), np.array(labels())[ROWS]
    same, close = np.quantile(away.min(axis=1), [0.2, 0.6]).tolist()
    cutoffs = Cutoffs("abc", N, {"pixel": Cutoff("l2", same, close), "binary": Cutoff("hamming", 0, 300)})
    seen = RecordedProgress()
    with Searcher.open(paths, device="cpu") as searcher:
        found = false_match_rate(searcher, cutoffs, on_progress=seen)
    assert (found.n_queries, found.n_database, found.n_labels) == (len(ROWS), len(ROWS), 3)
    without = np.array([line[names != name].min() for line, name in zip(away, names, strict=True)])
    good, right = away.min(axis=1) <= close, names[away.argmin(axis=1)] == names
    pixel = found.methods["pixel"]
    assert (pixel.same, pixel.close) == (same, close)
    assert pixel.match == pytest.approx(good.mean())
    assert pixel.false_match == pytest.approx((without <= close).mean())
    assert pixel.false_same == pytest.approx((without <= same).mean())
    assert pixel.false_match < pixel.match
    assert pixel.right_if_good == pytest.approx(right[good].mean())
    assert pixel.right_if_weak == pytest.approx(right[~good].mean())
    binary = found.methods["binary"]  # a cutoff that accepts all
    assert (binary.match, binary.false_match, binary.right_if_weak) == (1, 1, None)
    assert seen.calls == [(1, 2, "leaving out labels"), (2, 2, "leaving out labels")]


def test_a_cutoff_that_accepts_nothing(paths: IndexPaths) -> None:
    with Searcher.open(paths, device="cpu") as searcher:
        found = false_match_rate(searcher, Cutoffs("abc", N, {"code": Cutoff("cosine", 0, 0)}), max_queries=7)
    code = found.methods["code"]
    assert found.n_queries == 7
    assert (code.match, code.false_match, code.false_same, code.right_if_good) == (0, 0, 0, None)
    assert json.loads(json.dumps(found.to_json()))["methods"]["code"]["match"] == 0


def test_labels_are_needed(tmp_path: Path) -> None:
    paths = make_index(tmp_path, smooth_thumbnails(3))
    with (
        Searcher.open(paths, device="cpu") as searcher,
        pytest.raises(EvaluationError, match="no indexed image has a label"),
    ):
        false_match_rate(searcher, Cutoffs("abc", 3, {"code": Cutoff("cosine", 0, 0)}))
