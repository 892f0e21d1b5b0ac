"""The picture map on the *Explore* page: every image at its place by code, beside the same by pixels.

Draws what `retrieval.plane` placed, by `picture_map.js` in the browser, and makes a map on demand. The browser gets
places and one sheet of thumbnails; no text of the corpus goes there, and what comes back is checked to be a row.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from imgsearch.corpus.decoding.images import SIDE, encode_webp
from imgsearch.errors import EvaluationError, IndexDirectoryError, UnknownRowError
from imgsearch.html_report import data_uri
from imgsearch.paths import IndexPaths
from imgsearch.retrieval.explore import image_map as plane
from imgsearch.retrieval.explore.image_map import CODE_PCA, CODE_TSNE, PIXEL_PCA, PIXEL_TSNE, PictureMap
from imgsearch.retrieval.search.methods import CODE
from imgsearch.web import cards

if TYPE_CHECKING:
    from imgsearch.retrieval.search.searcher import Searcher

SCRIPT = Path(__file__).with_name("picture_map.js")
SHEET_COLUMNS = 64
SHEET_QUALITY = 80
NEIGHBOURS = 10  # of the query, framed on the map
KINDS = {  # how the places are computed, and the two maps of each
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
    "Every image at its place: by its code, and by its pixels. Point at one to see it in both maps; a click searches "
    "with it. Drag to move, zoom with Ctrl and the wheel or the buttons."
)
NO_MAP = "There is no map of these images yet. It takes about half a minute; or type:"
OLD_MAP = "The map that is there was made of another model's codes. To make it anew, about half a minute; or type:"


def draw_map(
    searcher: "Searcher", paths: IndexPaths, command: str, query_row: int | None, search: Callable[[int], None]
) -> None:
    """The section: the map, or how to get one; `search` is called with the row that was clicked."""
    st.html(cards.section("The map", SENTENCE))
    try:
        made = plane.load_map(paths)
    except IndexDirectoryError as error:
        st.html(cards.notice(str(error), refused=True))
        return
    if made is None or not made.fits(searcher.model):
        _draw_no_map(searcher, paths, command, OLD_MAP if made else NO_MAP)
        return
    shown = made.of_rows(searcher.findable_rows())
    framed = _draw_planes(searcher, shown, query_row, search) if len(shown.rows) else False
    words = f"Framed: row {query_row} and its nearest by code, as far as they are on the map. " if framed else ""
    st.html(cards.footnote(words + _how_made(made, shown, searcher)))


def _draw_no_map(searcher: "Searcher", paths: IndexPaths, command: str, text: str) -> None:
    st.html(cards.notice(text, command=command))
    if not st.button("Make the map", icon=":material/map:", key="make-map"):
        return
    bar = st.progress(0.0, "placing …")

    def show(done: float, total: float | None, text: str = "") -> None:
        bar.progress(done / total if total else 0.0, text)

    try:
        made = plane.make_map(searcher, on_progress=show)
        plane.save_map(paths, made)
    except (EvaluationError, IndexDirectoryError) as error:
        st.html(cards.notice(str(error), refused=True))
        return
    st.rerun()


def _draw_planes(searcher: "Searcher", shown: PictureMap, query_row: int | None, search: Callable[[int], None]) -> bool:
    """The maps; whether any image is framed on them."""
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
        "maps": [_drawn_plane(name, shown.planes[name]) for name in names],
    }
    component = st.components.v2.component(
        "imgsearch_picture_map",
        html='<div class="picture-map"></div>',
        js=SCRIPT.read_text(encoding="utf-8"),
        isolate_styles=False,
    )
    clicked = component(key="map", data=data, on_row_change=lambda: None).get("row")
    if clicked is not None:
        row = known_row(clicked, searcher)
        if row is not None:
            search(row)
    return bool(marked)


def known_row(clicked: object, searcher: "Searcher") -> int | None:
    """What the browser sent, where it is the row of an image that can be asked for."""
    if not isinstance(clicked, int) or isinstance(clicked, bool):
        return None
    try:
        return searcher.entry(clicked).row
    except UnknownRowError:
        return None


def _drawn_plane(name: str, places: plane.Plane) -> dict[str, Any]:
    title, note = TITLES[name]
    x, y = unit_square(places).T.round(4).tolist()
    return {"name": name, "title": title, "note": note, "x": x, "y": y}


def unit_square(places: plane.Plane) -> NDArray[np.floating]:
    """(n, 2) the places moved and stretched into 0..1, each axis by itself."""
    low, high = places.min(axis=0), places.max(axis=0)
    return np.asarray((places - low) / np.maximum(high - low, np.finfo(np.float32).tiny))


def _marked_rows(searcher: "Searcher", query_row: int | None) -> list[int]:
    """The query and its nearest by code; nothing where no row is asked with, or one that was removed since."""
    if query_row is None:
        return []
    try:
        hits = searcher.search(query_row, k=NEIGHBOURS, by=CODE).hits[CODE]
    except UnknownRowError:
        return []
    return [query_row, *(hit.row for hit in hits)]


@st.cache_data(show_spinner=False, max_entries=4)
def _sheet(_searcher: "Searcher", model: str, made_at: str, rows: NDArray[np.int64]) -> str:
    """All thumbnails of the map as one picture, a `data:` address; the same for all visitors."""
    return data_uri(encode_webp(sheet_of(_searcher.thumbnails(rows)), quality=SHEET_QUALITY))


def sheet_of(thumbnails: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(32 * lines, 2048, 3) the thumbnails (n, 32, 32, 3) line by line, 64 in each, what is left over black."""
    n_lines = -(-len(thumbnails) // SHEET_COLUMNS)
    cells = np.zeros((n_lines * SHEET_COLUMNS, SIDE, SIDE, 3), np.uint8)
    cells[: len(thumbnails)] = thumbnails
    lines = cells.reshape(n_lines, SHEET_COLUMNS, SIDE, SIDE, 3)
    return lines.swapaxes(1, 2).reshape(n_lines * SIDE, SHEET_COLUMNS * SIDE, 3)


def _how_made(made: PictureMap, shown: PictureMap, searcher: "Searcher") -> str:
    """How many images there are on the map, of how many, and when it was made."""
    n, of = len(shown.rows), searcher.n_images
    which = f"All {n:,} images" if n == of else f"{n:,} of {of:,} images, drawn at random"
    since = searcher.rows - made.indexed
    more = f"; {since:,} more were indexed since" if since > 0 else ""
    return f"{which}{more}. Placed on {made.made_at[:16].replace('T', ' ')} UTC, with the model that answers here."
