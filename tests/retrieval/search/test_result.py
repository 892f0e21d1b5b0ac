"""Results: hits joined with their entries, ranks by the compared method, and the JSON of both kinds of query."""

import json

from imgsearch.corpus.records import Entry
from imgsearch.retrieval.search.methods import CODE, METHODS, PIXEL, TEXT_METHODS, SearchMethod
from imgsearch.retrieval.search.result import Hit, QueryWords, SearchResult, join_hits, without_near_duplicates
from tests.support.entries import make_entry

BOTH = (METHODS[CODE], METHODS[PIXEL])


def neighbours(*rows: int) -> list[tuple[Entry, float]]:
    """Entries with growing distances."""
    return [(make_entry(row, alt=f"number {row}"), place / 8) for place, row in enumerate(rows)]


def result(
    methods: tuple[SearchMethod, ...], grades: dict[str, list[str]], words: QueryWords | None = None, **rows: list[int]
) -> SearchResult:
    hits = join_hits(methods, {name: neighbours(*found) for name, found in rows.items()}, grades)
    return SearchResult("query", 3, "model", methods, hits, {}, words)


def test_hits_have_their_rank_by_the_compared_method() -> None:
    found = result(BOTH, {CODE: ["same", "close", "weak"]}, code=[4, 7, 9], pixel=[9, 4])
    assert [(hit.rank, hit.row, hit.distance, hit.grade, hit.other_rank) for hit in found.hits[CODE]] == [
        (1, 4, 0.0, "same", 2),
        (2, 7, 0.125, "close", None),
        (3, 9, 0.25, "weak", 1),
    ]
    assert [(hit.row, hit.grade, hit.other_rank) for hit in found.hits[PIXEL]] == [(9, "", 3), (4, "", 1)]
    assert found.overlap == 2
    assert found.compared_with(METHODS[CODE]) is METHODS[PIXEL]


def test_a_method_alone_is_compared_with_none() -> None:
    found = result(BOTH[:1], {}, code=[4, 7])
    assert [hit.other_rank for hit in found.hits[CODE]] == [None, None]
    assert (found.overlap, found.compared_with(METHODS[CODE])) == (0, None)


def test_no_good_match_is_decided_by_the_first_method() -> None:
    assert result(BOTH, {CODE: ["weak"], PIXEL: ["same"]}, code=[1], pixel=[1]).no_good_match
    assert not result(BOTH, {CODE: ["close"], PIXEL: ["weak"]}, code=[1], pixel=[1]).no_good_match
    assert not result(BOTH, {}, code=[1], pixel=[1]).no_good_match  # not calibrated
    assert not result(BOTH, {}, code=[], pixel=[1]).no_good_match


def test_json_of_an_image_query_always_has_code_and_pixel() -> None:
    parsed = json.loads(json.dumps(result(BOTH[1:], {}, pixel=[2]).to_json()))
    assert list(parsed) == ["query", "k", "model", "code", "pixel", "overlap", "no_good_match"]
    assert parsed["code"] == []
    assert [hit["row"] for hit in parsed["pixel"]] == [2]


def test_json_of_a_query_in_words() -> None:
    words = QueryWords(("red",), ("blurp",))
    parsed = json.loads(
        json.dumps(result(tuple(TEXT_METHODS.values()), {}, words, code=[2], lsa=[], tfidf=[3]).to_json())
    )
    assert list(parsed) == ["query", "k", "model", "words", "unknown_words", "code", "lsa", "tfidf"]
    assert (parsed["words"], parsed["unknown_words"]) == (["red"], ["blurp"])
    assert "blurp" in words.note
    assert QueryWords(("red",), ()).note == ""


def test_only_the_nearest_of_near_duplicates_is_kept() -> None:
    copies = {5: 2, 6: 2, 7: 99}  # row 99 is not among the hits
    hits = [
        Hit(rank, 0.0, make_entry(row, near_duplicate_of=copies.get(row)))
        for rank, row in enumerate((5, 1, 2, 6, 7), start=1)
    ]
    assert [hit.row for hit in without_near_duplicates(hits)] == [5, 1, 7]
