"""Scores by labels, against slow brute force on a small labelled index."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from imgsearch.corpus.ingest import LabelledImages
from imgsearch.corpus.store import Corpus
from imgsearch.errors import EvaluationError, Hint
from imgsearch.paths import IndexPaths
from imgsearch.retrieval.evaluation import evaluate as evaluate_module
from imgsearch.retrieval.evaluation.evaluate import CURVE_POINTS, SCORE_NAMES, curve_sizes, evaluate
from imgsearch.retrieval.evaluation.methods import EVALUATED, build_methods
from imgsearch.retrieval.search.searcher import Searcher
from imgsearch.workflows.reindexing import reindex
from tests.support.hints import raises_with_hint
from tests.support.index import add_images, make_index, smooth_thumbnails
from tests.support.progress import RecordedProgress

N = 60
NAMES = ("ant", "bee", "cat")
REMOVED, UNLABELLED = 5, 6


def labels_of(thumbnails: NDArray[np.uint8]) -> list[str]:
    """By the brightest channel, so that neighbours agree more often than by chance."""
    return [NAMES[channel] for channel in thumbnails.mean(axis=(1, 2)).argmax(axis=1)]


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> IndexPaths:
    """N labelled images, one of them removed and one without a label, and one more that is not indexed."""
    thumbnails = smooth_thumbnails(N + 1)
    labels = labels_of(thumbnails)
    labels[UNLABELLED] = ""
    paths = make_index(tmp_path_factory.mktemp("labelled"), thumbnails[:N], labels[:N])
    add_images(paths, thumbnails[N:], labels[N:])
    with Corpus.open_for_writing(paths) as corpus:
        corpus.remove([REMOVED])
    return paths


DATABASE = [row for row in range(N) if row not in (REMOVED, UNLABELLED)]


def slow_scores(wanted: str, ranking: list[str]) -> list[float]:
    """The five scores of one query from the labels of the whole database, nearest first."""
    precisions = [ranking[:place].count(wanted) / place for place in range(1, len(ranking) + 1)]
    relevant = [precision for precision, label in zip(precisions, ranking, strict=True) if label == wanted]
    votes = Counter(ranking[:20])
    winner = next(label for label in ranking[:20] if votes[label] == max(votes.values()))
    return [
        ranking[:1].count(wanted) / 1,
        ranking[:10].count(wanted) / 10,
        ranking[:100].count(wanted) / 100,
        sum(relevant) / len(relevant) if relevant else 0.0,
        float(winner == wanted),
    ]


def slow_evaluation(
    vectors: NDArray[np.float64], queries: NDArray[np.float64], labels: list[str], wanted: list[str], own: list[int]
) -> dict[str, float]:
    scores = []
    for query, label, row in zip(queries, wanted, own, strict=True):
        distances = np.linalg.norm(vectors - query, axis=1)
        order = sorted((other for other in DATABASE if other != row), key=lambda other: (distances[other], other))
        scores.append(slow_scores(label, [labels[other] for other in order]))
    return dict(zip(SCORE_NAMES, np.mean(scores, axis=0).tolist(), strict=True))


def flat(thumbnails: NDArray[np.uint8]) -> NDArray[np.float64]:
    return thumbnails.reshape(len(thumbnails), -1).astype(np.float64)


def directions(codes: NDArray[np.float32]) -> NDArray[np.float64]:
    """Codes of length 1, among which Euclidean distance orders as cosine distance does."""
    plain = codes.astype(np.float64)
    unit: NDArray[np.float64] = plain / np.linalg.norm(plain, axis=1, keepdims=True)
    return unit


@pytest.mark.parametrize("block", [1000, 7])
def test_each_labelled_image_is_a_query_and_left_out_of_its_own_ranking(
    paths: IndexPaths, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate_module, "QUERY_BLOCK", block)
    thumbnails = smooth_thumbnails(N)
    labels = labels_of(thumbnails)
    wanted = [labels[row] for row in DATABASE]
    seen = RecordedProgress()
    with Searcher.open(paths, device="cpu") as searcher:
        evaluation = evaluate(searcher, on_progress=seen)
        codes = directions(searcher.encode(thumbnails))
    pixels = flat(thumbnails)
    assert (evaluation.n_database, evaluation.n_queries, evaluation.n_duplicates) == (len(DATABASE), len(DATABASE), 0)
    assert evaluation.methods["pixel"] == pytest.approx(
        slow_evaluation(pixels, pixels[DATABASE], labels, wanted, DATABASE)
    )
    assert evaluation.methods["code"] == pytest.approx(
        slow_evaluation(codes, codes[DATABASE], labels, wanted, DATABASE)
    )
    shares = [share for share, _, text in seen.calls if text == "code: searching"]
    assert shares == [min(done / len(DATABASE), 1) for done in range(block, len(DATABASE) + block, block)]
    assert {text.split(":")[0] for text in seen.texts} == {"looking for near-duplicates", *EVALUATED}


def test_given_queries(paths: IndexPaths) -> None:
    images = smooth_thumbnails(9, seed=77)
    wanted = labels_of(images)
    thumbnails = smooth_thumbnails(N)
    labels, outside = labels_of(thumbnails), [-1] * len(images)
    with Searcher.open(paths, device="cpu") as searcher:
        evaluation = evaluate(searcher, queries=LabelledImages(images, wanted, []))
        assert tuple(evaluation.methods) == EVALUATED
        for method in build_methods(searcher, rows=np.array(DATABASE)):
            ours, theirs = method.vectors(thumbnails), method.vectors(images)
            if method.metric == "hamming":
                continue  # equal distances are drawn at random: see the tests of the ranking
            if method.metric == "cosine":
                ours, theirs = directions(ours), directions(theirs)
            slow = slow_evaluation(ours.astype(np.float64), theirs.astype(np.float64), labels, wanted, outside)
            assert evaluation.methods[method.name] == pytest.approx(slow), method.name
    assert (evaluation.n_database, evaluation.n_queries) == (len(DATABASE), 9)


def test_binary_codes_are_ranked_by_differing_bits(paths: IndexPaths) -> None:
    """Without ties among the first, the first is the one with the fewest bits."""
    labels = labels_of(smooth_thumbnails(N))
    with Searcher.open(paths, device="cpu") as searcher:
        bits = np.unpackbits(searcher.indexed_bits(np.array(DATABASE)), axis=1)
        found = evaluate(searcher, methods=("binary",)).methods["binary"]["p@1"]
    differing = (bits[:, None] != bits[None]).sum(axis=2) + 1000 * np.eye(len(bits), dtype=int)
    least = differing.min(axis=1, keepdims=True)
    hits = [
        np.mean([labels[DATABASE[other]] == labels[DATABASE[row]] for other in np.flatnonzero(tied)])
        for row, tied in enumerate(differing == least)
    ]
    n_tied = int(((differing == least).sum(axis=1) > 1).sum())
    assert n_tied < len(bits) / 2
    assert abs(found - np.mean(hits)) <= n_tied / len(bits)


def test_the_curve_goes_from_one_neighbour_to_the_whole_database(paths: IndexPaths) -> None:
    labels = labels_of(smooth_thumbnails(N))
    with Searcher.open(paths, device="cpu") as searcher:
        evaluation = evaluate(searcher)
    curve = evaluation.curve
    others = len(DATABASE) - 1
    assert (curve.n[0], curve.n[-1], curve.n_queries) == (1, others, len(DATABASE))
    counts = Counter(labels[row] for row in DATABASE)
    by_chance = np.mean([(counts[labels[row]] - 1) / others for row in DATABASE])
    for name, share in curve.share.items():
        figures = evaluation.methods[name]
        assert share[0] == pytest.approx(figures["p@1"])
        assert share[curve.n.index(10)] == pytest.approx(figures["p@10"])
        assert share[-1] == pytest.approx(by_chance)


@pytest.mark.parametrize("n", [0, 1, 2, 45_000])
def test_sizes_of_a_curve(n: int) -> None:
    sizes = curve_sizes(n)
    assert (sizes[0], sizes[-1]) == (1, max(n, 1))
    assert (np.diff(sizes) > 0).all()
    assert len(sizes) <= CURVE_POINTS
    assert n < 1000 or len(sizes) > 30


def test_a_large_database_is_sampled_and_says_so(paths: IndexPaths) -> None:
    with Searcher.open(paths, device="cpu") as searcher:
        first, second = (evaluate(searcher, max_database=20, methods=("pixel", "code")) for _ in range(2))
    assert first == second
    assert (first.n_database, first.n_labelled, first.n_queries) == (20, len(DATABASE), 20)
    assert first.curve.n[-1] == 19


def test_near_duplicates_are_used_and_counted(paths: IndexPaths) -> None:
    thumbnails = smooth_thumbnails(N)
    fresh = smooth_thumbnails(4, seed=77)
    brighter = np.clip(thumbnails[[0, 1]].astype(int) // 2 + 60, 0, 255).astype(np.uint8)
    images = np.concatenate([fresh, brighter])
    wanted = [*labels_of(fresh), *labels_of(thumbnails[[0, 1]])]
    with Searcher.open(paths, device="cpu") as searcher:
        both = evaluate(searcher, queries=LabelledImages(images, wanted, []))
        alone = evaluate(searcher, queries=LabelledImages(fresh, labels_of(fresh), []))
        only = evaluate(searcher, queries=LabelledImages(brighter, wanted[4:], []))
    assert (both.n_queries, both.n_duplicates, both.n_near_duplicates) == (6, 0, 2)
    assert both.without_near_duplicates is not None
    for name, figures in alone.methods.items():
        assert both.without_near_duplicates[name] == pytest.approx(figures), name
    assert alone.without_near_duplicates == alone.methods
    assert (only.n_near_duplicates, only.without_near_duplicates) == (2, None)


def test_json_of_an_evaluation(paths: IndexPaths) -> None:
    parsed = json.loads(json.dumps(evaluate(paths, max_queries=5).to_json()))
    assert list(parsed) == [
        "n_database",
        "n_labelled",
        "n_could_ask",
        "n_queries",
        "n_twins",
        "n_near_twins",
        "ap_formula",
        "methods",
        "without_near_twins",
        "curve",
    ]
    assert list(parsed["methods"]) == list(parsed["curve"]["share"]) == list(EVALUATED)
    assert [list(figures) for figures in parsed["methods"].values()] == [["title", *SCORE_NAMES]] * len(EVALUATED)
    assert {len(share) for share in parsed["curve"]["share"].values()} == {len(parsed["curve"]["n"])}
    assert "divided by the number of relevant images found" in parsed["ap_formula"]


def test_a_sample_of_queries_is_always_the_same(paths: IndexPaths) -> None:
    with Searcher.open(paths, device="cpu") as searcher:
        first, second = evaluate(searcher, max_queries=10), evaluate(searcher, max_queries=10)
        assert first == second
        assert (first.n_queries, first.n_possible_queries) == (10, len(DATABASE))
        assert first.methods != evaluate(searcher).methods
        assert evaluate(searcher, max_queries=10_000) == evaluate(searcher)


def test_a_query_that_is_in_the_database_is_not_used(paths: IndexPaths) -> None:
    images = np.concatenate([smooth_thumbnails(3), smooth_thumbnails(4, seed=77)])
    fresh = LabelledImages(images[3:], labels_of(images[3:]), [])
    with Searcher.open(paths, device="cpu") as searcher:
        mixed = evaluate(searcher, queries=LabelledImages(images, labels_of(images), []))
        assert (mixed.n_queries, mixed.n_duplicates) == (4, 3)
        assert mixed.methods == evaluate(searcher, queries=fresh).methods
        with raises_with_hint(EvaluationError, Hint.OTHER_QUERIES, match="each of the 3 queries is in the corpus"):
            evaluate(searcher, queries=LabelledImages(images[:3], labels_of(images[:3]), []))


def test_a_removed_duplicate_does_not_count(paths: IndexPaths) -> None:
    removed = smooth_thumbnails(N)[REMOVED : REMOVED + 1]
    evaluation = evaluate(paths, queries=LabelledImages(removed, labels_of(removed), []))
    assert (evaluation.n_queries, evaluation.n_duplicates) == (1, 0)


def test_queries_without_a_label_are_not_used(paths: IndexPaths) -> None:
    images = smooth_thumbnails(3, seed=77)
    labels = labels_of(images)
    with Searcher.open(paths, device="cpu") as searcher:
        some = evaluate(searcher, queries=LabelledImages(images, [labels[0], "", labels[2]], []))
        assert some == evaluate(searcher, queries=LabelledImages(images[[0, 2]], [labels[0], labels[2]], []))
        with pytest.raises(EvaluationError, match="no query image has a label: each must lie in a folder"):
            evaluate(searcher, queries=LabelledImages(images, [""] * 3, []))


def test_queries_with_labels_that_the_corpus_lacks(paths: IndexPaths) -> None:
    images = smooth_thumbnails(2, seed=77)
    with pytest.raises(
        EvaluationError, match="no indexed image has the label 'dog'; the labels there are 'ant', 'bee', 'cat'"
    ):
        evaluate(paths, queries=LabelledImages(images, ["ant", "dog"], []))


@pytest.mark.parametrize(("labels", "complaint"), [("", "no indexed image has a label"), ("ant", "'ant'")])
def test_a_corpus_whose_labels_allow_no_measurement(tmp_path: Path, labels: str, complaint: str) -> None:
    paths = make_index(tmp_path, smooth_thumbnails(4), [labels] * 4)
    with raises_with_hint(EvaluationError, Hint.INDEX_LABELLED_IMAGES, match=f"{complaint}.*at least two labels"):
        evaluate(paths)
    add_images(paths, smooth_thumbnails(1, seed=5), ["bee"])
    with pytest.raises(EvaluationError):  # it is not indexed yet
        evaluate(paths)
    reindex(paths, device="cpu")
    if labels:
        assert evaluate(paths).n_database == 5


@pytest.mark.parametrize("n", [2, 3, 5])
def test_tiny_corpora_are_measured_too(tmp_path: Path, n: int) -> None:
    thumbnails = smooth_thumbnails(n)
    thumbnails[0] = 128  # a plain image: no edges, no details
    evaluation = evaluate(make_index(tmp_path, thumbnails, [NAMES[row % 2] for row in range(n)]))
    assert evaluation.n_queries == n
    for name, figures in evaluation.methods.items():
        assert all(0 <= figure <= 1 for figure in figures.values()), name
        assert evaluation.curve.share[name][-1] == pytest.approx(evaluation.curve.share["pixel"][-1])


def test_equal_images_cannot_be_queries(tmp_path: Path) -> None:
    alike = np.full((4, 32, 32, 3), 99, np.uint8)
    with raises_with_hint(EvaluationError, Hint.OTHER_QUERIES, match="each of the 4 images has a duplicate"):
        evaluate(make_index(tmp_path, alike, ["ant", "bee", "ant", "bee"]))
