"""A search result as one picture: the query, and a row of its neighbours for each method that was asked.

Draws; opens no untrusted bytes (`corpus.images` does).
"""

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

from imgsearch.corpus.decoding.images import decode_picture
from imgsearch.retrieval.search.query import Query
from imgsearch.retrieval.search.result import BINARY, CODE, PIXEL, Hit, SearchResult
from imgsearch.retrieval.search.searcher import Searcher

TILE, GAP, LINE = 128, 10, 22  # pixels: a picture's side, the space between, a line of text
PAPER, INK, FOUND_BY_BOTH = "#fbfaf7", "#22252a", "#2f7d4f"
MOST_SHOWN = 20  # hits in a row of the sheet
TITLES = {CODE: "by code", PIXEL: "by pixels", BINARY: "by bits"}  # short: they stand under one tile


def draw_result(searcher: Searcher, query: Query, result: SearchResult) -> bytes:
    """PNG bytes: the query and its reconstruction on the left, one row of hits for each method that was asked.

    A hit that the other method found too has a green frame (by bits: that the code found too).
    """
    rows = [(method, result.hits(method)[:MOST_SHOWN]) for method in result.asked if result.hits(method)]
    n_columns = max((len(hits) for _, hits in rows), default=0)
    step = TILE + GAP
    width = 2 * GAP + step * (2 + n_columns)
    height = 2 * GAP + max(1, len(rows)) * (TILE + 2 * LINE)
    sheet = Image.new("RGB", (width, height), PAPER)
    thumbnail = searcher.query_thumbnail(query)
    paste(sheet, _large(thumbnail), GAP, GAP, "query")
    paste(sheet, _large(searcher.reconstruct(thumbnail)), GAP + step, GAP, "from its code")
    for number, (method, hits) in enumerate(rows):
        top = GAP + number * (TILE + 2 * LINE)
        for column, hit in enumerate(hits, start=2):
            text = f"{TITLES[method]} {_distance(hit, method)}" if column == 2 else _distance(hit, method)
            paste(
                sheet,
                tile(searcher.picture(hit.row)),
                2 * GAP + column * step,
                top,
                text,
                framed=hit.other_rank is not None,
            )
    encoded = BytesIO()
    sheet.save(encoded, "PNG")
    return encoded.getvalue()


def _distance(hit: Hit, method: str) -> str:
    distance = f"{hit.distance:.0f}" if method == BINARY else f"{hit.distance:.3f}"
    return f"{distance} {hit.grade}".strip()


def _large(thumbnail: NDArray[np.uint8]) -> Image.Image:
    """A thumbnail enlarged with its 32×32 pixels visible: that is all the network sees."""
    return Image.fromarray(thumbnail).resize((TILE, TILE), Image.Resampling.NEAREST)


def tile(encoded: bytes) -> Image.Image:
    """A picture of the corpus, as JPEG or PNG, cut to a tile."""
    picture = Image.fromarray(decode_picture(encoded))
    return ImageOps.fit(picture, (TILE, TILE), Image.Resampling.LANCZOS)


def paste(sheet: Image.Image, picture: Image.Image, left: int, top: int, text: str, *, framed: bool = False) -> None:
    """Put a tile on the sheet, with a line of text below; framed in green where another method found it too."""
    draw = ImageDraw.Draw(sheet)
    sheet.paste(picture, (left, top))
    if framed:
        draw.rectangle((left - 2, top - 2, left + TILE + 1, top + TILE + 1), outline=FOUND_BY_BOTH, width=2)
    draw.text((left, top + TILE + 4), text, fill=INK if not framed else FOUND_BY_BOTH, font=ImageFont.load_default(13))
