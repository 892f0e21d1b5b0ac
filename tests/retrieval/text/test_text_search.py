"""Search by words: three methods side by side, and rows that are never found."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgsearch.corpus.decoding.images import decode_image
from imgsearch.corpus.store import Corpus
from imgsearch.errors import CorpusError, Hint, ModelError, QueryError
from imgsearch.paths import IndexPaths
from imgsearch.retrieval.search.contact_sheet import LEAST_WIDTH, ROW_HEIGHT, draw_text_contact_sheet
from imgsearch.retrieval.search.methods import CODE, LSA, TEXT_METHODS, TFIDF
from imgsearch.retrieval.search.result import QueryWords
from imgsearch.retrieval.text.text_search import TextSearcher
from tests.support.hints import raises_with_hint
from tests.support.text_index import PER_TOPIC, TOPICS, add_described, described, make_text_index

ALTS = [*(alt for alt, _ in described()), "", "nothing here is known"]
TOPIC_OF = [*(topic for _, topic in described()), "", ""]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> IndexPaths:
    return make_text_index(tmp_path_factory.mktemp("search") / "index", ALTS[:-1])


@pytest.fixture
def paths(made: IndexPaths, tmp_path: Path) -> IndexPaths:
    return IndexPaths(Path(shutil.copytree(made.root, tmp_path / "index")))


@pytest.fixture
def searcher(paths: IndexPaths) -> Iterator[TextSearcher]:
    with TextSearcher.open(paths, device="cpu") as opened:
        yield opened


@pytest.mark.parametrize("topic", TOPICS)
def test_codes_find_images_of_the_same_topic_without_a_shared_word(searcher: TextSearcher, topic: str) -> None:
    word = TOPICS[topic][0]
    result = searcher.search(word, k=PER_TOPIC)
    assert result.methods == tuple(TEXT_METHODS.values())
    assert list(result.hits) == list(TEXT_METHODS)
    assert set(result.seconds) == {"encode", *TEXT_METHODS}
    assert result.words == QueryWords((word,), ())
    of_topic = {m: np.mean([TOPIC_OF[hit.row] == topic for hit in result.hits[m]]) for m in (CODE, LSA)}
    assert of_topic[CODE] > 0.8, of_topic  # though in the texts of most of them the word does not stand
    assert of_topic[LSA] > 0.5, of_topic
    sharing = {hit.row for hit in result.hits[TFIDF]}
    assert sharing == {row for row, alt in enumerate(ALTS) if word in alt.split()}
    assert len(sharing) < PER_TOPIC / 2


def test_a_text_finds_itself(searcher: TextSearcher) -> None:
    for row in (0, 50, 110):
        result = searcher.search(ALTS[row], k=PER_TOPIC)
        for hits in result.hits.values():
            itself = next(hit for hit in hits if hit.row == row)
            assert itself.distance == pytest.approx(0, abs=0.01)
            assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
            distances = [hit.distance for hit in hits]
            assert distances == sorted(distances)


def test_hits_carry_their_rank_by_the_compared_method(searcher: TextSearcher) -> None:
    result = searcher.search("puppy leash", k=10)
    by_words = {hit.row: hit.rank for hit in result.hits[TFIDF]}
    for method in (CODE, LSA):
        assert [hit.other_rank for hit in result.hits[method]] == [by_words.get(hit.row) for hit in result.hits[method]]


def test_unknown_words_are_named(searcher: TextSearcher) -> None:
    result = searcher.search("a Puppy of zebras")
    assert result.words == QueryWords(("puppy",), ("zebras",))
    assert "zebras" in result.words.note
    assert result.hits[TFIDF] == searcher.search("puppy").hits[TFIDF]
    for nothing in ("zebra", "", "the of and 12 !"):
        with pytest.raises(QueryError, match="Common ones are"):
            searcher.search(nothing)
    for k in (0, 1001):
        with pytest.raises(QueryError, match="between 1 and"):
            searcher.search("puppy", k=k)


def test_removed_rows_vanish_at_once_and_come_back(paths: IndexPaths, searcher: TextSearcher) -> None:
    before = searcher.search("puppy", k=200)
    assert searcher.n_images == len(ALTS) - 2
    gone = before.hits[TFIDF][0].row
    with Corpus.open_for_writing(paths) as corpus:
        corpus.remove([gone])
    after = searcher.search("puppy", k=200)
    assert all(gone not in {hit.row for hit in hits} for hits in after.hits.values())
    assert searcher.n_images == len(ALTS) - 3
    with Corpus.open_for_writing(paths) as corpus:
        corpus.restore([gone])
    assert searcher.search("puppy", k=200).hits == before.hits


def test_rows_without_words_and_rows_that_are_not_indexed_are_never_found(
    paths: IndexPaths, searcher: TextSearcher
) -> None:
    add_described(paths, ["puppy puppy"])
    for hits in searcher.search("puppy", k=1000).hits.values():
        assert max(hit.row for hit in hits) < len(ALTS) - 2


def test_a_text_searcher_is_stale_after_a_new_index(paths: IndexPaths, searcher: TextSearcher) -> None:
    assert not searcher.is_stale()
    shutil.copy(paths.text.search / "words.safetensors", paths.text.search / "other")
    (paths.text.search / "other").replace(paths.text.search / "words.safetensors")
    assert searcher.is_stale()


def test_a_missing_part_is_an_error_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no corpus"):
        TextSearcher.open(tmp_path)
    add_described(IndexPaths(tmp_path), ["a red boat"])
    with raises_with_hint(ModelError, Hint.TRAIN_TEXT, match="no text model"):
        TextSearcher.open(tmp_path)


def test_the_sheet_has_a_row_for_each_method(searcher: TextSearcher, tmp_path: Path) -> None:
    result = searcher.search("puppy zebra", k=6)
    path = tmp_path / "hits.png"
    path.write_bytes(draw_text_contact_sheet(searcher, result))
    with Image.open(path) as sheet:
        assert sheet.height > len(TEXT_METHODS) * ROW_HEIGHT
        assert sheet.width > LEAST_WIDTH
        pixels = np.asarray(sheet)
    rows = np.array_split(pixels[-len(TEXT_METHODS) * ROW_HEIGHT :], len(TEXT_METHODS))
    assert all(row.std() > 10 for row in rows)
    assert decode_image(searcher.picture(0), with_preview=False).thumbnail.shape == (32, 32, 3)
