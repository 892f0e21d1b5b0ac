"""The *Explore* page: what the codes of this corpus know. The map, the decoder playground, search by words.

Puts the three parts together; each has a module of its own. Knows the session (the query is where exploring begins),
nothing of how anything is computed.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from imgsearch.paths import IndexPaths
from imgsearch.web.picture_map import draw_map
from imgsearch.web.playground import draw_playground
from imgsearch.web.query import RowQuery, leave_address, this_visit
from imgsearch.web.words import draw_words

if TYPE_CHECKING:
    from imgsearch.retrieval.search.searcher import Searcher


def draw_explore(
    searcher: "Searcher", paths: IndexPaths, command: Callable[[str], str], search: Callable[[int], None]
) -> None:
    """Draw the page over an open index.

    Args:
        command: makes words into a command line that works on this index directory.
        search: leaves for the search page, to ask there with a row.
    """
    leave_address()
    query = this_visit().query
    query_row = query.row if isinstance(query, RowQuery) else None
    with st.container(key="map-section"):
        draw_map(searcher, paths, command("lab map"), query_row, search)
    with st.container(key="playground"):
        draw_playground(searcher, query_row if query_row is not None else searcher.random_row())
    with st.container(key="words-section"):
        draw_words(searcher, paths, command, search)
