"""Candidates of a `srcset` attribute, and the best of them. Pure: text in, candidates out; never raises.

Splitting at commas would be wrong: URLs may contain commas (`data:` URLs always do). This follows the parsing rules of
the HTML standard (WHATWG, "Parse a srcset attribute"), section 4.8.4.2.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

_SPACE = " \t\n\f\r"
_WORD = re.compile(r"(?:[^ \t\n\f\r(]|\([^)]*+\)?)++")  # up to a space that is not inside parentheses
_DESCRIPTORS = re.compile(r"((?:[^,(]|\([^)]*+\)?)*+),?")  # up to a comma that is not inside parentheses
WANTED_WIDTH = 256  # pixels: the size of a preview; larger images would only cost the server


class Candidate(NamedTuple):
    """One candidate: its URL as written, its width in pixels (w) or its density (x); 0 where not given."""

    url: str
    width: int = 0
    density: float = 0.0


def parse_srcset(text: str) -> list[Candidate]:
    """Return the candidates in order, without those with broken descriptors, as in browsers."""
    candidates = []
    position = 0
    while position < len(text):
        while position < len(text) and text[position] in _SPACE + ",":
            position += 1
        start = position
        while position < len(text) and text[position] not in _SPACE:
            position += 1
        url = text[start:position]
        if not url:
            break
        descriptors: list[str] = []
        if url.endswith(","):
            url = url.rstrip(",")
        else:
            descriptors, position = _descriptors(text, position)
        candidate = _candidate(url, descriptors)
        if candidate is not None:
            candidates.append(candidate)
    return candidates


def _descriptors(text: str, position: int) -> tuple[list[str], int]:
    """The words up to the next comma that is not inside parentheses, and the position after that comma."""
    descriptors = _DESCRIPTORS.match(text, position)
    assert descriptors is not None  # the pattern also matches the empty text
    return _WORD.findall(descriptors[1]), descriptors.end()


def _candidate(url: str, descriptors: Sequence[str]) -> Candidate | None:
    width, density = 0, 0.0
    for word in descriptors:
        number, unit = word[:-1], word[-1]
        try:
            if unit == "w" and number.isdecimal() and not width and int(number) > 0:
                width = int(number)
            elif unit == "x" and not density and 0 <= float(number) < float("inf"):
                density = float(number)
            elif not (unit == "h" and number.isdecimal()):
                return None
        except ValueError:
            return None
    return None if width and density else Candidate(url, width, density)


def best_candidate(candidates: Sequence[Candidate]) -> Candidate | None:
    """Return the narrowest of at least `WANTED_WIDTH`, else the largest; the first of equals."""
    wide_enough = [candidate for candidate in candidates if candidate.width >= WANTED_WIDTH]
    if wide_enough:
        return min(wide_enough, key=lambda candidate: candidate.width)
    return max(candidates, key=lambda candidate: (candidate.width, candidate.density), default=None)
