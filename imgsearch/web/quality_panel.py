"""The Quality panel under the hits: the figures of the last evaluation of this index, as `quality.json` holds them."""

from typing import TYPE_CHECKING

import streamlit as st

from imgsearch.errors import IndexDirectoryError
from imgsearch.retrieval.evaluation.report import Quality, read_quality
from imgsearch.web import cards, quality_view
from imgsearch.web.context import Page

if TYPE_CHECKING:
    from imgsearch.retrieval.search.searcher import Searcher

NOTHING_MEASURED = "The quality of these results has not been measured yet. To measure it, with or without labels:"
ANOTHER_MODEL = "The figures on disk belong to another model. To measure the current one:"
CURVE_ALT = "Share of images with the query's label among the N nearest, over N, by method"
NO_FIGURES = "The last measurement contains no quality_view. To measure again:"


def draw_quality(page: Page) -> None:
    """Draw the panel, folded."""
    with st.expander("Quality of these results", icon=":material/monitoring:"), st.container(key="quality"):
        try:
            quality = read_quality(page.paths)
        except IndexDirectoryError as error:
            st.html(cards.notice(str(error), refused=True))
            return
        command = page.command("evaluate")
        if quality is None or quality.model != page.searcher.model:
            st.html(cards.notice(ANOTHER_MODEL if quality else NOTHING_MEASURED, command=command))
            return
        _draw_figures(quality, page.searcher, command)


def _draw_figures(quality: Quality, searcher: "Searcher", command: str) -> None:
    rows = searcher.rows
    if not quality.fits(searcher.model, rows):
        text = f"Measured when {quality.rows:,} images were indexed; now there are {rows:,}. To measure again:"
        st.html(cards.notice(text, command=command))
    cutoff = quality_view.cutoff_sentence(quality.cutoff or {})
    if not quality.labelled and not quality.distorted and not cutoff:
        st.html(cards.notice(NO_FIGURES, command=command))
    if quality.distorted:
        st.html(cards.section("Distorted copies", quality_view.distorted_sentence(quality.distorted)))
        st.html(quality_view.distorted_table(quality.distorted))
        st.html(cards.footnote(quality_view.distorted_footnote(quality.distorted)))
    if quality.labelled:
        st.html(cards.section("Images with the same label", quality_view.labelled_sentence(quality.labelled)))
        table, chart = st.columns([9, 11], gap="large")
        table.html(quality_view.labelled_table(quality.labelled))
        chart.vega_lite_chart(quality_view.curve(quality.labelled), key="curve", alt=CURVE_ALT)
        st.html(cards.footnote(quality_view.labelled_footnote(quality.labelled)))
    if cutoff:
        st.html(cards.section("Queries without a match", cutoff))
    made_at = quality.made_at[:16].replace("T", " ")  # to the minute
    st.html(cards.footnote(f"Measured on {made_at} UTC, with the current model."))
