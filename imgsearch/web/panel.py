"""The Quality panel under the answer: what `imgsearch evaluate` last found out about the index that is searched.

Draws; measures nothing. The figures come from `quality.json`, their words and tables from `figures`.
"""

from typing import TYPE_CHECKING

import streamlit as st

from imgsearch.errors import IndexDirectoryError
from imgsearch.paths import IndexPaths
from imgsearch.retrieval.evaluation.quality import Quality, read_quality
from imgsearch.web import cards, figures

if TYPE_CHECKING:
    from imgsearch.retrieval.search.searcher import Searcher

NOTHING_MEASURED = "How good these answers are has not been measured yet. To measure it, without labels or with:"
ANOTHER_MODEL = "The figures that are there are of another model. To measure this one:"
CURVE_ALT = "The share of the nearest images that have the query's label, over how many are looked at, by method"
NOTHING_SHOWN = "The last measurement holds no figures. To measure again:"


def draw_quality(searcher: "Searcher", paths: IndexPaths, command: str) -> None:
    """The panel, folded; `command` is what measures this index directory."""
    with st.expander("Quality: how good these answers are", icon=":material/monitoring:"), st.container(key="quality"):
        try:
            quality = read_quality(paths)
        except IndexDirectoryError as error:
            st.html(cards.notice(str(error), refused=True))
            return
        if quality is None or quality.model != searcher.model:
            st.html(cards.notice(ANOTHER_MODEL if quality else NOTHING_MEASURED, command=command))
            return
        _draw_figures(quality, searcher, command)


def _draw_figures(quality: Quality, searcher: "Searcher", command: str) -> None:
    rows = searcher.rows
    if not quality.fits(searcher.model, rows):
        text = f"Measured when {quality.rows:,} images were indexed; now there are {rows:,}. To measure again:"
        st.html(cards.notice(text, command=command))
    told_apart = figures.cutoff_sentence(quality.cutoff or {})
    if not quality.labelled and not quality.distorted and not told_apart:
        st.html(cards.notice(NOTHING_SHOWN, command=command))
    if quality.distorted:
        st.html(cards.section("Found again", figures.distorted_sentence(quality.distorted)))
        st.html(figures.distorted_table(quality.distorted))
        st.html(cards.footnote(figures.distorted_footnote(quality.distorted)))
    if quality.labelled:
        st.html(cards.section("The same kind of thing", figures.labelled_sentence(quality.labelled)))
        table, chart = st.columns([9, 11], gap="large")
        table.html(figures.labelled_table(quality.labelled))
        chart.vega_lite_chart(figures.curve(quality.labelled), key="curve", alt=CURVE_ALT)
        st.html(cards.footnote(figures.labelled_footnote(quality.labelled)))
    if told_apart:
        st.html(cards.section("Nothing like it", told_apart))
    made_at = quality.made_at[:16].replace("T", " ")  # to the minute
    st.html(cards.footnote(f"Measured on {made_at} UTC, with the model that answers here."))
