"""The grammar of srcset, and the choice of one candidate."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.parsing.srcset import Candidate, best_candidate, parse_srcset


@pytest.mark.parametrize(
    ("text", "candidates"),
    [
        ("", []),
        (" , ,", []),
        ("a.jpg", [Candidate("a.jpg")]),
        ("a.jpg 1x, b.jpg 2x", [Candidate("a.jpg", density=1), Candidate("b.jpg", density=2)]),
        ("a.jpg 1x,b.jpg 1.5x", [Candidate("a.jpg", density=1), Candidate("b.jpg", density=1.5)]),
        ("a.jpg 100w,\n\tb.jpg 200w", [Candidate("a.jpg", 100), Candidate("b.jpg", 200)]),
        ("a.jpg 100w 50h", [Candidate("a.jpg", 100)]),
        ("a,b.jpg 100w", [Candidate("a,b.jpg", 100)]),
        ("a.jpg, b.jpg", [Candidate("a.jpg"), Candidate("b.jpg")]),
        ("a.jpg,,, b.jpg 2x", [Candidate("a.jpg"), Candidate("b.jpg", density=2)]),
        (
            "data:image/gif;base64,R0lG 1x, b.jpg 2x",
            [Candidate("data:image/gif;base64,R0lG", 0, 1), Candidate("b.jpg", 0, 2)],
        ),
        ("a.jpg f(1, 2) 3x, b.jpg", [Candidate("b.jpg")]),
        ("a.jpg 1x 100w, b.jpg", [Candidate("b.jpg")]),
        ("a.jpg 0w, b.jpg -1x, c.jpg 1.5w, d.jpg nanx, e.jpg infx", []),
        ("a.jpg ( never closed, b.jpg 2x", []),
    ],
)
def test_candidates(text: str, candidates: list[Candidate]) -> None:
    assert parse_srcset(text) == candidates


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("s 100w, m 300w, l 1200w", "m"),
        ("l 1200w, m 256w, s 100w", "m"),
        ("s 100w, m 200w", "m"),
        ("a 1x, b 2x", "b"),
        ("a, b", "a"),
    ],
)
def test_the_smallest_that_suffices_else_the_largest_is_taken(text: str, url: str) -> None:
    best = best_candidate(parse_srcset(text))
    assert best is not None
    assert best.url == url


def test_nothing_to_choose_from() -> None:
    assert best_candidate([]) is None


@given(st.text(alphabet=st.one_of(st.sampled_from(" ,()wxh0123456789.\t\n"), st.characters()), max_size=60))
def test_any_text_can_be_parsed(text: str) -> None:
    for candidate in parse_srcset(text):
        assert candidate.url
        assert not set(candidate.url) & set(" \t\n\f\r")
        assert not candidate.url.startswith(",")


_PLAIN = st.text(alphabet="abc/.:;?=%", min_size=1, max_size=10)


@given(st.lists(st.tuples(_PLAIN, st.integers(1, 5000)), max_size=6))
def test_what_is_written_is_read_again(candidates: list[tuple[str, int]]) -> None:
    text = ", ".join(f"{url} {width}w" for url, width in candidates)
    assert parse_srcset(text) == [Candidate(url, width) for url, width in candidates]
