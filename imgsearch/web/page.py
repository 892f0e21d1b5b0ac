"""The search page: one query, its nearest by code beside its nearest by raw pixels, and on demand by binary code.

Draws, asks the searcher, draws the answer; and the frame of both pages, this one and *Explore*. `streamlit run`
executes this file (or `app.py`, which calls it) anew for every touch of the page; what lasts is the searcher, shared by
all visitors, and `query.Visit`, one per browser tab.
"""

import shlex
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from imgsearch.corpus.decoding.images import encode_png
from imgsearch.errors import (
    CorpusError,
    ImgSearchError,
    IndexMismatchError,
    IndexMissingError,
    ModelError,
    UnknownRowError,
)
from imgsearch.paths import DEFAULT_INDEX, IndexPaths, index_paths
from imgsearch.retrieval.search.result import without_near_duplicates
from imgsearch.web import cards
from imgsearch.web.explore import draw_explore
from imgsearch.web.panel import draw_quality
from imgsearch.web.query import (
    MOST_UPLOADS,
    PARAMETER,
    ImageQuery,
    Query,
    Refusal,
    RowQuery,
    ask,
    ask_by_link,
    follow_address,
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
STEPS = (  # from an empty directory to an answer, and the failures that each is needed for
    ("add FOLDER", (CorpusError,)),
    ("train", (ModelError,)),
    ("reindex", (CorpusError, ModelError, IndexMissingError, IndexMismatchError)),
)
NO_GOOD_MATCH = "No good match: even the nearest image is far, as distances in this corpus go."
LEAST_HITS, USUAL_HITS, MOST_HITS = 4, 12, 50


def draw_page() -> None:
    """Draw the page that the address names, over the index directory that `IMGSEARCH_INDEX` names (else `index/`)."""
    st.set_page_config(page_title="imgsearch", page_icon=str(ICON), layout="wide")
    st.html(STYLE)
    pages = {
        "search": st.Page(partial(_draw_in_frame, _draw_search), title="Search", url_path="search", default=True),
        "explore": st.Page(partial(_draw_in_frame, _draw_explore), title="Explore", url_path="explore"),
    }
    shown = st.navigation(list(pages.values()), position="hidden")
    with st.container(key="masthead"):
        st.html(cards.heading())
        with st.container(key="pages"):
            for page in pages.values():
                st.page_link(page)
    st.session_state.search_page = pages["search"]
    shown.run()


def _draw_in_frame(draw: Callable[["Searcher", IndexPaths], None]) -> None:
    paths = index_paths()
    try:
        draw(open_searcher(paths.root), paths)
    except ImgSearchError as error:
        _draw_missing(error, paths)


@st.cache_resource(
    show_spinner="Opening the index …",
    validate=lambda searcher: not searcher.is_stale(),  # a train or reindex in another terminal is picked up
)
def open_searcher(root: Path) -> "Searcher":
    """The searcher that all visitors share."""
    from imgsearch.retrieval.search.searcher import Searcher  # takes seconds to import: the heading is drawn before

    return Searcher.open(root)


def _draw_explore(searcher: "Searcher", paths: IndexPaths) -> None:
    draw_explore(searcher, paths, lambda words: _command(words, paths), _search_with)
    _draw_colophon(searcher, paths)


def _search_with(row: int) -> None:
    """Leave for the search page, to ask there with `row`."""
    ask(RowQuery(row))
    st.switch_page(st.session_state.search_page, query_params={PARAMETER: str(row)})


def _draw_search(searcher: "Searcher", paths: IndexPaths) -> None:
    follow_address(searcher)
    shown, controls = st.columns([11, 9], gap="large")
    with controls:  # first: an upload here is the query there
        k, by, fold = _draw_controls(searcher)
    query = this_visit().query
    assert query is not None, "follow_address gives every visit a query"
    try:
        with shown:
            _draw_query(searcher, query)
        asked = query.row if isinstance(query, RowQuery) else query.thumbnail
        _draw_answer(searcher, searcher.search(asked, k=k, by=by), fold=fold)
    except UnknownRowError as error:  # removed since it was asked for
        st.html(cards.notice(str(error), refused=True))
    draw_quality(searcher, paths, _command("evaluate", paths))
    _draw_colophon(searcher, paths)


# ----------------------------------------------------------------------------------------------------------------------
# asking


def _draw_controls(searcher: "Searcher") -> tuple[int, str, bool]:
    """The ways to ask; how many hits are wanted, by which methods, and whether near-duplicates are folded."""
    files = st.file_uploader(
        "Ask with your own images", type=list(UPLOAD_TYPES), accept_multiple_files=True, key="files"
    )
    take_uploads(files)
    _draw_uploads(len(files))
    with st.form("by_link", border=False), st.container(key="link_line"):
        address = st.text_input("Or with the link of an image", placeholder="https://…", key="link")
        if st.form_submit_button("Fetch"):
            with st.spinner("Fetching …"):
                ask_by_link(address)
    with st.container(key="random_line"):
        st.button(
            "Random image",
            icon=":material/casino:",
            key="random",
            on_click=lambda: ask(RowQuery(searcher.random_row())),
        )
        k = st.slider("Hits by each method", LEAST_HITS, MOST_HITS, USUAL_HITS, key="k")
    with_binary = st.toggle("Also by binary code: 256 bits, 32 bytes an image", key="binary")
    fold = st.toggle("Fold near-duplicates: of copies of one picture, the nearest", key="fold")
    refusal = this_visit().refusal
    if refusal is not None:
        _draw_refusal(refusal)
    return k, "all" if with_binary else "both", fold


def _draw_refusal(refusal: Refusal) -> None:
    name = "" if refusal.name in refusal.reason else refusal.name  # said once
    st.html(cards.notice(refusal.reason, name=name, refused=True))


def _draw_uploads(n_files: int) -> None:
    """Each uploaded image as a small one to choose from; each refused file with its reason."""
    visit = this_visit()
    images = {key: upload for key, upload in visit.uploads.items() if isinstance(upload, ImageQuery)}
    if len(images) > 1:
        with st.container(key="uploads"):
            for key, image in images.items():
                with st.container(key=f"upload-{key}"):
                    st.html(cards.small(image.picture, image.name, chosen=image is visit.query))
                    st.button("Ask", key=f"ask-{key}", type="tertiary", on_click=ask, args=(image,))
    for upload in visit.uploads.values():
        if isinstance(upload, Refusal):
            _draw_refusal(upload)
    if n_files > MOST_UPLOADS:
        text = f"The first {MOST_UPLOADS} of {n_files} files were taken. To search among more, add them to the corpus:"
        st.html(cards.notice(text, command="imgsearch add FOLDER"))


def _draw_query(searcher: "Searcher", query: Query) -> None:
    """The query, and what is left of it for each method: 32x32 pixels, and what the decoder makes of the code."""
    if isinstance(query, RowQuery):
        entry = searcher.entry(query.row)
        picture = searcher.picture(query.row)
        label = cards.query_label(
            entry.alt or entry.label or f"Row {query.row}",
            f"row {query.row} · {cards.size(entry.width, entry.height)} · left out of its own answer",
            url=entry.url,
        )
    else:
        picture = query.picture
        label = cards.query_label(
            query.name, f"{query.format} · {cards.size(query.width, query.height)} · asked from outside"
        )
    thumbnail = query.thumbnail if isinstance(query, ImageQuery) else searcher.query_thumbnail(query.row)
    reconstruction = searcher.reconstruct(thumbnail)
    code_size = searcher.code_size
    plates = (
        cards.plate(picture, "The query", "as it was given"),
        cards.plate(
            encode_png(thumbnail),
            "Its pixels",
            f"{cards.size(32, 32)} in colour: {thumbnail.size:,} numbers",
            crisp=True,
        ),
        cards.plate(
            encode_png(reconstruction), "Its code", f"what {code_size} numbers keep, drawn by the decoder", crisp=True
        ),
    )
    st.html(f'<section class="query">{label}<div class="plates">{"".join(plates)}</div></section>')


# ----------------------------------------------------------------------------------------------------------------------
# the answer


def _draw_answer(searcher: "Searcher", result: "SearchResult", *, fold: bool) -> None:
    """One column of hits for each method that was asked."""
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
                st.html(cards.notice(f"Near-duplicates folded away: {len(hits) - len(shown)}"))
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
                    on_click=ask,
                    args=(RowQuery(hit.row),),
                )


def _draw_colophon(searcher: "Searcher", paths: IndexPaths) -> None:
    """What is being searched: how many images, by which model, and whether newer ones wait."""
    if searcher.rows_not_indexed:
        many = searcher.rows_not_indexed > 1
        text = f"{searcher.rows_not_indexed:,} newer image{'s' if many else ''} cannot be found yet. To take them in:"
        st.html(cards.notice(text, command=_command("reindex", paths)))
    st.html(cards.colophon(searcher.n_images, searcher.network_kind, searcher.model))


def _draw_missing(error: ImgSearchError, paths: IndexPaths) -> None:
    """Nothing to search in: the reason, and the commands that lead from there to this page."""
    st.html(cards.notice(str(error), refused=True))
    commands = [_command(step, paths) for step, mends in STEPS if isinstance(error, mends)]
    if commands:
        st.code("\n".join(commands), language=None)
    st.button("Look again", key="again")


def _command(words: str, paths: IndexPaths) -> str:
    """A command line that works on this index directory, ready to be pasted."""
    place = "" if paths.root == Path(DEFAULT_INDEX) else f" --index {shlex.quote(str(paths.root))}"
    return f"imgsearch {words}{place}"


if __name__ == "__main__":
    draw_page()
