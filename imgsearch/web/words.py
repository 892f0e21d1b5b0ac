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
from imgsearch.web import cards

if TYPE_CHECKING:
    from imgsearch.retrieval.search.result import Hit
    from imgsearch.retrieval.search.searcher import Searcher
    from imgsearch.retrieval.text.text_result import TextResult
    from imgsearch.retrieval.text.text_search import TextSearcher

N_HITS = 8  # in each column
SENTENCE = (
    "What was written with the images, searched in three ways: by a deep autoencoder's code of the words, by latent "
    "semantic analysis, and by the words themselves. Beside them, as a picture, what the first hit finds."
)
HEADS = {
    "code": ("By code of the words", "what the words mean to the text autoencoder"),
    "lsa": ("By LSA", "what they mean to a linear code"),
    "tfidf": ("By TF-IDF", "the words themselves, rare ones counting most"),
}
BY_PICTURE = ("By picture", "nearest to the first hit by the code of its pixels; words play no part")
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
    if result.unknown_words:
        st.html(cards.notice(f"Not among the words of these images: {', '.join(result.unknown_words)}."))
    row = _draw_columns(searcher, result)
    if row is not None:
        search(row)


def _draw_columns(searcher: "Searcher", result: "TextResult") -> int | None:
    """The columns; the row whose button was pressed, if any."""
    lists = {name: (HEADS.get(name, (name, "")), hits) for name, hits in result.methods.items()}
    first = next((hits[0] for hits in result.methods.values() if hits), None)
    if first is not None:
        found = searcher.search(first.row, k=N_HITS, by="code").code
        lists["picture"] = (BY_PICTURE, tuple(replace(hit, other_rank=None) for hit in found))
    pressed = None
    for column, (name, (head, hits)) in zip(st.columns(len(lists), gap="medium"), lists.items(), strict=True):
        with column:
            st.html(cards.method(*head))
            row = _draw_hits(searcher, hits, name)
            pressed = row if row is not None else pressed
    return pressed


def _draw_hits(searcher: "Searcher", hits: Sequence["Hit"], name: str) -> int | None:
    pressed = None
    with st.container(key=f"hits-words-{name}"):
        for hit in hits:
            with st.container(key=f"hit-words-{name}-{hit.row}"):
                st.html(cards.hit_card(hit, searcher.picture(hit.row), method=f"words-{name}"))
                key = f"ask-words-{name}-{hit.row}"
                if st.button("Search with this", icon=":material/arrow_forward:", key=key, type="tertiary"):
                    pressed = hit.row
    return pressed
