"""The contact sheet: a row for the query and for each method, as wide as the longest list."""

from collections.abc import Iterator
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from imgsearch.retrieval.search.contact_sheet import (
    FOUND_BY_BOTH,
    GAP,
    LEAST_WIDTH,
    LINE,
    MOST_SHOWN,
    ROW_HEIGHT,
    TILE,
    draw_contact_sheet,
)
from imgsearch.retrieval.search.searcher import Searcher
from tests.support.index import make_index, smooth_thumbnails

N = 24


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    with Searcher.open(make_index(tmp_path_factory.mktemp("sheet") / "index", smooth_thumbnails(N))) as opened:
        yield opened


def drawn(searcher: Searcher, *, k: int, by: str) -> NDArray[np.uint8]:
    """(height, width, 3) the sheet of row 0."""
    sheet = draw_contact_sheet(searcher, 0, searcher.search(0, k=k, by=by))
    return np.asarray(Image.open(BytesIO(sheet)).convert("RGB"))


@pytest.mark.parametrize(("by", "rows"), [("code", 1), ("binary", 1), ("both", 2), ("all", 3)])
def test_each_method_has_a_row(searcher: Searcher, by: str, rows: int) -> None:
    sheet = drawn(searcher, k=3, by=by)
    assert sheet.shape == (2 * GAP + (1 + rows) * ROW_HEIGHT, LEAST_WIDTH, 3)
    for number in range(1 + rows):  # pictures stand in each, the query's among them
        top = GAP + number * ROW_HEIGHT + LINE
        assert sheet[top : top + TILE, GAP : GAP + 2 * (TILE + GAP)].std() > 10


def test_the_length_of_a_row_is_limited(searcher: Searcher) -> None:
    assert drawn(searcher, k=N, by="all").shape[1] == 2 * GAP + MOST_SHOWN * (TILE + GAP)


def test_hits_of_the_compared_method_are_framed(searcher: Searcher) -> None:
    green = np.array([int(FOUND_BY_BOTH[place : place + 2], 16) for place in (1, 3, 5)])
    assert (drawn(searcher, k=N, by="both") == green).all(axis=2).any()
    assert not (drawn(searcher, k=N, by="binary") == green).all(axis=2).any()
