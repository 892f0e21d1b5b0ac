"""Contact sheet: a search result as one picture, with the query on top and a row of hits for each method.

Draws only pictures of the corpus and thumbnails; untrusted bytes are opened by `corpus.decoding` alone.
"""

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

from imgsearch.corpus.decoding.images import decode_picture
from imgsearch.retrieval.search.methods import SearchMethod
from imgsearch.retrieval.search.open_index import OpenIndex
from imgsearch.retrieval.search.query import Query
from imgsearch.retrieval.search.result import Hit, SearchResult
from imgsearch.retrieval.search.searcher import Searcher

TILE, GAP, LINE = 128, 10, 22  # pixels: side of a picture, space between pictures, height of a line of text
LEAST_WIDTH = 560  # pixels, so that the longest heading fits above one hit
ROW_HEIGHT = TILE + 3 * LINE
PAPER, INK, FOUND_BY_BOTH = "#fbfaf7", "#22252a", "#2f7d4f"
MOST_SHOWN = 20  # hits in a row of the sheet

Tile = tuple[Image.Image, str, bool]  # picture, the line below it, and whether it is framed


def draw_contact_sheet(searcher: Searcher, query: Query, result: SearchResult) -> bytes:
    """PNG bytes: the query image and its reconstruction, then a row of hits for each method.

    A hit that was also found by the method it is compared with has a green frame.
    """
    thumbnail = searcher.query_thumbnail(query)
    tiles: list[Tile] = [
        (_large(thumbnail), "32 by 32 pixels", False),
        (_large(searcher.reconstruct(thumbnail)), "from its code", False),
    ]
    return _draw([("Query", tiles), *_rows_of_hits(searcher, result)])


def draw_text_contact_sheet(searcher: OpenIndex, result: SearchResult) -> bytes:
    """PNG bytes: the words of the query, then a row of hits for each method, framed as on the other sheet."""
    assert result.words is not None
    note = f"  ({result.words.note})" if result.words.note else ""
    return _draw([(f"Words: {' '.join(result.words.known)}{note}", []), *_rows_of_hits(searcher, result)])


def _rows_of_hits(searcher: OpenIndex, result: SearchResult) -> list[tuple[str, list[Tile]]]:
    return [
        (method.heading, [_tile(searcher, hit, method) for hit in hits[:MOST_SHOWN]])
        for method in result.methods
        if (hits := result.hits[method.name])
    ]


def _tile(searcher: OpenIndex, hit: Hit, method: SearchMethod) -> Tile:
    picture = Image.fromarray(decode_picture(searcher.picture(hit.row)))
    cut = ImageOps.fit(picture, (TILE, TILE), Image.Resampling.LANCZOS)
    return cut, f"{method.format_with_unit(hit.distance)} {hit.grade}".strip(), hit.other_rank is not None


def _large(thumbnail: NDArray[np.uint8]) -> Image.Image:
    """A thumbnail enlarged with its 32×32 pixels visible: the network sees no more than these."""
    return Image.fromarray(thumbnail).resize((TILE, TILE), Image.Resampling.NEAREST)


def _draw(rows: Sequence[tuple[str, Sequence[Tile]]]) -> bytes:
    """Draw rows of tiles, each under its heading; a row without tiles is a line of text."""
    n_columns = max(len(tiles) for _, tiles in rows)
    heights = [ROW_HEIGHT if tiles else LINE + GAP for _, tiles in rows]
    width = max(LEAST_WIDTH, 2 * GAP + n_columns * (TILE + GAP))
    sheet = Image.new("RGB", (width, 2 * GAP + sum(heights)), PAPER)
    draw = ImageDraw.Draw(sheet)
    top = GAP
    for (heading, tiles), height in zip(rows, heights, strict=True):
        draw.text((GAP, top), heading, fill=INK, font=ImageFont.load_default(15))
        for column, tile in enumerate(tiles):
            _paste(sheet, tile, GAP + column * (TILE + GAP), top + LINE)
        top += height
    encoded = BytesIO()
    sheet.save(encoded, "PNG")
    return encoded.getvalue()


def _paste(sheet: Image.Image, tile: Tile, left: int, top: int) -> None:
    picture, text, framed = tile
    draw = ImageDraw.Draw(sheet)
    sheet.paste(picture, (left, top))
    if framed:
        draw.rectangle((left - 2, top - 2, left + TILE + 1, top + TILE + 1), outline=FOUND_BY_BOTH, width=2)
    colour = FOUND_BY_BOTH if framed else INK
    draw.text((left, top + TILE + 4), text, fill=colour, font=ImageFont.load_default(13))
