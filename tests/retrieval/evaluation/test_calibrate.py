"""Thresholds of synthetic corpora with known copies, related images and unrelated ones."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from imgsearch.corpus.store import Corpus
from imgsearch.retrieval.evaluation import calibrate as calibrate_module
from imgsearch.retrieval.evaluation.calibrate import calibrate, calibrate_index, mild_copies
from imgsearch.retrieval.index.ranking import Database
from imgsearch.retrieval.search.methods import METHODS
from imgsearch.retrieval.search.searcher import Searcher
from imgsearch.retrieval.search.thresholds import Cutoff
from tests.support.index import make_index, smooth_thumbnails

D = 64
Floats = NDArray[np.float32]


def unrelated(n: int, seed: int = 0) -> Floats:
    """(n, d) directions with nothing in common."""
    return np.random.default_rng(seed).standard_normal((n, D)).astype(np.float32)


def families(n: int, n_families: int, seed: int = 0, spread: float = 0.5) -> Floats:
    """(n, d) members of families, one after the other; distance among them about 0.2, between families about 1."""
    rng = np.random.default_rng(seed)
    heads = rng.standard_normal((n_families, D))
    members = heads[np.arange(n) % n_families] + spread * rng.standard_normal((n, D))
    return members.astype(np.float32)


def copies_of(vectors: Floats, n: int, noise: float = 0.1) -> tuple[Floats, NDArray[np.int64]]:
    """(n, d) a slightly changed copy each of some of them; and which."""
    rng = np.random.default_rng(9)
    places = rng.integers(0, len(vectors), n)
    return vectors[places] + noise * rng.standard_normal((n, D)).astype(np.float32), places


def calibrated(vectors: Floats, **options: Any) -> Cutoff:
    return calibrate(vectors, "cosine", *copies_of(vectors, 300), **options)


def nearest(queries: Floats, vectors: Floats, *, besides: int = 0) -> NDArray[np.float64]:
    """(nq,) distance of the nearest, or of the one after so many."""
    found: NDArray[np.float64] = np.sort(Database.of(vectors, "cosine").hit_distances(queries), axis=1)[:, besides]
    return found


def test_copies_are_the_same_related_images_close_and_unrelated_ones_weak() -> None:
    corpus = families(2000, 40)
    cutoff = calibrated(corpus)
    copies, _ = copies_of(corpus, 500)
    assert np.mean(nearest(copies, corpus) <= cutoff.same) == pytest.approx(0.9, abs=0.05)
    related = nearest(corpus, corpus, besides=1)
    assert np.mean(related <= cutoff.same) <= 0.02
    assert np.mean(related <= cutoff.close) == pytest.approx(0.7, abs=0.05)
    assert np.mean(nearest(unrelated(500, seed=1), corpus) <= cutoff.close) <= 0.01


@pytest.mark.parametrize("n", [100, 1000, 4000])
def test_where_no_two_images_have_anything_in_common_next_to_no_hit_is_close(n: int) -> None:
    """The bound by chance: by the other bound 70 % of them would be."""
    corpus = unrelated(n)
    cutoff = calibrated(corpus)
    assert np.mean(nearest(corpus, corpus, besides=1) <= cutoff.close) <= 0.12
    assert np.mean(nearest(unrelated(500, seed=1), corpus) <= cutoff.close) <= 0.12


def test_the_larger_a_corpus_the_nearer_chance_comes() -> None:
    corpus = unrelated(500)
    closes = [calibrated(corpus, n_images=n_images).close for n_images in (500, 5_000, 500_000)]
    assert closes == sorted(closes, reverse=True)
    assert len(set(closes)) == 3


@pytest.mark.parametrize("times", [2, 5])
@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_duplicates_do_not_pull_the_cutoff_in(times: int, noise: float) -> None:
    once = families(600, 20)
    repeated = np.concatenate([once + noise * unrelated(len(once), seed) for seed in range(times)])
    expected, cutoff = calibrated(once), calibrated(repeated)
    assert cutoff.same == pytest.approx(expected.same, rel=0.3)
    assert cutoff.close == pytest.approx(expected.close, rel=0.15)


def test_at_most_one_in_a_hundred_others_is_the_same_even_where_copies_lie_far() -> None:
    corpus = families(1000, 20)
    vague, places = copies_of(corpus, 400, noise=0.6)  # as far from their pictures as related are from each other
    vague[:250], places[:250] = corpus[:250], np.arange(250)
    cutoff = calibrate(corpus, "cosine", vague, places)
    assert np.mean(nearest(corpus, corpus, besides=1) <= cutoff.same) <= 0.015
    assert cutoff.same < np.quantile(nearest(vague, corpus), 0.9)


@pytest.mark.parametrize("n", [0, 1, 2, 9, 10, 11])
@pytest.mark.parametrize("seed", range(5))
def test_tiny_corpora(n: int, seed: int) -> None:
    """Nothing but a copy is the same; of fewer than ten nothing but a copy is close."""
    corpus = unrelated(n, seed)
    copies, places = copies_of(corpus, 40, noise=0.05) if n else (corpus, np.empty(0, np.int64))
    cutoff = calibrate(corpus, "cosine", copies, places)
    assert 0 <= cutoff.same <= cutoff.close < 1
    if n:
        assert np.mean(nearest(copies, corpus) <= cutoff.same) >= 0.85
        assert cutoff.close == cutoff.same or n >= 10
    if n > 1:
        assert (nearest(corpus, corpus, besides=1) > cutoff.same).all()


@pytest.mark.parametrize("n", [2, 10, 500])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_corpus_of_one_image_many_times(n: int, value: float) -> None:
    corpus = np.full((n, D), value, np.float32)
    copies, places = copies_of(corpus, 100)
    assert calibrate(corpus, "cosine", copies, places).same > 0
    of_nothing = calibrate(corpus, "cosine", corpus[:1], np.zeros(1, np.int64))  # an encoder that sees no difference
    assert (of_nothing.same, of_nothing.close) == (0, 0)


def test_nearly_all_one_image() -> None:
    corpus = np.concatenate([np.ones((3000, D), np.float32), unrelated(2)])
    cutoff = calibrated(corpus)
    assert 0 < cutoff.same <= cutoff.close < nearest(unrelated(1, seed=3), corpus)[0]


def test_each_metric_in_the_unit_of_its_hits() -> None:
    thumbnails = smooth_thumbnails(300)
    copies, places = mild_copies(thumbnails[:30], np.arange(30))
    pixels, changed = thumbnails.reshape(300, -1), copies.reshape(len(copies), -1)
    by_bytes = calibrate(pixels, "l2", changed, places)
    by_floats = calibrate(pixels.astype(np.float32) / 255, "l2", changed.astype(np.float32) / 255, places)
    assert by_bytes.same == pytest.approx(by_floats.same, rel=1e-3)
    assert by_bytes.close == pytest.approx(by_floats.close, rel=1e-3)
    assert 0 < by_bytes.same <= by_bytes.close < 3072**0.5
    bits = np.packbits(families(300, 10) > 0, axis=1)
    flipped = bits[:100].copy()
    flipped[:, 0] ^= 1
    by_bits = calibrate(bits, "hamming", flipped, np.arange(100))
    assert by_bits.same == pytest.approx(1)
    assert 1 < by_bits.close < D / 2


def test_a_large_corpus_is_compared_in_blocks_and_with_fewer_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = families(900, 20)
    whole = calibrated(corpus)
    monkeypatch.setattr(calibrate_module, "ROW_BLOCK", 128)
    monkeypatch.setattr(calibrate_module, "QUERY_BLOCK", 50)
    blocked = calibrated(corpus)
    assert (blocked.same, blocked.close) == pytest.approx((whole.same, whole.close), rel=1e-3)
    monkeypatch.setattr(calibrate_module, "COMPARISONS", 1)
    assert calibrated(corpus).close == pytest.approx(whole.close, rel=0.1)


def test_of_an_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    thumbnails = smooth_thumbnails(60)
    paths = make_index(tmp_path, thumbnails)
    with Corpus.open_for_writing(paths) as corpus:
        corpus.remove([3])
    with Searcher.open(paths, device="cpu") as searcher:
        cutoffs = calibrate_index(searcher)
        assert cutoffs == calibrate_index(searcher)
        assert (cutoffs.model, cutoffs.rows) == (searcher.model, 60)
        assert tuple(cutoffs.methods) == tuple(METHODS)
        for row in (0, 7, 59):
            jpeg = searcher.search(np.asarray(mild_copies(thumbnails[row][None], np.array([row]))[0][5]), k=1, by="all")
            for name in METHODS:  # the unit is the one in which hits report
                (hit,) = jpeg.hits[name]
                assert (hit.row, hit.distance <= cutoffs.methods[name].same) == (row, True), name
        seen: list[tuple[int, int | None]] = []

        def watched(vectors: NDArray[Any], *given: Any, n_images: int, seed: int) -> Cutoff:
            seen.append((len(vectors), n_images))
            return calibrate(vectors, *given, n_images=n_images, seed=seed)

        monkeypatch.setattr(calibrate_module, "MOST_ROWS", 20)
        monkeypatch.setattr(calibrate_module, "calibrate", watched)
        assert calibrate_index(searcher) != cutoffs
        assert seen == [(20, 59)] * 3


def test_where_no_image_can_be_found(tmp_path: Path) -> None:
    paths = make_index(tmp_path, smooth_thumbnails(1))
    with Corpus.open_for_writing(paths) as corpus:
        corpus.remove([0])
    with Searcher.open(paths, device="cpu") as searcher:
        assert calibrate_index(searcher).methods == {}


def test_related_images_do_not_widen_the_chance_distance() -> None:
    """They are a third of all pairs; counted as unrelated, they would make every hit a chance hit."""
    corpus = families(1500, 3)
    related = nearest(corpus, corpus, besides=1)
    assert np.mean(related <= calibrated(corpus).close) == pytest.approx(0.7, abs=0.05)


def test_unusual_images_do_not_widen_the_chance_distance() -> None:
    """One image in five is ten times as far from all others as these are from each other."""
    plain = unrelated(1500)
    odd = plain.copy()
    odd[::5] *= 10
    expected, cutoff = (
        calibrate(vectors, "l2", vectors[1:5] + np.float32(0.1), np.arange(1, 5)) for vectors in (plain, odd)
    )
    assert cutoff.close == pytest.approx(expected.close, rel=0.15)


def test_one_image_repeated_many_times_does_not_widen_the_chance_distance() -> None:
    plain = unrelated(1000)
    repeated = np.concatenate([plain, np.repeat(plain[:1], 1000, axis=0)])
    assert calibrated(repeated).close == pytest.approx(calibrated(plain, n_images=2000).close, rel=0.1)


def test_an_image_is_not_its_own_nearest_other() -> None:
    """Although rounding may leave it a little away from itself."""
    corpus = unrelated(300)
    vague = np.concatenate([corpus[:200], unrelated(100, seed=1)])  # a third of the copies are far from their originals
    assert calibrate(corpus, "l2", vague, np.arange(300)).same > 1
