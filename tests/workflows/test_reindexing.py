"""Reindexing called as a library function, and what it leaves in the index directory."""

from pathlib import Path

import pytest

from imgsearch.autoencoder.card import read_card
from imgsearch.corpus.store import Corpus
from imgsearch.errors import CorpusError, Hint
from imgsearch.paths import IndexPaths
from imgsearch.retrieval.search.searcher import Searcher
from imgsearch.workflows.reindexing import ReindexResult, reindex
from tests.support.index import add_images, make_index, smooth_thumbnails

N = 20


def test_a_reindexed_directory_is_searchable_and_calibrated(tmp_path: Path) -> None:
    paths = IndexPaths(tmp_path)
    add_images(paths, smooth_thumbnails(N))
    result = reindex(tmp_path, device="cpu")
    with Searcher.open(paths, device="cpu") as searcher:
        assert result == ReindexResult(rows=N, model=searcher.card.digest, described=None)
        cutoffs = searcher.cutoffs()
        assert cutoffs is not None
        assert set(cutoffs.methods) == {"code", "pixel", "binary"}


def test_only_rows_without_a_code_are_encoded_unless_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = make_index(tmp_path, smooth_thumbnails(N))
    add_images(paths, smooth_thumbnails(3, seed=7))
    encoded: list[int] = []
    from imgsearch.autoencoder import encode

    original = encode.encode_images

    def spy(network: object, examples: object, *rest: object, **options: object) -> object:
        encoded.append(len(examples))  # type: ignore[arg-type]  # thumbnails here, as the real one gets them
        return original(network, examples, *rest, **options)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(encode, "encode_images", spy)
    assert reindex(paths, device="cpu").rows == N + 3
    assert encoded[0] == 3
    encoded.clear()
    reindex(paths, device="cpu", full=True)
    assert encoded[0] == N + 3


def test_progress_rises_from_the_first_step_to_the_end(tmp_path: Path) -> None:
    paths = IndexPaths(tmp_path)
    add_images(paths, smooth_thumbnails(N))
    shares, steps = [], []

    def show(done: float, total: float | None, text: str = "") -> None:
        assert total == 1
        shares.append(done)
        steps.append(text)

    reindex(paths, device="cpu", on_progress=show)
    assert shares == sorted(shares)
    assert 0 <= shares[0] < shares[-1] <= 1
    assert list(dict.fromkeys(steps)) == ["encoding", "indexing", "calibrating"]


def test_an_empty_corpus_is_refused_with_the_hint_to_add_images(tmp_path: Path) -> None:
    with Corpus.open_for_writing(IndexPaths(tmp_path)):
        pass
    with pytest.raises(CorpusError) as refused:
        reindex(tmp_path, device="cpu")
    assert refused.value.hint is Hint.ADD_IMAGES


def test_the_result_names_the_current_model(tmp_path: Path) -> None:
    paths = make_index(tmp_path, smooth_thumbnails(N))
    assert reindex(paths, device="cpu").model == read_card(paths.model).digest
