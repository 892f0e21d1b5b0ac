"""The decoder playground on the *Explore* page: codes are changed, and the decoder draws them.

Three parts: what the code keeps of an image, what changes along the principal directions of the corpus's codes, and a
walk between two images.
"""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from imgsearch.corpus.decoding.images import encode_png
from imgsearch.errors import Hint, ImgSearchError, UnknownRowError
from imgsearch.html_report import data_uri
from imgsearch.retrieval.explore.directions import Directions, principal_directions, walk
from imgsearch.web import cards

if TYPE_CHECKING:
    from imgsearch.retrieval.search.searcher import Searcher

N_DIRECTIONS = 6
REACH = 4.0  # range of a slider to each side, in standard deviations
FILM = (-4.0, -2.0, 0.0, 2.0, 4.0)  # positions of the small images above a slider, in standard deviations
STEPS = 9  # of a walk, including both ends
MOST_CODES = 5_000  # of the corpus, for computing its principal directions
AMPLIFIED = (8, 4, 2, 1)  # factors by which a difference may be amplified
GREY = 128  # the grey value of no difference

KEEPS = "What the code keeps"
KEEPS_SENTENCE = (
    "An image of the corpus, its reconstruction from the code, and the difference between the two. Choose another "
    "image by its row: the map shows the row of the image that is pointed at, the search page the row of the query."
)
TURNS = "Changing the code"
TURNS_SENTENCE = (
    "The directions in which the codes of this corpus vary most (its principal components), strongest first. Each "
    "slider moves the code along one of them, in standard deviations; the images above it show that direction alone."
)
WALK = "From one image to another"
WALK_SENTENCE = "A straight line from one code to another, decoded step by step. At both ends are the original images."


@st.fragment
def draw_playground(searcher: "Searcher", first_row: int) -> None:
    """Draw the section, starting with `first_row`; it is redrawn without the rest of the page."""
    try:
        _draw_playground(searcher, first_row)
    except ImgSearchError as error:
        st.html(cards.notice(str(error), refused=True))


def _draw_playground(searcher: "Searcher", first_row: int) -> None:
    keeps, turns = st.columns([9, 11], gap="large")
    with keeps:
        st.html(cards.section(KEEPS, KEEPS_SENTENCE))
        row = _choose_row(searcher, "Image: row", "row-a", first_row)
        thumbnail = searcher.query_thumbnail(row)
        code = searcher.encode(thumbnail[None])[0]  # (d,)
        reconstruction = searcher.decode(code[None])[0]
        st.html(_kept(thumbnail, reconstruction, len(code)))
    with turns:
        st.html(cards.section(TURNS, TURNS_SENTENCE))
        _draw_turns(searcher, code)
    st.html(cards.section(WALK, WALK_SENTENCE))
    other = _choose_row(searcher, "To: row", "row-b", _another_row(searcher, row))
    codes = walk(code, searcher.encode(searcher.query_thumbnail(other)[None])[0], STEPS)
    ends = encode_png(thumbnail), encode_png(searcher.query_thumbnail(other))
    st.html(_strip(ends[0], [encode_png(picture) for picture in searcher.decode(codes)], ends[1]))


# ----------------------------------------------------------------------------------------------------------------------
# choosing


def _choose_row(searcher: "Searcher", label: str, key: str, start: int) -> int:
    """Draw a field for a row and a button for a random one; return the row.

    Raises:
        UnknownRowError: there is no such row, or it was removed.
    """
    if key not in st.session_state:
        st.session_state[key] = start
    with st.container(key=f"choose-{key}"):
        row = st.number_input(label, min_value=0, step=1, key=key)
        st.button("Random", icon=":material/casino:", key=f"random-{key}", on_click=partial(_draw_lot, searcher, key))
    return int(row)


def _draw_lot(searcher: "Searcher", key: str) -> None:
    st.session_state[key] = searcher.random_row()


def _another_row(searcher: "Searcher", row: int) -> int:
    """Return a random row other than `row`; `row` itself where there is no other."""
    return next((other for _ in range(20) if (other := searcher.random_row()) != row), row)


# ----------------------------------------------------------------------------------------------------------------------
# what the code keeps


def _kept(thumbnail: NDArray[np.uint8], reconstruction: NDArray[np.uint8], code_size: int) -> str:
    """Return image, reconstruction and difference side by side, and the size of the difference."""
    picture, times = difference(thumbnail, reconstruction)
    error = np.abs(thumbnail.astype(int) - reconstruction).mean()
    strength = "not amplified" if times == 1 else f"amplified {times} times"
    plates = (
        cards.plate(encode_png(thumbnail), "The image", f"{thumbnail.size:,} numbers", crisp=True),
        cards.plate(encode_png(reconstruction), "Decoded", f"from the {code_size} numbers of its code", crisp=True),
        cards.plate(encode_png(picture), "The difference", f"{strength}; grey means none", crisp=True),
    )
    words = f"Mean absolute error: {error:.1f} of 255 per value."
    return f'<div class="plates">{"".join(plates)}</div>{cards.footnote(words)}'


def difference(image: NDArray[np.uint8], reconstruction: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int]:
    """Return image minus reconstruction, both (h, w, 3), as an image around grey, and the factor of amplification.

    The factor is the largest that clips at most one value in a hundred.
    """
    apart = image.astype(int) - reconstruction
    common = np.quantile(np.abs(apart), 0.99)
    times = next((times for times in AMPLIFIED if times * common < GREY), 1)
    return np.clip(GREY + times * apart, 0, 255).astype(np.uint8), times


# ----------------------------------------------------------------------------------------------------------------------
# changing the code


def _draw_turns(searcher: "Searcher", code: NDArray[np.float32]) -> None:
    directions = _directions(searcher, searcher.model, searcher.n_images)
    n = len(directions.deviations)
    decoded, *columns = st.columns([2, 3, 3], gap="medium")
    amounts = []
    for number in range(n):
        with columns[number % len(columns)]:
            amounts.append(_draw_slider(searcher, directions, code, number))
    with decoded, st.container(key="turned"):
        moved = directions.moved(code, np.array(amounts))
        st.html(cards.plate(encode_png(searcher.decode(moved[None])[0]), "Decoded", _amounts(amounts), crisp=True))
        st.button("Back to the image", key="unturned", type="tertiary", on_click=_unturn)


def _draw_slider(searcher: "Searcher", directions: Directions, code: NDArray[np.float32], number: int) -> float:
    """Draw a slider below the images of its direction alone; return its value."""
    with st.container(key=f"direction-{number}"):
        alone = [directions.moved(code, one_turn(number, film)) for film in FILM]
        st.html(_film([encode_png(picture) for picture in searcher.decode(np.stack(alone))]))
        name = f"Direction {number + 1}"
        label = f"{number + 1}: %+.2f σ"
        amount = st.slider(
            name, -REACH, REACH, 0.0, 0.25, key=_slider_key(number), format=label, label_visibility="collapsed"
        )
    return float(amount)


def one_turn(number: int, amount: float) -> NDArray[np.float64]:
    """Return the amounts, (number + 1,), that move a code along one direction alone."""
    amounts = np.zeros(number + 1)
    amounts[number] = amount
    return amounts


def _slider_key(number: int) -> str:
    return f"direction-{number}-amount"


def _unturn() -> None:
    for number in range(N_DIRECTIONS):
        st.session_state[_slider_key(number)] = 0.0


def _amounts(amounts: list[float]) -> str:
    moved = [f"{amount:+g} σ along {number}" for number, amount in enumerate(amounts, start=1) if amount]
    return ", ".join(moved) if moved else "not changed yet"


@st.cache_resource(show_spinner="Computing the directions …", max_entries=4)
def _directions(_searcher: "Searcher", model: str, n_images: int) -> Directions:
    """Return the principal directions of the codes of all images, or of a sample; cached for all visitors.

    `model` and `n_images` are part of the cache's key.
    """
    rows = _searcher.findable_rows()
    if len(rows) > MOST_CODES:
        rows = np.sort(np.random.default_rng(0).choice(rows, MOST_CODES, replace=False))
    if len(rows) == 0:
        raise UnknownRowError("all images were removed.", hint=Hint.ADD_IMAGES)
    return principal_directions(_searcher.stored_codes(rows), N_DIRECTIONS)


# ----------------------------------------------------------------------------------------------------------------------
# rows of small images


def _film(pictures: list[bytes]) -> str:
    cells = "".join(_cell(picture, f"{amount:+g} σ") for picture, amount in zip(pictures, FILM, strict=True))
    return f'<div class="film">{cells}</div>'


def _strip(first: bytes, between: list[bytes], last: bytes) -> str:
    """Return a walk: the two original images at its ends and the decoded images between them."""
    cells = [_cell(first, "the image"), *(_cell(picture, "decoded") for picture in between), _cell(last, "the image")]
    return f'<div class="strip">{"".join(cells)}</div>'


def _cell(picture: bytes, name: str) -> str:
    return f'<img class="crisp" src="{data_uri(picture)}" alt="{name}" title="{name}">'
