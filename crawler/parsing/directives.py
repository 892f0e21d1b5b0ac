"""Directives of X-Robots-Tag headers and `<meta name=robots>`. Pure: text in, decision out; nothing here raises.

A value consists of words, separated by commas (in practice also by semicolons or blanks), and colons:

    noai, noimageindex                       for all agents
    otherbot: noai, noindex                  for otherbot alone, up to the end of the value or the next name
    unavailable_after: 25 Jun 2010 15:00 PST, noai

A word before a colon is the name of an agent, unless it is a directive or the hour of a date. The value of a directive,
as in `max-image-preview: none`, is not a directive.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

NO_IMAGES = ("noindex", "none", "noimageindex", "noai", "noimageai")  # in order of precedence as a reason
NO_FOLLOW = ("nofollow", "none")
_OTHERS = frozenset({"all", "index", "follow", "archive", "noarchive", "nocache", "nosnippet", "notranslate"})
_WITHOUT_VALUE = _OTHERS | {*NO_IMAGES, *NO_FOLLOW}
_WITH_DATE = "unavailable_after"
_WITH_VALUE = frozenset({_WITH_DATE, "max-snippet", "max-image-preview", "max-video-preview"})
_WORD = re.compile(r"([^\s,;:]+)\s*(:?)|[,;]")


@dataclass(frozen=True)
class Directives:
    """The directives that apply to a page or an image."""

    no_images: str = ""  # the directive that forbids taking images, "" if none does
    no_follow: str = ""  # the directive that forbids following links, "" if none does


def read_directives(values: Iterable[str], agent: str) -> Directives:
    """Return the directives that apply to `agent`.

    Args:
        values: of X-Robots-Tag headers or robots meta elements, one string each.
        agent: the name of the crawler, without a version.
    """
    words = {word for value in values for word in _words_for(agent.lower(), value.lower())}
    return Directives(
        no_images=next((name for name in NO_IMAGES if name in words), ""),
        no_follow=next((name for name in NO_FOLLOW if name in words), ""),
    )


def _words_for(agent: str, value: str) -> Iterator[str]:
    """Yield the words of `value` that may be directives for `agent`."""
    is_for_agent = True
    is_value = False  # the word belongs to the directive before it
    after_date = False
    for word, colon in _WORD.findall(value):
        if not word:  # a separator
            is_value = False
        elif word in _WITH_VALUE and colon:
            is_value, after_date = True, after_date or word == _WITH_DATE
        elif not colon or word in _WITHOUT_VALUE:
            if is_for_agent and not is_value:
                yield word
            is_value = False
        elif not (after_date and word[0].isdigit()):
            is_for_agent = word.partition("/")[0] in (agent, "*")
