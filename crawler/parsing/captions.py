"""The text that a page or sitemap gives an image, fit to be stored and shown. Pure: text in, text out; never raises."""

import re

MAX_CAPTION = 500  # characters that are kept
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # in a terminal they give orders; in a file, errors


def caption(text: str) -> str:
    """`text` in one line, without control characters, cut to `MAX_CAPTION`."""
    return _UNPRINTABLE.sub("", " ".join(text[: 4 * MAX_CAPTION].split()))[:MAX_CAPTION]
