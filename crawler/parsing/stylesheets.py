"""Background images of a stylesheet or a style attribute. Pure: text in, references out; never raises.

Only properties that show pictures count, not fonts, cursors, masks or imported stylesheets. Every pattern below matches
wherever it begins (unclosed parts end with the text), so the time is linear.
"""

import re
from collections.abc import Iterator

PICTURE_PROPERTIES = frozenset(
    {"background", "background-image", "border-image", "border-image-source", "content", "list-style-image"}
)

_ESCAPED = r"\\(?:[0-9a-f]{1,6}\s?|.)"  # a space after a number belongs to it
_STRING = rf"""(?:"(?:[^"\\]|{_ESCAPED})*+"?|'(?:[^'\\]|{_ESCAPED})*+'?)"""
_TOKEN = re.compile(
    rf"""/\*.*?(?:\*/|\Z)                                         # a comment
    | url\(\s*+(?P<reference>{_STRING}|(?:[^)\\\s]|{_ESCAPED})*+)        # a url, up to its end or a space
    | {_STRING}
    | (?P<end>[;{{}}])
    | (?P<word>[-\w]++)(?P<colon>\s*+:)?                          # before a colon: the name of a property
    """,
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})\s?|(\n)|(.))", re.DOTALL)


def background_urls(css: str) -> Iterator[str]:
    """Yield the references of all `url(...)` in picture properties and variables, unquoted and unescaped, in order."""
    is_picture = False
    for token in _TOKEN.finditer(css):
        if token["end"]:
            is_picture = False
        elif token["colon"]:
            name = token["word"].lower()
            is_picture = name in PICTURE_PROPERTIES or name.startswith("--")  # a variable
        elif token["reference"] and is_picture:
            reference = _unescaped(token["reference"].strip("\"'")).strip()
            if reference and not reference.startswith("#"):
                yield reference


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def _character(escape: re.Match[str]) -> str:
    if escape[1]:
        number = int(escape[1], 16)
        return chr(number) if 0 < number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF else "\ufffd"
    return escape[3] or ""
