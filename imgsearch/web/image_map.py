"""The image map on the *Explore* page: every image at its position by code, beside its position by pixels.

`retrieval.explore.image_map` computes the positions, `image_map.js` draws them in the browser. The browser receives
positions and one sheet of thumbnails, but no text of the corpus; what it sends back is checked to be a row.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from imgsearch.corpus.decoding.images import SIDE, encode_webp
from imgsearch.errors import EvaluationError, IndexDirectoryError, UnknownRowError
from imgsearch.html_report import data_uri
from imgsearch.retrieval.explore import image_map
from imgsearch.retrieval.explore.image_map import CODE_PCA, CODE_TSNE, PIXEL_PCA, PIXEL_TSNE, ImageMap, Layout
from imgsearch.retrieval.search.methods import CODE
from imgsearch.web import cards
from imgsearch.web.context import Page

if TYPE_CHECKING:
    from imgsearch.retrieval.search.searcher import Searcher

SCRIPT = Path(__file__).with_name("image_map.js")
SHEET_COLUMNS = 64
SHEET_QUALITY = 80
NEIGHBOURS = 10  # of the query, framed on the map
KINDS = {  # how the positions are computed, and the two maps of each
    "t-SNE: near ones stay near": (CODE_TSNE, PIXEL_TSNE),
    "PCA: the two main directions": (CODE_PCA, PIXEL_PCA),
}
TITLES = {
    CODE_TSNE: ("By code", "near: alike in the encoder's numbers"),
    PIXEL_TSNE: ("By pixels", "near: alike in the 32 main components of the pixels"),
    CODE_PCA: ("By code", "across and down: where the codes differ most"),
    PIXEL_PCA: ("By pixels", "across and down: where the pixels differ most"),
}
SIDES = {"Both": (0, 1), "By code": (0,), "By pixels": (1,)}
SENTENCE = (
    "Every image at its position by code and at its position by pixels. Point at an image to see it in both maps; "
    "click it to search with it. Drag to move the map; zoom with Ctrl and the wheel, or with the buttons."
)
NO_MAP = "There is no map of these images yet. Making it takes about half a minute. The same on the command line:"
OLD_MAP = (
    "The map on disk shows the codes of another model. Making a new one takes about half a minute. The same on the "
    "command line:"
)


def draw_map(page: Page, query_row: int | None) -> None:
    """Draw the section: the map, or a button that makes it; a click on an image searches with it."""
    st.html(cards.section("The map", SENTENCE))
    searcher = page.searcher
    try:
        made = image_map.load_map(page.paths)
    except IndexDirectoryError as error:
        st.html(cards.notice(str(error), refused=True))
        return
    if made is None or not made.fits(searcher.model):
        _draw_no_map(page, OLD_MAP if made else NO_MAP)
        return
    shown = made.of_rows(searcher.findable_rows())
    framed = _draw_layouts(page, shown, query_row) if len(shown.rows) else False
    words = f"Framed: row {query_row} and those of its nearest by code that are on the map. " if framed else ""
    st.html(cards.footnote(words + _how_made(made, shown, searcher)))


def _draw_no_map(page: Page, text: str) -> None:
    st.html(cards.notice(text, command=page.command("lab map")))
    if not st.button("Make the map", icon=":material/map:", key="make-map"):
        return
    bar = st.progress(0.0, "computing …")

    def show(done: float, total: float | None, text: str = "") -> None:
        bar.progress(done / total if total else 0.0, text)

    try:
        made = image_map.make_map(page.searcher, on_progress=show)
        image_map.save_map(page.paths, made)
    except (EvaluationError, IndexDirectoryError) as error:
        st.html(cards.notice(str(error), refused=True))
        return
    st.rerun()


def _draw_layouts(page: Page, shown: ImageMap, query_row: int | None) -> bool:
    """Draw the maps that are chosen and return whether any image is framed on them."""
    searcher = page.searcher
    with st.container(key="map-controls"):
        sides = st.segmented_control("Which map", list(SIDES), default="Both", key="map-sides", required=True)
        kind = st.segmented_control("How placed", list(KINDS), default=next(iter(KINDS)), key="map-kind", required=True)
    names = [KINDS[kind][side] for side in SIDES[sides]]
    place_of = {row: place for place, row in enumerate(shown.rows.tolist())}
    marked = [place_of[row] for row in _marked_rows(searcher, query_row) if row in place_of]
    key = f"{shown.made_at} {len(shown.rows)} {names} {marked}"
    data = {
        "key": key,
        "sheet": _sheet(searcher, shown.model, shown.made_at, shown.rows),
        "columns": SHEET_COLUMNS,
        "side": SIDE,
        "rows": shown.rows.tolist(),
        "marked": marked,
        "query": place_of.get(query_row, -1),
        "maps": [_drawn_layout(name, shown.layouts[name]) for name in names],
    }
    component = st.components.v2.component(
        "imgsearch_image_map",
        html='<div class="image-map"></div>',
        js=SCRIPT.read_text(encoding="utf-8"),
        isolate_styles=False,
    )
    clicked = component(key="map", data=data, on_row_change=lambda: None).get("row")
    if clicked is not None:
        row = known_row(clicked, searcher)
        if row is not None:
            page.search(row)
    return bool(marked)


def known_row(clicked: object, searcher: "Searcher") -> int | None:
    """Return the row that the browser sent; None where it is not a row that can be searched with."""
    if not isinstance(clicked, int) or isinstance(clicked, bool):
        return None
    try:
        return searcher.entry(clicked).row
    except UnknownRowError:
        return None


def _drawn_layout(name: str, positions: Layout) -> dict[str, Any]:
    title, note = TITLES[name]
    x, y = unit_square(positions).T.round(4).tolist()
    return {"name": name, "title": title, "note": note, "x": x, "y": y}


def unit_square(positions: Layout) -> NDArray[np.floating]:
    """Return the positions, (n, 2), scaled to 0..1, each axis by itself."""
    low, high = positions.min(axis=0), positions.max(axis=0)
    return np.asarray((positions - low) / np.maximum(high - low, np.finfo(np.float32).tiny))


def _marked_rows(searcher: "Searcher", query_row: int | None) -> list[int]:
    """Return the query and its nearest by code; nothing without a query, or where it was removed meanwhile."""
    if query_row is None:
        return []
    try:
        hits = searcher.search(query_row, k=NEIGHBOURS, by=CODE).hits[CODE]
    except UnknownRowError:
        return []
    return [query_row, *(hit.row for hit in hits)]


@st.cache_data(show_spinner=False, max_entries=4)
def _sheet(_searcher: "Searcher", model: str, made_at: str, rows: NDArray[np.int64]) -> str:
    """Return all thumbnails of the map as one image, a `data:` URI; cached for all visitors."""
    return data_uri(encode_webp(sheet_of(_searcher.thumbnails(rows)), quality=SHEET_QUALITY))


def sheet_of(thumbnails: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return thumbnails (n, 32, 32, 3) in lines of 64 as one image (32 * lines, 2048, 3); unused cells are black."""
    n_lines = -(-len(thumbnails) // SHEET_COLUMNS)
    cells = np.zeros((n_lines * SHEET_COLUMNS, SIDE, SIDE, 3), np.uint8)
    cells[: len(thumbnails)] = thumbnails
    lines = cells.reshape(n_lines, SHEET_COLUMNS, SIDE, SIDE, 3)
    return lines.swapaxes(1, 2).reshape(n_lines * SIDE, SHEET_COLUMNS * SIDE, 3)


def _how_made(made: ImageMap, shown: ImageMap, searcher: "Searcher") -> str:
    """Return how many of the images are on the map, and when it was made."""
    n, of = len(shown.rows), searcher.n_images
    which = f"All {n:,} images" if n == of else f"{n:,} of {of:,} images, drawn at random"
    since = searcher.rows - made.indexed
    more = f"; {since:,} more were indexed since" if since > 0 else ""
    return f"{which}{more}. Computed on {made.made_at[:16].replace('T', ' ')} UTC, with the current model."
