"""What robots.txt allows. Pure: text in, decision out; nothing here raises.

Protego parses robots.txt; the rules for the status of its answer are RFC 9309, section 2.3.1. Who asks for the file,
when, and where the answer is kept is not known here.
"""

import logging
import re
from enum import StrEnum
from itertools import islice

from protego import Protego

from crawler.reasons import Reason, ReasonCode

logger = logging.getLogger(__name__)

MAX_ROBOTS_BYTES = 500 * 1024  # RFC 9309 2.5: at least 500 KiB must be parsed
MAX_SITEMAPS = 100  # that one robots.txt may name
FRESH_SECONDS = 24 * 3600.0  # RFC 9309 2.4: not kept longer than a day
ASK_AGAIN_SECONDS = 300.0  # after 5xx, 429 or silence, as Apache Nutch
MAX_CRAWL_DELAY_SECONDS = 60.0  # a host that asks for more is left alone; Nutch draws the line at 30, Heritrix at 300

_AGENT_LINE = re.compile(r"(\s*user[-\s]*agent\s*[:\s])\s*([^#]*)", re.IGNORECASE)
_PRODUCT = re.compile(r"[\w-]+|\*", re.ASCII)


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
    if len(body) > MAX_ROBOTS_BYTES:
        body = body[:MAX_ROBOTS_BYTES]
        # The last line is cut, and half a rule is another rule: `Allow: /` of `Allow: /public`.
        body = body[: max(body.rfind(b"\n"), body.rfind(b"\r")) + 1]
    return body.decode("utf-8-sig", errors="replace").replace("\0", "")


def delay_refusal(host: str, seconds: float) -> Reason:
    """Return the reason of every URL of a `host` whose Crawl-delay is longer than we wait."""
    return Reason(ReasonCode.ROBOTS_DELAY, f"{host.partition('://')[2]} {seconds:g} {MAX_CRAWL_DELAY_SECONDS:g}")


class RobotsRules:
    """One robots.txt, as it reads for one agent."""

    def __init__(self, text: str, agent: str) -> None:
        self._rules = Protego.parse("\n".join(_addressed(line, agent.lower()) for line in text.splitlines()))
        self._agent = agent.lower()

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


def _addressed(line: str, agent: str) -> str:
    """`line`; where it begins a group, with no more than three names: `*`, `agent`, and one for all others.

    Protego would take the group of `img` for ours and that of `imgsearch/1.0` for another's, where RFC 9309 (2.2.1)
    compares whole names without a version. And it keeps every rule once for each name: 2,000 names before 2,000 rules
    (64 KiB) are four million.
    """
    match = _AGENT_LINE.match(line)
    if match is None:
        return line
    product = _PRODUCT.match(match[2])
    name = product[0].lower() if product else ""
    return f"{match[1]} {name if name in ('*', agent) else f'not-{agent}'}"
