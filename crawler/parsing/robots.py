"""Rules of robots.txt. Pure: text in, decision out; nothing here raises.

Protego parses the file; the meaning of an HTTP status is that of RFC 9309, section 2.3.1.
"""

import logging
import re
from enum import StrEnum
from itertools import islice

from protego import Protego

from crawler.reasons import Reason, ReasonCode

logger = logging.getLogger(__name__)

MAX_ROBOTS_BYTES = 500 * 1024  # RFC 9309 2.5: at least 500 KiB must be parsed
MAX_SITEMAPS = 100  # taken from one robots.txt
FRESH_SECONDS = 24 * 3600.0  # RFC 9309 2.4: not kept longer than a day
ASK_AGAIN_SECONDS = 300.0  # after 5xx, 429 or silence, as Apache Nutch
MAX_CRAWL_DELAY_SECONDS = 60.0  # hosts that ask for more are not crawled; the limit of Nutch is 30, of Heritrix 300

_AGENT_LINE = re.compile(r"(\s*user[-\s]*agent\s*[:\s])\s*([^#]*)", re.IGNORECASE)
_PRODUCT = re.compile(r"[\w-]+|\*", re.ASCII)


class RobotsState(StrEnum):
    """State of a host's robots.txt."""

    UNKNOWN = "unknown"  # not fetched yet
    RULES = "rules"  # read: its text decides
    ALLOWED = "allowed"  # there is none: everything is allowed
    UNAVAILABLE = "unavailable"  # it cannot be read now: nothing is allowed until it is fetched again


def robots_state(status: int) -> RobotsState:
    """Return the state for an HTTP `status` of robots.txt (RFC 9309 2.3.1).

    A redirect status means that five redirects led nowhere, which counts as no file.
    """
    if 200 <= status < 300:
        return RobotsState.RULES
    if status == 429 or status >= 500 or status < 200:
        return RobotsState.UNAVAILABLE
    return RobotsState.ALLOWED


def robots_text(body: bytes) -> str:
    """Return the part of robots.txt that is parsed, as text, whatever bytes it contains."""
    if len(body) > MAX_ROBOTS_BYTES:
        body = body[:MAX_ROBOTS_BYTES]
        # The last line may be cut, and half a rule is another rule: `Allow: /` of `Allow: /public`.
        body = body[: max(body.rfind(b"\n"), body.rfind(b"\r")) + 1]
    return body.decode("utf-8-sig", errors="replace").replace("\0", "")


def delay_refusal(host: str, seconds: float) -> Reason:
    """Return the reason of every URL of a `host` whose Crawl-delay exceeds `MAX_CRAWL_DELAY_SECONDS`."""
    return Reason(ReasonCode.ROBOTS_DELAY, f"{host.partition('://')[2]} {seconds:g} {MAX_CRAWL_DELAY_SECONDS:g}")


class RobotsRules:
    """The rules of one robots.txt for one agent."""

    def __init__(self, text: str, agent: str) -> None:
        self._rules = Protego.parse("\n".join(_addressed(line, agent.lower()) for line in text.splitlines()))
        self._agent = agent.lower()

    def allows(self, url: str) -> bool:
        """Return whether `url` may be fetched."""
        try:
            return bool(self._rules.can_fetch(url, self._agent))
        except ValueError:
            logger.debug("robots.txt cannot judge %r", url)
            return False

    @property
    def sitemaps(self) -> list[str]:
        """The first `MAX_SITEMAPS` sitemaps of the file, as written."""
        return list(islice(self._rules.sitemaps, MAX_SITEMAPS))

    @property
    def crawl_delay_seconds(self) -> float:
        """The Crawl-delay, uncapped; 0 where there is none or it is not a number."""
        return self._rules.crawl_delay(self._agent) or 0.0


def _addressed(line: str, agent: str) -> str:
    """`line`; a User-agent line with its name replaced by `*`, `agent` or one name for all others.

    Protego would apply the group of `img` to `imgsearch`, and not that of `imgsearch/1.0`; RFC 9309 (2.2.1) compares
    whole names without a version. Also, it stores every rule once per name: 2,000 names before 2,000 rules (64 KiB)
    would be four million.
    """
    match = _AGENT_LINE.match(line)
    if match is None:
        return line
    product = _PRODUCT.match(match[2])
    name = product[0].lower() if product else ""
    return f"{match[1]} {name if name in ('*', agent) else f'not-{agent}'}"
