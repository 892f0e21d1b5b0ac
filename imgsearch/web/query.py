"""The query of one visitor: a row of the corpus, an uploaded image or one fetched by its URL.

Kept in Streamlit's session and in the page's address (`?row=N`). An image from outside the corpus is decoded once, in a
worker process; its original bytes are not kept, and nothing is written to disk.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from crawler.errors import CrawlerError
from crawler.fetching.fetch import fetch_image
from imgsearch.corpus.decoding.images import encode_png
from imgsearch.corpus.decoding.pool import decoders
from imgsearch.errors import ImageError, UnknownRowError

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from imgsearch.retrieval.search.searcher import Searcher

PARAMETER = "row"  # in the page's address
LONGEST_ROW = 18  # digits, so that the number fits into 64 bits
MOST_UPLOADS = 24  # at once; more files belong in the corpus


@dataclass(frozen=True)
class RowQuery:
    """An image of the corpus; its row is left out of its own results."""

    row: int


@dataclass(frozen=True, eq=False)
class ImageQuery:
    """An image from outside the corpus."""

    name: str  # a file name or a URL, untrusted text
    thumbnail: NDArray[np.uint8]  # (32, 32, 3)
    picture: bytes  # JPEG or PNG, for display
    width: int  # of the original
    height: int
    format: str


Query = RowQuery | ImageQuery


@dataclass(frozen=True)
class Refusal:
    """An image from outside that was refused, and why."""

    name: str
    reason: str


@dataclass
class Visit:
    """The state of one browser tab."""

    start: RowQuery | None = None  # the random image that the page opened with
    query: Query | None = None
    address: str | None = None  # the `row` of the address when it was last read or set
    refusal: Refusal | None = None  # of the last URL or address
    uploads: dict[str, ImageQuery | Refusal] = field(default_factory=dict)  # by the uploader's file id


def this_visit() -> Visit:
    """Return the state of the session that is being drawn."""
    if "visit" not in st.session_state:
        st.session_state.visit = Visit()
    visit: Visit = st.session_state.visit
    return visit


# ----------------------------------------------------------------------------------------------------------------------
# choosing a query


def set_query(query: Query) -> None:
    """Make `query` the current one and set the page's address accordingly."""
    visit = this_visit()
    visit.query, visit.refusal = query, None
    visit.address = str(query.row) if isinstance(query, RowQuery) else None
    if visit.address is None:
        st.query_params.pop(PARAMETER, None)
    else:
        st.query_params[PARAMETER] = visit.address


def fetch_query(address: str) -> None:
    """Fetch the image at a URL and search with it; private addresses and anything but images are refused."""
    address = address.strip()
    if not address:
        return
    try:
        query = image_query(fetch_image(address), address)
    except (CrawlerError, ImageError) as error:
        this_visit().refusal = Refusal(address, str(error))
    else:
        set_query(query)


def image_query(data: bytes, name: str) -> ImageQuery:
    """Decode one image from outside.

    Raises:
        ImageError: it cannot be read as an image; the message is the reason.
    """
    image = decoders().image(data)
    return ImageQuery(
        name=name,
        thumbnail=image.thumbnail,
        picture=image.preview or encode_png(image.thumbnail),
        width=image.width,
        height=image.height,
        format=image.format,
    )


def take_uploads(files: Sequence["UploadedFile"]) -> None:
    """Decode new files in the uploader, forget removed ones, and search with the first new image."""
    visit = this_visit()
    earlier, visit.uploads = visit.uploads, {}
    fresh: list[ImageQuery] = []
    for file in files[:MOST_UPLOADS]:
        upload = earlier.get(file.file_id)
        if upload is None:
            upload = _decoded(file)
            if isinstance(upload, ImageQuery):
                fresh.append(upload)
        visit.uploads[file.file_id] = upload
    if fresh:
        set_query(fresh[0])


def _decoded(file: "UploadedFile") -> ImageQuery | Refusal:
    try:
        return image_query(file.getvalue(), file.name)
    except ImageError as error:
        return Refusal(file.name, str(error))


# ----------------------------------------------------------------------------------------------------------------------
# the address


def follow_address(searcher: "Searcher") -> None:
    """Set the query to the row in the page's address where the address changed: by a shared link, or by going back.

    A first visit without a row starts with a random one, so that the page shows results at once.
    """
    visit = this_visit()
    row_text = st.query_params.get(PARAMETER)
    if visit.start is None:
        visit.start = RowQuery(searcher.random_row())
        if visit.query is None:  # else it was chosen on the other page
            visit.query = visit.start
            if row_text is None:
                set_query(visit.start)
                return
    if row_text == visit.address:
        return
    visit.address = row_text
    try:
        visit.query, visit.refusal = visit.start if row_text is None else RowQuery(_known_row(row_text, searcher)), None
    except UnknownRowError as error:
        visit.refusal = Refusal(f"?{PARAMETER}={row_text}", str(error))


def leave_address() -> None:
    """Note that another page is shown, whose address has no row; the query stays for the way back."""
    this_visit().address = None


def _known_row(row_text: str, searcher: "Searcher") -> int:
    if not (row_text.isascii() and row_text.isdigit() and len(row_text) <= LONGEST_ROW):
        raise UnknownRowError("the address must name a row by its number, as in ?row=12.")
    return searcher.entry(int(row_text)).row
