"""The search page: one query, its nearest by code beside its nearest by raw pixels, and on demand by binary code.

Also draws the frame that this page and *Explore* share. `streamlit run` executes this file (or `app.py`, which calls
it) again for every interaction. Two things last longer: the searcher, which all visitors share, and `query.Visit`, one
per browser tab.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from imgsearch.corpus.decoding.images import encode_png
from imgsearch.errors import ImgSearchError, UnknownRowError
from imgsearch.paths import IndexPaths, index_paths
from imgsearch.retrieval.search.result import without_near_duplicates
from imgsearch.web import cards
from imgsearch.web.advice import advice
from imgsearch.web.context import Page, command
from imgsearch.web.explore import draw_explore
from imgsearch.web.quality_panel import draw_quality
from imgsearch.web.query import (
    MOST_UPLOADS,
    PARAMETER,
    ImageQuery,
    Query,
    Refusal,
    RowQuery,
    fetch_query,
    follow_address,
    set_query,
    take_uploads,
    this_visit,
)

if TYPE_CHECKING:
    from imgsearch.retrieval.search.methods import SearchMethod
    from imgsearch.retrieval.search.result import Hit, SearchResult
    from imgsearch.retrieval.search.searcher import Searcher

STYLE = Path(__file__).with_name("style.css")
ICON = Path(__file__).with_name("icon.svg")
UPLOAD_TYPES = ("jpg", "jpeg", "png", "gif", "webp", "bmp", "tif", "tiff", "avif")
NO_GOOD_MATCH = "No good match: even the nearest image is far away, compared with the distances in this corpus."
LEAST_HITS, USUAL_HITS, MOST_HITS = 4, 12, 50


def draw_page() -> None:
    """Draw the page at the current address, over the index directory `$IMGSEARCH_INDEX` (default: `index/`)."""
    st.set_page_config(page_title="imgsearch", page_icon=str(ICON), layout="wide")
    st.html(STYLE)
    pages = {
        "search": st.Page(partial(_draw_in_frame, draw_search), title="Search", url_path="search", default=True),
        "explore": st.Page(partial(_draw_in_frame, draw_explore), title="Explore", url_path="explore"),
    }
    shown = st.navigation(list(pages.values()), position="hidden")
    with st.container(key="masthead"):
        st.html(cards.heading())
        with st.container(key="pages"):
            for page in pages.values():
                st.page_link(page)
    st.session_state.search_page = pages["search"]
    shown.run()


def _draw_in_frame(draw: Callable[[Page], None]) -> None:
    paths = index_paths()
    try:
        page = Page(open_searcher(paths.root), paths, _search_with)
        draw(page)
        _draw_colophon(page)
    except ImgSearchError as error:
        _draw_missing(error, paths)


@st.cache_resource(
    show_spinner="Opening the index …",
    validate=lambda searcher: not searcher.is_stale(),  # notices a train or reindex in another process
)
def open_searcher(root: Path) -> "Searcher":
    """Return the searcher that all visitors share."""
    from imgsearch.retrieval.search.searcher import Searcher  # takes seconds to import: draw the heading first

    return Searcher.open(root)


def _search_with(row: int) -> None:
    """Switch to the search page, with `row` as the query."""
    set_query(RowQuery(row))
    st.switch_page(st.session_state.search_page, query_params={PARAMETER: str(row)})


def draw_search(page: Page) -> None:
    """Draw the search page: the controls, the query, the hits of each method and the Quality panel."""
    searcher = page.searcher
    follow_address(searcher)
    shown, controls = st.columns([11, 9], gap="large")
    with controls:  # drawn first: an upload here becomes the query there
        k, by, fold = _draw_controls(page)
    query = this_visit().query
    assert query is not None, "follow_address gives every visit a query"
    try:
        with shown:
            _draw_query(searcher, query)
        wanted = query.row if isinstance(query, RowQuery) else query.thumbnail
        _draw_answer(searcher, searcher.search(wanted, k=k, by=by), fold=fold)
    except UnknownRowError as error:  # removed since the query was made
        st.html(cards.notice(str(error), refused=True))
    draw_quality(page)


# ----------------------------------------------------------------------------------------------------------------------
# the query


def _draw_controls(page: Page) -> tuple[int, str, bool]:
    """Draw the ways to choose a query; return the number of hits, the methods, and whether to fold near-duplicates."""
    files = st.file_uploader(
        "Search with your own images", type=list(UPLOAD_TYPES), accept_multiple_files=True, key="files"
    )
    take_uploads(files)
    _draw_uploads(page, len(files))
    with st.form("by_link", border=False), st.container(key="link_line"):
        address = st.text_input("Or with the URL of an image", placeholder="https://…", key="link")
        if st.form_submit_button("Fetch"):
            with st.spinner("Fetching …"):
                fetch_query(address)
    with st.container(key="random_line"):
        st.button(
            "Random image",
            icon=":material/casino:",
            key="random",
            on_click=lambda: set_query(RowQuery(page.searcher.random_row())),
        )
        k = st.slider("Hits by each method", LEAST_HITS, MOST_HITS, USUAL_HITS, key="k")
    with_binary = st.toggle("Also search by binary code (256 bits per image)", key="binary")
    fold = st.toggle("Fold near-duplicates: show only the nearest of several copies", key="fold")
    refusal = this_visit().refusal
    if refusal is not None:
        _draw_refusal(refusal)
    return k, "all" if with_binary else "both", fold


def _draw_refusal(refusal: Refusal) -> None:
    name = "" if refusal.name in refusal.reason else refusal.name  # not twice
    st.html(cards.notice(refusal.reason, name=name, refused=True))


def _draw_uploads(page: Page, n_files: int) -> None:
    """Draw the uploaded images to choose from, and each refused file with its reason."""
    visit = this_visit()
    images = {key: upload for key, upload in visit.uploads.items() if isinstance(upload, ImageQuery)}
    if len(images) > 1:
        with st.container(key="uploads"):
            for key, image in images.items():
                with st.container(key=f"upload-{key}"):
                    st.html(cards.small(image.picture, image.name, chosen=image is visit.query))
                    st.button("Search", key=f"ask-{key}", type="tertiary", on_click=set_query, args=(image,))
    for upload in visit.uploads.values():
        if isinstance(upload, Refusal):
            _draw_refusal(upload)
    if n_files > MOST_UPLOADS:
        text = f"Only the first {MOST_UPLOADS} of {n_files} files were read. This command adds more to the corpus:"
        st.html(cards.notice(text, command=page.command("add FOLDER")))


def _draw_query(searcher: "Searcher", query: Query) -> None:
    """Draw the query, its 32x32 pixels, and what the decoder reconstructs from its code."""
    if isinstance(query, RowQuery):
        entry = searcher.entry(query.row)
        picture = searcher.picture(query.row)
        label = cards.query_label(
            entry.alt or entry.label or f"Row {query.row}",
            f"row {query.row} · {cards.size(entry.width, entry.height)} · left out of its own results",
            url=entry.url,
        )
    else:
        picture = query.picture
        label = cards.query_label(
            query.name, f"{query.format} · {cards.size(query.width, query.height)} · not in the corpus"
        )
    thumbnail = query.thumbnail if isinstance(query, ImageQuery) else searcher.query_thumbnail(query.row)
    reconstruction = searcher.reconstruct(thumbnail)
    code_size = searcher.code_size
    plates = (
        cards.plate(picture, "The query", "the original image"),
        cards.plate(
            encode_png(thumbnail),
            "Its pixels",
            f"{cards.size(32, 32)} in colour: {thumbnail.size:,} numbers",
            crisp=True,
        ),
        cards.plate(encode_png(reconstruction), "Its code", f"decoded again from its {code_size} numbers", crisp=True),
    )
    st.html(f'<section class="query">{label}<div class="plates">{"".join(plates)}</div></section>')


# ----------------------------------------------------------------------------------------------------------------------
# the results


def _draw_answer(searcher: "Searcher", result: "SearchResult", *, fold: bool) -> None:
    """Draw one column of hits for each method that was used."""
    st.html(cards.summary(result))
    if result.no_good_match:
        st.html(cards.notice(NO_GOOD_MATCH))
    metric = "cosine" if searcher.metric == "cosine" else "Euclidean"
    for column, method in zip(st.columns(len(result.methods), gap="large"), result.methods, strict=True):
        with column:
            explanation = method.explained(code_size=searcher.code_size, metric=metric)
            st.html(cards.method(method.heading, explanation))
            hits = result.hits[method.name]
            shown = without_near_duplicates(hits) if fold else hits
            if len(shown) < len(hits):
                st.html(cards.notice(f"Near-duplicates folded: {len(hits) - len(shown)}"))
            _draw_hits(searcher, shown, method, result.compared_with(method))


def _draw_hits(
    searcher: "Searcher", hits: Sequence["Hit"], method: "SearchMethod", other: "SearchMethod | None"
) -> None:
    with st.container(key=f"hits-{method.name}"):
        for hit in hits:
            with st.container(key=f"hit-{method.name}-{hit.row}"):
                st.html(cards.hit_card(hit, searcher.picture(hit.row), method=method, other=other))
                st.button(
                    "Search with this",
                    icon=":material/arrow_forward:",
                    key=f"ask-{method.name}-{hit.row}",
                    type="tertiary",
                    on_click=set_query,
                    args=(RowQuery(hit.row),),
                )


def _draw_colophon(page: Page) -> None:
    """Draw how many images are searched, by which model, and whether newer images are not indexed yet."""
    searcher = page.searcher
    if searcher.rows_not_indexed:
        many = searcher.rows_not_indexed > 1
        text = f"{searcher.rows_not_indexed:,} newer image{'s are' if many else ' is'} not indexed yet. To index them:"
        st.html(cards.notice(text, command=page.command("reindex")))
    st.html(cards.colophon(searcher.n_images, searcher.network_kind, searcher.model))


def _draw_missing(error: ImgSearchError, paths: IndexPaths) -> None:
    """Draw why nothing can be searched, and the commands that lead from there to this page."""
    st.html(cards.notice(str(error), refused=True))
    found = advice(error)
    if found is not None:
        st.html(cards.notice(found.sentence))
        if found.commands:
            st.code("\n".join(command(words, paths) for words in found.commands), language=None)
    st.button("Try again", key="again")


if __name__ == "__main__":
    draw_page()
