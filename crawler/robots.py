"""What robots.txt, X-Robots-Tag and `<meta name=robots>` allow. Pure: text in, decision out; nothing here raises.

Protego parses robots.txt; the rules for the status of its answer are RFC 9309, section 2.3.1. Who asks for the file,
when, and where the answer is kept is not known here.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from protego import Protego

logger = logging.getLogger(__name__)

MAX_ROBOTS_BYTES = 500 * 1024  # RFC 9309 2.5: at least 500 KiB must be parsed
MAX_SITEMAPS = 100  # that one robots.txt may name
FRESH_SECONDS = 24 * 3600.0  # RFC 9309 2.4: not kept longer than a day
ASK_AGAIN_SECONDS = 300.0  # after 5xx, 429 or silence, as Apache Nutch
MAX_CRAWL_DELAY_SECONDS = 60.0  # a larger Crawl-delay would stop a crawl; capped, and said in the report


class RobotsState(StrEnum):
    """What is known of a host's robots.txt."""

    UNKNOWN = "unknown"  # not asked for yet
    RULES = "rules"  # read: its text decides
    ALLOWED = "allowed"  # there is none: everything is allowed
    UNAVAILABLE = "unavailable"  # it cannot be read just now: nothing is allowed until it is asked for again


def robots_state(status: int) -> RobotsState:
    """The state that an HTTP `status` of robots.txt leads to (RFC 9309 2.3.1).

    A redirect status here means that five redirects were followed in vain: as if there were no file.
    """
    if 200 <= status < 300:
        return RobotsState.RULES
    if status == 429 or status >= 500 or status < 200:
        return RobotsState.UNAVAILABLE
    return RobotsState.ALLOWED


def robots_text(body: bytes) -> str:
    """The part of robots.txt that is parsed, as text; whatever bytes it holds."""
    return body[:MAX_ROBOTS_BYTES].decode("utf-8-sig", errors="replace").replace("\0", "")


class RobotsRules:
    """One robots.txt, as it reads for one agent."""

    def __init__(self, text: str, agent: str) -> None:
        self._rules = Protego.parse(text)
        self._agent = agent

    def allows(self, url: str) -> bool:
        try:
            return bool(self._rules.can_fetch(url, self._agent))
        except ValueError:
            logger.debug("robots.txt cannot judge %r", url)
            return False

    @property
    def sitemaps(self) -> list[str]:
        """The first `MAX_SITEMAPS` that the file names, as written."""
        return list(islice(self._rules.sitemaps, MAX_SITEMAPS))

    @property
    def crawl_delay_seconds(self) -> float:
        """The Crawl-delay asked for, uncapped; 0 where there is none or it is no number."""
        return self._rules.crawl_delay(self._agent) or 0.0


# ----------------------------------------------------------------------------
# X-Robots-Tag and <meta name=robots>

_NO_IMAGES = {
    "noindex": "noindex",
    "none": "none",
    "noimageindex": "noimageindex",
    "noai": "noai",
    "noimageai": "noimageai",
}
_NO_FOLLOW = frozenset({"nofollow", "none"})
# Directives that hold a colon themselves; any other word before a colon names an agent.
_WITH_VALUE = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})


@dataclass(frozen=True)
class Directives:
    """What a page or an image asks of us."""

    no_images: str = ""  # the directive that forbids to take images, "" where none does
    follow: bool = True  # whether its links may be followed


def read_directives(values: Iterable[str], agent: str) -> Directives:
    """The directives of X-Robots-Tag headers or robots meta elements, one string each, that are meant for `agent`.

    `noai, noimageindex` is for everybody; `otherbot: noindex` only for otherbot, up to the end of that header.
    """
    words: set[str] = set()
    for value in values:
        words |= _words_for(value, agent.lower())
    refused = [name for name in _NO_IMAGES if name in words]
    return Directives(no_images=refused[0] if refused else "", follow=not words & _NO_FOLLOW)


def _words_for(value: str, agent: str) -> set[str]:
    words: set[str] = set()
    meant = True
    for part in value.lower().split(","):
        name, colon, rest = (piece.strip() for piece in part.partition(":"))
        if colon and name in _WITH_VALUE:
            continue
        if colon:
            meant = name in (agent, "*")
            name = rest
        if meant:
            words.add(name)
    return words
