"""The result of a search by words as one picture: a row of hits for each method. Draws; opens no untrusted bytes."""

from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from imgsearch.retrieval.search.contact_sheet import GAP, INK, LINE, MOST_SHOWN, PAPER, TILE, paste, tile
from imgsearch.retrieval.text.text_result import TEXT_TITLES, TextResult
from imgsearch.retrieval.text.text_search import TextSearcher

LEAST_WIDTH = 560  # pixels, so that the longest heading fits above one hit
ROW_HEIGHT = TILE + 3 * LINE


def draw_text_result(searcher: TextSearcher, result: TextResult) -> bytes:
    """PNG bytes: under the query one row for each method; a hit that TF-IDF (or the code) found too has a frame."""
    n_columns = max(len(hits) for hits in result.methods.values())
    width = max(LEAST_WIDTH, 2 * GAP + min(n_columns, MOST_SHOWN) * (TILE + GAP))
    sheet = Image.new("RGB", (width, 2 * GAP + LINE + len(result.methods) * ROW_HEIGHT), PAPER)
    draw = ImageDraw.Draw(sheet)
    looked_for = f"words: {' '.join(result.words)}" + (f"  ({result.note})" if result.note else "")
    draw.text((GAP, GAP), looked_for, fill=INK, font=ImageFont.load_default(15))
    for number, (method, hits) in enumerate(result.methods.items()):
        top = 2 * GAP + LINE + number * ROW_HEIGHT
        draw.text((GAP, top), f"by {TEXT_TITLES[method]}", fill=INK, font=ImageFont.load_default(13))
        for column, hit in enumerate(hits[:MOST_SHOWN]):
            left, below = GAP + column * (TILE + GAP), f"{hit.distance:.3f}"
            paste(sheet, tile(searcher.picture(hit.row)), left, top + LINE, below, framed=hit.other_rank is not None)
    encoded = BytesIO()
    sheet.save(encoded, "PNG")
    return encoded.getvalue()
