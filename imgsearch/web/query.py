"""What one visitor asks: a row of the corpus, an uploaded image or one from a link, kept in the session only.

Knows Streamlit's session state and the page's address (`?row=N`); draws nothing and searches nothing. An image from
outside is decoded once, in a worker process; its own bytes are not kept, and nothing is written to disk.
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

PARAMETER = "row"  # of the page's address
LONGEST_ROW = 18  # digits: what fits into 64 bits
MOST_UPLOADS = 24  # at once: more files than that are a corpus, and `imgsearch add` takes them


@dataclass(frozen=True)
class RowQuery:
    """An image of the corpus; its row is left out of its own answer."""

    row: int


@dataclass(frozen=True, eq=False)
class ImageQuery:
    """An image from outside the corpus."""

    name: str  # a file name or an address, as a stranger wrote it
    thumbnail: NDArray[np.uint8]  # (32, 32, 3)
    picture: bytes  # JPEG or PNG, to be shown
    width: int  # of the original
    height: int
    format: str


Query = RowQuery | ImageQuery


@dataclass(frozen=True)
class Refusal:
    """An image from outside that was not taken, and why."""

    name: str
    reason: str


@dataclass
class Visit:
    """One browser tab: what it asks now, and what it was given."""

    start: RowQuery | None = None  # what the page opened with: an image drawn at random
    query: Query | None = None
    address: str | None = None  # the page's `row` as this session last knew it
    refusal: Refusal | None = None  # of the last link or address asked for
    uploads: dict[str, ImageQuery | Refusal] = field(default_factory=dict)  # by the id that the uploader gave


def this_visit() -> Visit:
    """The state of the session that is being drawn."""
    if "visit" not in st.session_state:
        st.session_state.visit = Visit()
    visit: Visit = st.session_state.visit
    return visit


# ----------------------------------------------------------------------------------------------------------------------
# asking


def ask(query: Query) -> None:
    """Make `query` the current one and bring the page's address into step with it."""
    visit = this_visit()
    visit.query, visit.refusal = query, None
    visit.address = str(query.row) if isinstance(query, RowQuery) else None
    if visit.address is None:
        st.query_params.pop(PARAMETER, None)
    else:
        st.query_params[PARAMETER] = visit.address


def ask_by_link(address: str) -> None:
    """Fetch the image at `address` and ask with it; private addresses and whatever is no image are refused."""
    address = address.strip()
    if not address:
        return
    try:
        query = image_query(fetch_image(address), address)
    except (CrawlerError, ImageError) as error:
        this_visit().refusal = Refusal(address, str(error))
    else:
        ask(query)


def image_query(data: bytes, name: str) -> ImageQuery:
    """Decode one image from outside.

    Raises:
        ImageError: it is none that we take; the message is the reason.
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
    """Decode the files that are new in the uploader, forget those that left it, and ask with the first new image."""
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
        ask(fresh[0])


def _decoded(file: "UploadedFile") -> ImageQuery | Refusal:
    try:
        return image_query(file.getvalue(), file.name)
    except ImageError as error:
        return Refusal(file.name, str(error))


# ----------------------------------------------------------------------------------------------------------------------
# the address


def follow_address(searcher: "Searcher") -> None:
    """Bring the query into step with the page's address where that changed by itself: a shared link, or a way back.

    A first visit without a row opens with a random one, so that the page shows at once what it is for.
    """
    visit = this_visit()
    asked = st.query_params.get(PARAMETER)
    if visit.start is None:
        visit.start = RowQuery(searcher.random_row())
        if visit.query is None:  # else it was asked on the other page
            visit.query = visit.start
            if asked is None:
                ask(visit.start)
                return
    if asked == visit.address:
        return
    visit.address = asked
    try:
        visit.query, visit.refusal = visit.start if asked is None else RowQuery(_known_row(asked, searcher)), None
    except UnknownRowError as error:
        visit.refusal = Refusal(f"?{PARAMETER}={asked}", str(error))


def leave_address() -> None:
    """Note that another page is shown, whose address has no row: who comes back finds the query as it was."""
    this_visit().address = None


def _known_row(asked: str, searcher: "Searcher") -> int:
    if not (asked.isascii() and asked.isdigit() and len(asked) <= LONGEST_ROW):
        raise UnknownRowError("the address must name a row by its number, as in ?row=12.")
    return searcher.entry(int(asked)).row
