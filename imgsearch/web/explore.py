"""The *Explore* page: the image map, the decoder playground and search by words, each drawn by its own module."""

import streamlit as st

from imgsearch.web.context import Page
from imgsearch.web.image_map import draw_map
from imgsearch.web.playground import draw_playground
from imgsearch.web.query import RowQuery, leave_address, this_visit
from imgsearch.web.text_search import draw_text_search


def draw_explore(page: Page) -> None:
    """Draw the page, starting from the row that the visitor last searched with."""
    leave_address()
    query = this_visit().query
    query_row = query.row if isinstance(query, RowQuery) else None
    with st.container(key="map-section"):
        draw_map(page, query_row)
    with st.container(key="playground"):
        draw_playground(page.searcher, query_row if query_row is not None else page.searcher.random_row())
    with st.container(key="words-section"):
        draw_text_search(page)
