"""Reasons as frontiers up to version 4 stored them, in sentences, translated into codes.

The sentences below are those that were written then; they are independent of the ones that `reasons` has now.
"""

import re
from functools import lru_cache

from crawler.reasons import Reason, ReasonCode, stored

# A sentence, with a group for each value of its reason; the first that matches the whole text holds.
_SENTENCES: tuple[tuple[str, ReasonCode], ...] = (
    (r"on another host", ReasonCode.OFF_SITE),
    (r"deeper than the crawl goes", ReasonCode.TOO_DEEP),
    (r"beyond the number of URLs that a crawl takes from one host", ReasonCode.TOO_MANY_URLS),
    (r"URL longer than (\d+) characters", ReasonCode.URL_TOO_LONG),
    (r"more than (\d+) path segments", ReasonCode.TOO_MANY_SEGMENTS),
    (r"more than (\d+) query parameters", ReasonCode.TOO_MANY_PARAMETERS),
    (r"path repeats itself", ReasonCode.PATH_REPEATS),
    (r"query repeats itself", ReasonCode.QUERY_REPEATS),
    (r"taken down \((.*)\)", ReasonCode.TAKEN_DOWN),
    (r"the page says (.*)", ReasonCode.PAGE_DIRECTIVE),
    (r"the link says (.*)", ReasonCode.LINK_DIRECTIVE),
    (r"X-Robots-Tag says (.*)", ReasonCode.HEADER_DIRECTIVE),
    (r"robots\.txt of (\S+) does not allow (\S+) here", ReasonCode.ROBOTS),
    (
        r"robots\.txt of (\S+) asks for (\S+) s between requests, more than the (\S+) s that we wait",
        ReasonCode.ROBOTS_DELAY,
    ),
    (r"robots\.txt of (\S+) answered (.*)", ReasonCode.ROBOTS_UNAVAILABLE),
    (r"robots\.txt of (\S+) could not be read", ReasonCode.ROBOTS_UNKNOWN),
    (r"(.*) is a private address; use --allow-private", ReasonCode.PRIVATE_ADDRESS),
    (r"cannot reach (\S+): (.*)", ReasonCode.UNREACHABLE),
    (r"cannot reach *(.*)", ReasonCode.UNREACHABLE),
    (r"took longer than (\S+) s", ReasonCode.TOO_SLOW),
    (r"broke off: (.*)", ReasonCode.BROKEN_OFF),
    (r"answered (\d.*)", ReasonCode.HTTP_STATUS),
    (r"gone: answered (\d.*)", ReasonCode.GONE),
    (r"could not be read: (.*)", ReasonCode.UNREADABLE),
    (r"redirects to itself", ReasonCode.REDIRECTS_TO_ITSELF),
    (r"redirects in a circle", ReasonCode.REDIRECTS_IN_A_CIRCLE),
    (r"redirects more than (\d+) times", ReasonCode.REDIRECTS_TOO_OFTEN),
    (r"redirects to something that is not http", ReasonCode.REDIRECTS_NOT_TO_HTTP),
    (r"redirects to another host: (.*)", ReasonCode.REDIRECTS_OFF_SITE),
    (r"redirects to (.*)", ReasonCode.REDIRECTED),
    (r"known as an image", ReasonCode.KNOWN_AS_IMAGE),
    (r"a page, not an image", ReasonCode.A_PAGE),
    (r"neither a page nor an image we take \(no Content-Type\)", ReasonCode.NO_TYPE),
    (r"neither a page nor an image we take \((.*)\)", ReasonCode.OTHER_TYPE),
    (r"answers with something that is no image", ReasonCode.NO_LONGER_AN_IMAGE),
    (r"what comes after the first (\S+) references to images", ReasonCode.BEYOND_IMAGES),
    (r"what comes after the first (\S+) links", ReasonCode.BEYOND_LINKS),
    (r"data: URL with no picture in it", ReasonCode.PLACEHOLDER),
    (r"a reference that cannot be fetched", ReasonCode.BAD_REFERENCE),
    (r"it names nothing", ReasonCode.SITEMAP_EMPTY),
    (r"more than (\d+) sitemap indexes deep", ReasonCode.SITEMAP_TOO_DEEP),
    (r"larger than (\S+) MiB unpacked", ReasonCode.SITEMAP_TOO_LARGE),
    (r"more than (\S+ (?:elements|images|URLs|sitemaps))", ReasonCode.SITEMAP_TOO_LONG),
    (r"not a sitemap", ReasonCode.NOT_A_SITEMAP),
    (r"a page, not a sitemap", ReasonCode.SITEMAP_IS_A_PAGE),
    (r"a document type declaration, which no sitemap needs", ReasonCode.SITEMAP_DOCTYPE),
    (r"broken XML", ReasonCode.BROKEN_XML),
    (r"broken gzip", ReasonCode.BROKEN_GZIP),
    (r"larger than (\S+) MB(?:: (\S+) bytes)?", ReasonCode.TOO_LARGE),
    (r"same bytes as row (\d+)", ReasonCode.SAME_BYTES),
    (r"removed earlier \(row (\d+)\); imgsearch remove --undo row:\d+ brings it back", ReasonCode.REMOVED_EARLIER),
    (r"removed earlier \(row (\d+)\); it was erased: nothing brings it back", ReasonCode.ERASED_EARLIER),
    (r"empty: there are no bytes", ReasonCode.EMPTY),
    (r"not an image: (.*)", ReasonCode.NOT_AN_IMAGE),
    (r"not an image that is taken: (.*)", ReasonCode.UNSUPPORTED_FORMAT),
    (r"(.*) that cannot be read: its header is damaged or of a rare kind", ReasonCode.UNREADABLE_HEADER),
    (r"damaged image: (.*)", ReasonCode.DAMAGED_IMAGE),
    (r"no pixels: its width or height is zero", ReasonCode.NO_PIXELS),
    (r"more than (\S+) megapixels(?:: (.*))?", ReasonCode.TOO_MANY_PIXELS),
    (r"decoding it took too much memory", ReasonCode.DECODING_MEMORY),
    (r"decoding it took too much time", ReasonCode.DECODING_TIME),
    (r"decoding it made the decoder crash", ReasonCode.DECODER_CRASHED),
    (r"row (\d+) became row (\d+)", ReasonCode.ROW_REPLACED),
)
_PATTERNS = tuple((re.compile(pattern, re.DOTALL), code) for pattern, code in _SENTENCES)
_REFUSED = re.compile(r"its new bytes are refused: (.*)", re.DOTALL)
_LEFT_OUT = re.compile(r"(\d+) × (.*)", re.DOTALL)


@lru_cache(maxsize=1000)
def translated(text: str) -> tuple[str, str]:
    """Return (code, detail) of an old sentence; what none of them is keeps its text as detail, under the code OTHER."""
    reason = _nested(text) or _plain(text) or Reason(ReasonCode.OTHER, text)
    return stored(reason)


def _plain(text: str) -> Reason | None:
    for pattern, code in _PATTERNS:
        if match := pattern.fullmatch(text):
            return Reason(code, " ".join(value for value in match.groups() if value is not None))
    return None


def _nested(text: str) -> Reason | None:
    if match := _REFUSED.fullmatch(text):
        inner = _plain(match[1])
        return None if inner is None else Reason.nested(ReasonCode.NEW_BYTES_REFUSED, inner)
    counts: dict[Reason, int] = {}
    for part in text.split("; "):
        counted = _LEFT_OUT.fullmatch(part)
        reason = None if counted is None else _plain(counted[2])
        if counted is None or reason is None:
            return None
        counts[reason] = int(counted[1])
    return Reason.left_out(counts)
