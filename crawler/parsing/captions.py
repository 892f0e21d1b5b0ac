"""Captions: the text of a page or sitemap about an image, made safe to store and show. Pure; never raises."""

import re

MAX_CAPTION = 500  # characters
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # they control terminals, or cannot be encoded


def caption(text: str) -> str:
    """Return `text` in one line, without control characters, cut to `MAX_CAPTION`."""
    return _UNPRINTABLE.sub("", " ".join(text[: 4 * MAX_CAPTION].split()))[:MAX_CAPTION]
