"""What X-Robots-Tag headers and `<meta name=robots>` ask of us. Pure: text in, decision out; nothing here raises.

One value is words and colons; what separates the words is a comma as it should be, or a semicolon or a blank:

    noai, noimageindex                       for everybody
    otherbot: noai, noindex                  for otherbot alone, up to the end of the value or the next name
    unavailable_after: 25 Jun 2010 15:00 PST, noai

A word before a colon is an agent's name only where it is no directive, nor the hour in a date. What a value such as
`max-image-preview: none` says is no directive either.

Knows nothing of robots.txt, of HTTP or of HTML.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

NO_IMAGES = ("noindex", "none", "noimageindex", "noai", "noimageai")  # the first that stands is the reason
NO_FOLLOW = ("nofollow", "none")
_OTHERS = frozenset({"all", "index", "follow", "archive", "noarchive", "nocache", "nosnippet", "notranslate"})
_WITHOUT_VALUE = _OTHERS | {*NO_IMAGES, *NO_FOLLOW}
_WITH_DATE = "unavailable_after"
_WITH_VALUE = frozenset({_WITH_DATE, "max-snippet", "max-image-preview", "max-video-preview"})
_WORD = re.compile(r"([^\s,;:]+)\s*(:?)|[,;]")


@dataclass(frozen=True)
class Directives:
    """What a page or an image asks of us."""

    no_images: str = ""  # the directive that forbids to take images, "" where none does
    no_follow: str = ""  # the directive that forbids to follow links, "" where none does


def read_directives(values: Iterable[str], agent: str) -> Directives:
    """The directives that are meant for `agent`.

    Args:
        values: of X-Robots-Tag headers or robots meta elements, one string each.
        agent: the name that we go by, without a version.
    """
    words = {word for value in values for word in _words_for(agent.lower(), value.lower())}
    return Directives(
        no_images=next((name for name in NO_IMAGES if name in words), ""),
        no_follow=next((name for name in NO_FOLLOW if name in words), ""),
    )


def _words_for(agent: str, value: str) -> Iterator[str]:
    """The words of `value` that may be directives for `agent`."""
    is_meant = True
    is_value = False  # the word belongs to the directive before it
    after_date = False
    for word, colon in _WORD.findall(value):
        if not word:  # a separator
            is_value = False
        elif word in _WITH_VALUE and colon:
            is_value, after_date = True, after_date or word == _WITH_DATE
        elif not colon or word in _WITHOUT_VALUE:
            if is_meant and not is_value:
                yield word
            is_value = False
        elif not (after_date and word[0].isdigit()):
            is_meant = word.partition("/")[0] in (agent, "*")
