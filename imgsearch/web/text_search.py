"""Search by words on the *Explore* page: three ways to compare texts in three columns, and a fourth by pixels."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from imgsearch.errors import CorpusError, Hint, ImgSearchError, IndexMismatchError, IndexMissingError, ModelError
from imgsearch.retrieval.search.methods import CODE, METHODS
from imgsearch.web import cards
from imgsearch.web.advice import ADVICE, advice
from imgsearch.web.context import Page

if TYPE_CHECKING:
    from imgsearch.retrieval.search.methods import SearchMethod
    from imgsearch.retrieval.search.result import Hit, SearchResult
    from imgsearch.retrieval.search.searcher import Searcher
    from imgsearch.retrieval.text.text_search import TextSearcher

N_HITS = 8  # in each column
SENTENCE = (
    "The texts found with the images, searched in three ways: by a deep autoencoder's code of the words, by latent "
    "semantic analysis, and by the words themselves. The last column shows what the first hit finds as an image."
)
# The fourth column: a search by the code of the first hit's pixels.
BY_IMAGE = replace(
    METHODS[CODE],
    name="image",
    title="image",
    explanation="nearest to the first hit by the code of its pixels; words play no part",
)


def draw_text_search(page: Page) -> None:
    """Draw the section: a field for words and the hits, or the commands that index the words."""
    st.html(cards.section("Search by words", SENTENCE))
    try:
        words = open_words(page.paths.root)
    except (ModelError, IndexMissingError, IndexMismatchError, CorpusError) as error:
        st.html(cards.notice(str(error)))
        found = advice(error) or ADVICE[Hint.TRAIN_TEXT]
        st.code("\n".join(page.command(step) for step in found.commands), language=None)
        return
    _draw_search(page, words)


@st.cache_resource(show_spinner="Opening the index of words …", validate=lambda words: not words.is_stale())
def open_words(root: Path) -> "TextSearcher":
    """Return the text searcher that all visitors share."""
    from imgsearch.retrieval.text.text_search import TextSearcher

    return TextSearcher.open(root)


@st.fragment
def _draw_search(page: Page, words: "TextSearcher") -> None:
    with st.form("by_words", border=False), st.container(key="words_line"):
        text = st.text_input("Words", placeholder="red flower", key="words")
        st.form_submit_button("Search")
    if not text.strip():
        return
    try:
        result = words.search(text, k=N_HITS)
    except ImgSearchError as error:  # no known word, or the files changed while the page was open
        st.html(cards.notice(str(error), refused=True))
        return
    if result.words is not None and result.words.unknown:
        st.html(cards.notice(f"No text of these images contains: {', '.join(result.words.unknown)}."))
    row = _draw_columns(page.searcher, result)
    if row is not None:
        page.search(row)


def _draw_columns(searcher: "Searcher", result: "SearchResult") -> int | None:
    """Draw the columns and return the row whose button was pressed, if any."""
    lists = [(method, result.hits[method.name]) for method in result.methods]
    first = next((hits[0] for _, hits in lists if hits), None)
    if first is not None:
        lists.append((BY_IMAGE, searcher.search(first.row, k=N_HITS, by=CODE).hits[CODE]))
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
