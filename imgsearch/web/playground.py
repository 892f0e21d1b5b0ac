"""The decoder playground on the *Explore* page: codes go in, pictures come out.

What a code keeps of an image; what happens along the directions in which the codes of this corpus differ most; a walk
between two images. Knows codes as numbers, by `retrieval.directions`; how they are decoded only the searcher knows.
"""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from imgsearch.corpus.decoding.images import encode_png
from imgsearch.errors import ImgSearchError, UnknownRowError
from imgsearch.html_report import data_uri
from imgsearch.retrieval.explore.directions import Directions, principal_directions, walk
from imgsearch.web import cards

if TYPE_CHECKING:
    from imgsearch.retrieval.search.searcher import Searcher

N_DIRECTIONS = 6
REACH = 4.0  # standard deviations that a slider goes to each side
FILM = (-4.0, -2.0, 0.0, 2.0, 4.0)  # where the small pictures over a slider stand
STEPS = 9  # of a walk, both ends included
MOST_CODES = 5_000  # of a corpus, from which its directions are computed
AMPLIFIED = (8, 4, 2, 1)  # how many times a difference may be drawn as strong as it is
GREY = 128  # where a difference of nothing stands

KEEPS = "What the code keeps"
KEEPS_SENTENCE = (
    "An image of the corpus, what the decoder makes of its code, and what is lost between the two. Choose another by "
    "its row: the map names the row that is pointed at, the search page that of the query."
)
TURNS = "Turning the numbers"
TURNS_SENTENCE = (
    "The directions in which the codes of this corpus differ most, strongest first. Each slider moves the code along "
    "one of them, in standard deviations of the corpus; over it, what that direction does by itself."
)
WALK = "From one image to another"
WALK_SENTENCE = "The way from one code to another, decoded step by step. At its ends, the images themselves."


@st.fragment
def draw_playground(searcher: "Searcher", first_row: int) -> None:
    """The section, which redraws without the rest of the page; it begins with `first_row`."""
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
    """A field for a row, and a button for a random one.

    Raises:
        UnknownRowError: the row is not there, or was removed.
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
    """A row that is not `row`, where there are two; by far the most often at the first draw."""
    return next((other for _ in range(20) if (other := searcher.random_row()) != row), row)


# ----------------------------------------------------------------------------------------------------------------------
# what the code keeps


def _kept(thumbnail: NDArray[np.uint8], reconstruction: NDArray[np.uint8], code_size: int) -> str:
    """Image, reconstruction and difference as three plates, and how large the difference is."""
    picture, times = difference(thumbnail, reconstruction)
    error = np.abs(thumbnail.astype(int) - reconstruction).mean()
    strength = "as it is" if times == 1 else f"{times} times as strong as it is"
    plates = (
        cards.plate(encode_png(thumbnail), "The image", f"{thumbnail.size:,} numbers", crisp=True),
        cards.plate(encode_png(reconstruction), "Decoded", f"from the {code_size} numbers of its code", crisp=True),
        cards.plate(encode_png(picture), "The difference", f"{strength}, around grey", crisp=True),
    )
    words = f"A value is off by {error:.1f} of 255 on average."
    return f'<div class="plates">{"".join(plates)}</div>{cards.footnote(words)}'


def difference(image: NDArray[np.uint8], reconstruction: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int]:
    """What an image (h, w, 3) has more than its reconstruction, around grey; and how many times it is amplified.

    As strong as it can be without more than one value in a hundred being cut off.
    """
    apart = image.astype(int) - reconstruction
    common = np.quantile(np.abs(apart), 0.99)
    times = next((times for times in AMPLIFIED if times * common < GREY), 1)
    return np.clip(GREY + times * apart, 0, 255).astype(np.uint8), times


# ----------------------------------------------------------------------------------------------------------------------
# turning the numbers


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
    """One slider under what its direction does alone; its value."""
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
    """(number + 1,) amounts that move a code along that direction alone."""
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
    return ", ".join(moved) if moved else "nothing is moved yet"


@st.cache_resource(show_spinner="The directions of these codes …", max_entries=4)
def _directions(_searcher: "Searcher", model: str, n_images: int) -> Directions:
    """The first directions of the codes of what can be found, or of a sample; for all visitors.

    `model` and `n_images` tell when they must be computed anew.
    """
    rows = _searcher.findable_rows()
    if len(rows) > MOST_CODES:
        rows = np.sort(np.random.default_rng(0).choice(rows, MOST_CODES, replace=False))
    if len(rows) == 0:
        raise UnknownRowError("no image can be found: every one was removed. Add some, then run: imgsearch reindex")
    return principal_directions(_searcher.stored_codes(rows), N_DIRECTIONS)


# ----------------------------------------------------------------------------------------------------------------------
# rows of small pictures


def _film(pictures: list[bytes]) -> str:
    cells = "".join(_cell(picture, f"{amount:+g} σ") for picture, amount in zip(pictures, FILM, strict=True))
    return f'<div class="film">{cells}</div>'


def _strip(first: bytes, between: list[bytes], last: bytes) -> str:
    """A walk: the two images themselves at its ends, the decoded pictures between."""
    cells = [_cell(first, "the image"), *(_cell(picture, "decoded") for picture in between), _cell(last, "the image")]
    return f'<div class="strip">{"".join(cells)}</div>'


def _cell(picture: bytes, name: str) -> str:
    return f'<img class="crisp" src="{data_uri(picture)}" alt="{name}" title="{name}">'
