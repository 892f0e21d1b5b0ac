"""Search by words on the *Explore* page, beside search by picture.

Three ways to compare words in three columns, and in the fourth what the best of them finds as a picture. Knows the
words' searcher by what it answers; nothing of vocabularies and models of text.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from imgsearch.errors import CorpusError, ImgSearchError, IndexMismatchError, IndexMissingError, ModelError
from imgsearch.paths import IndexPaths
from imgsearch.retrieval.search.methods import CODE, METHODS
from imgsearch.web import cards

if TYPE_CHECKING:
    from imgsearch.retrieval.search.methods import SearchMethod
    from imgsearch.retrieval.search.result import Hit, SearchResult
    from imgsearch.retrieval.search.searcher import Searcher
    from imgsearch.retrieval.text.text_search import TextSearcher

N_HITS = 8  # in each column
SENTENCE = (
    "What was written with the images, searched in three ways: by a deep autoencoder's code of the words, by latent "
    "semantic analysis, and by the words themselves. Beside them, as a picture, what the first hit finds."
)
# The fourth column: a search by the code of the first hit's pixels.
BY_PICTURE = replace(
    METHODS[CODE],
    name="picture",
    title="picture",
    explanation="nearest to the first hit by the code of its pixels; words play no part",
)
STEPS = ("train --text", "reindex")


def draw_words(
    searcher: "Searcher", paths: IndexPaths, command: Callable[[str], str], search: Callable[[int], None]
) -> None:
    """The section: a field for words and the hits, or what must be typed before there are any."""
    st.html(cards.section("Search by words", SENTENCE))
    try:
        words = open_words(paths.root)
    except (ModelError, IndexMissingError, IndexMismatchError, CorpusError) as error:
        st.html(cards.notice(str(error)))
        st.code("\n".join(command(step) for step in STEPS), language=None)
        return
    _draw_search(searcher, words, search)


@st.cache_resource(show_spinner="Opening the words …", validate=lambda words: not words.is_stale())
def open_words(root: Path) -> "TextSearcher":
    """The searcher of words that all visitors share."""
    from imgsearch.retrieval.text.text_search import TextSearcher

    return TextSearcher.open(root)


@st.fragment
def _draw_search(searcher: "Searcher", words: "TextSearcher", search: Callable[[int], None]) -> None:
    with st.form("by_words", border=False), st.container(key="words_line"):
        text = st.text_input("Words", placeholder="red flower", key="words")
        st.form_submit_button("Search")
    if not text.strip():
        return
    try:
        result = words.search(text, k=N_HITS)
    except ImgSearchError as error:  # no word that is known; or the files changed under an open page
        st.html(cards.notice(str(error), refused=True))
        return
    if result.words is not None and result.words.unknown:
        st.html(cards.notice(f"Not among the words of these images: {', '.join(result.words.unknown)}."))
    row = _draw_columns(searcher, result)
    if row is not None:
        search(row)


def _draw_columns(searcher: "Searcher", result: "SearchResult") -> int | None:
    """Draw the columns and return the row whose button was pressed, if any."""
    lists = [(method, result.hits[method.name]) for method in result.methods]
    first = next((hits[0] for _, hits in lists if hits), None)
    if first is not None:
        lists.append((BY_PICTURE, searcher.search(first.row, k=N_HITS, by=CODE).hits[CODE]))
    pressed = None
    for column, (method, hits) in zip(st.columns(len(lists), gap="medium"), lists, strict=True):
        with column:
            st.html(cards.method(method.heading, method.explanation))
            row = _draw_hits(searcher, hits, method, result.compared_with(method))
            pressed = row if row is not None else pressed
    return pressed


def _draw_hits(
    searcher: "Searcher", hits: Sequence["Hit"], method: "SearchMethod", other: "SearchMethod | None"
) -> int | None:
    name, pressed = method.name, None
    with st.container(key=f"hits-words-{name}"):
        for hit in hits:
            with st.container(key=f"hit-words-{name}-{hit.row}"):
                st.html(cards.hit_card(hit, searcher.picture(hit.row), method=method, other=other))
                key = f"ask-words-{name}-{hit.row}"
                if st.button("Search with this", icon=":material/arrow_forward:", key=key, type="tertiary"):
                    pressed = hit.row
    return pressed
