"""Reasons for the outcome of a URL: a code that decisions compare, and the sentence that people read.

The detail of a reason holds values, never words to be matched: a host, a limit, a status. Where a sentence has several
values, they stand in the detail in its order, separated by blanks; only the last of them may contain blanks itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class ReasonCode(StrEnum):
    """Why a URL has its outcome. The values are stored in the frontier: never rename or reuse one."""

    # Scope and shape of the URL
    OFF_SITE = "off_site"
    TOO_DEEP = "too_deep"
    TOO_MANY_URLS = "too_many_urls"
    URL_TOO_LONG = "url_too_long"
    TOO_MANY_SEGMENTS = "too_many_segments"
    TOO_MANY_PARAMETERS = "too_many_parameters"
    PATH_REPEATS = "path_repeats"
    QUERY_REPEATS = "query_repeats"
    # Consent
    TAKEN_DOWN = "taken_down"
    PAGE_DIRECTIVE = "page_directive"
    LINK_DIRECTIVE = "link_directive"
    HEADER_DIRECTIVE = "header_directive"
    ROBOTS = "robots"
    ROBOTS_DELAY = "robots_delay"
    ROBOTS_UNAVAILABLE = "robots_unavailable"
    ROBOTS_UNKNOWN = "robots_unknown"
    # The request
    PRIVATE_ADDRESS = "private_address"
    UNREACHABLE = "unreachable"
    TOO_SLOW = "too_slow"
    BROKEN_OFF = "broken_off"
    HTTP_STATUS = "http_status"
    GONE = "gone"
    NOT_HTTP = "not_http"
    UNREADABLE = "unreadable"
    # Redirects
    REDIRECTED = "redirected"
    REDIRECTS_TO_ITSELF = "redirects_to_itself"
    REDIRECTS_IN_A_CIRCLE = "redirects_in_a_circle"
    REDIRECTS_TOO_OFTEN = "redirects_too_often"
    REDIRECTS_NOT_TO_HTTP = "redirects_not_to_http"
    REDIRECTS_OFF_SITE = "redirects_off_site"
    # The answer
    TOO_LARGE = "too_large"
    KNOWN_AS_IMAGE = "known_as_image"
    A_PAGE = "a_page"
    OTHER_TYPE = "other_type"
    NO_TYPE = "no_type"
    NO_LONGER_AN_IMAGE = "no_longer_an_image"
    # Parts of a page that were left out
    LEFT_OUT = "left_out"
    BEYOND_IMAGES = "beyond_images"
    BEYOND_LINKS = "beyond_links"
    PLACEHOLDER = "placeholder"
    BAD_REFERENCE = "bad_reference"
    # Sitemaps
    SITEMAP_EMPTY = "sitemap_empty"
    SITEMAP_TOO_DEEP = "sitemap_too_deep"
    SITEMAP_TOO_LARGE = "sitemap_too_large"
    SITEMAP_TOO_LONG = "sitemap_too_long"
    NOT_A_SITEMAP = "not_a_sitemap"
    SITEMAP_IS_A_PAGE = "sitemap_is_a_page"
    SITEMAP_DOCTYPE = "sitemap_doctype"
    BROKEN_XML = "broken_xml"
    BROKEN_GZIP = "broken_gzip"
    # What `keep` answered
    SAME_BYTES = "same_bytes"
    REMOVED_EARLIER = "removed_earlier"
    ERASED_EARLIER = "erased_earlier"
    EMPTY = "empty"
    NOT_AN_IMAGE = "not_an_image"
    UNSUPPORTED_FORMAT = "unsupported_format"
    UNREADABLE_HEADER = "unreadable_header"
    DAMAGED_IMAGE = "damaged_image"
    NO_PIXELS = "no_pixels"
    TOO_MANY_PIXELS = "too_many_pixels"
    DECODING_MEMORY = "decoding_memory"
    DECODING_TIME = "decoding_time"
    DECODER_CRASHED = "decoder_crashed"
    ROW_REPLACED = "row_replaced"
    NEW_BYTES_REFUSED = "new_bytes_refused"

    OTHER = "other"  # prose from a frontier that was written before there were codes


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a URL has its outcome."""

    code: ReasonCode
    detail: str = ""  # the values of its sentence

    def __str__(self) -> str:
        return sentence(self)

    @classmethod
    def nested(cls, code: ReasonCode, inner: "Reason") -> "Reason":
        """A reason whose only value is another reason."""
        return cls(code, _packed(inner))

    @classmethod
    def left_out(cls, counts: "Mapping[Reason, int]") -> "Reason | None":
        """The reason of a page of which parts were left out; None where none was."""
        parts = "; ".join(f"{n} {_packed(reason)}" for reason, n in counts.items())
        return cls(ReasonCode.LEFT_OUT, parts) if parts else None


# {} stands for a value of the detail.
_SENTENCES: dict[ReasonCode, str] = {
    ReasonCode.OFF_SITE: "on another host",
    ReasonCode.TOO_DEEP: "deeper than the crawl goes",
    ReasonCode.TOO_MANY_URLS: "beyond the number of URLs that a crawl takes from one host",
    ReasonCode.URL_TOO_LONG: "URL longer than {} characters",
    ReasonCode.TOO_MANY_SEGMENTS: "more than {} path segments",
    ReasonCode.TOO_MANY_PARAMETERS: "more than {} query parameters",
    ReasonCode.PATH_REPEATS: "path repeats itself",
    ReasonCode.QUERY_REPEATS: "query repeats itself",
    ReasonCode.TAKEN_DOWN: "taken down ({})",
    ReasonCode.PAGE_DIRECTIVE: "the page says {}",
    ReasonCode.LINK_DIRECTIVE: "the link says {}",
    ReasonCode.HEADER_DIRECTIVE: "X-Robots-Tag says {}",
    ReasonCode.ROBOTS: "robots.txt of {} does not allow {} here",
    ReasonCode.ROBOTS_DELAY: "robots.txt of {} asks for {} s between requests, more than the {} s that we wait",
    ReasonCode.ROBOTS_UNAVAILABLE: "robots.txt of {} answered {}",
    ReasonCode.ROBOTS_UNKNOWN: "robots.txt of {} could not be read",
    ReasonCode.PRIVATE_ADDRESS: "{} is a private address",
    ReasonCode.UNREACHABLE: "cannot reach {}: {}",
    ReasonCode.TOO_SLOW: "took longer than {} s",
    ReasonCode.BROKEN_OFF: "broke off: {}",
    ReasonCode.HTTP_STATUS: "answered {}",
    ReasonCode.GONE: "gone: answered {}",
    ReasonCode.NOT_HTTP: "not an http or https URL",
    ReasonCode.UNREADABLE: "could not be read: {}",
    ReasonCode.REDIRECTED: "redirects to {}",
    ReasonCode.REDIRECTS_TO_ITSELF: "redirects to itself",
    ReasonCode.REDIRECTS_IN_A_CIRCLE: "redirects in a circle",
    ReasonCode.REDIRECTS_TOO_OFTEN: "redirects more than {} times",
    ReasonCode.REDIRECTS_NOT_TO_HTTP: "redirects to something that is not http",
    ReasonCode.REDIRECTS_OFF_SITE: "redirects to another host: {}",
    ReasonCode.TOO_LARGE: "larger than {} MB: {} bytes",
    ReasonCode.KNOWN_AS_IMAGE: "known as an image",
    ReasonCode.A_PAGE: "a page, not an image",
    ReasonCode.OTHER_TYPE: "neither a page nor an image we take ({})",
    ReasonCode.NO_TYPE: "neither a page nor an image we take (no Content-Type)",
    ReasonCode.NO_LONGER_AN_IMAGE: "answers with something that is no image",
    ReasonCode.BEYOND_IMAGES: "what comes after the first {} references to images",
    ReasonCode.BEYOND_LINKS: "what comes after the first {} links",
    ReasonCode.PLACEHOLDER: "data: URL with no picture in it",
    ReasonCode.BAD_REFERENCE: "a reference that cannot be fetched",
    ReasonCode.SITEMAP_EMPTY: "it names nothing",
    ReasonCode.SITEMAP_TOO_DEEP: "more than {} sitemap indexes deep",
    ReasonCode.SITEMAP_TOO_LARGE: "larger than {} MiB unpacked",
    ReasonCode.SITEMAP_TOO_LONG: "more than {}",
    ReasonCode.NOT_A_SITEMAP: "not a sitemap",
    ReasonCode.SITEMAP_IS_A_PAGE: "a page, not a sitemap",
    ReasonCode.SITEMAP_DOCTYPE: "a document type declaration, which no sitemap needs",
    ReasonCode.BROKEN_XML: "broken XML",
    ReasonCode.BROKEN_GZIP: "broken gzip",
    ReasonCode.SAME_BYTES: "same bytes as row {}",
    ReasonCode.REMOVED_EARLIER: "removed earlier (row {})",
    ReasonCode.ERASED_EARLIER: "removed earlier (row {}); it was erased: nothing brings it back",
    ReasonCode.EMPTY: "empty: there are no bytes",
    ReasonCode.NOT_AN_IMAGE: "not an image: {}",
    ReasonCode.UNSUPPORTED_FORMAT: "not an image that is taken: {}",
    ReasonCode.UNREADABLE_HEADER: "{} that cannot be read: its header is damaged or of a rare kind",
    ReasonCode.DAMAGED_IMAGE: "damaged image: {}",
    ReasonCode.NO_PIXELS: "no pixels: its width or height is zero",
    ReasonCode.TOO_MANY_PIXELS: "more than {} megapixels: {}",
    ReasonCode.DECODING_MEMORY: "decoding it took too much memory",
    ReasonCode.DECODING_TIME: "decoding it took too much time",
    ReasonCode.DECODER_CRASHED: "decoding it made the decoder crash",
    ReasonCode.ROW_REPLACED: "row {} became row {}",
    ReasonCode.NEW_BYTES_REFUSED: "its new bytes are refused: {}",
    ReasonCode.OTHER: "{}",
}
# The same without the last value, where that differs from URL to URL or may be missing.
_SUMMARIES: dict[ReasonCode, str] = {
    ReasonCode.TOO_LARGE: "larger than {} MB",
    ReasonCode.SAME_BYTES: "same bytes as another row",
    ReasonCode.REMOVED_EARLIER: "removed earlier",
    ReasonCode.ERASED_EARLIER: "removed earlier; it was erased: nothing brings it back",
    ReasonCode.DAMAGED_IMAGE: "damaged image",
    ReasonCode.TOO_MANY_PIXELS: "more than {} megapixels",
}


def sentence(reason: Reason | None) -> str:
    """Return what a reader should see, without a full stop; "" where there is no reason."""
    if reason is None:
        return ""
    if reason.code is ReasonCode.LEFT_OUT:
        parts = (part.partition(" ") for part in reason.detail.split("; "))
        return "; ".join(f"{n} × {sentence(_unpacked(packed))}" for n, _, packed in parts)
    if reason.code is ReasonCode.NEW_BYTES_REFUSED:
        return _SENTENCES[reason.code].format(sentence(_unpacked(reason.detail)))
    values = _values(reason)
    if reason.code in _SUMMARIES and not all(values):
        return summary(reason)
    return _SENTENCES[reason.code].format(*values)


def summary(reason: Reason) -> str:
    """Return the sentence without what differs from URL to URL, so that URLs can be counted by it."""
    words = _SUMMARIES.get(reason.code)
    return sentence(reason) if words is None else words.format(*_values(reason))


def _values(reason: Reason) -> list[str]:
    """The values of the sentence, empty ones where the detail has fewer."""
    n_values = _SENTENCES[reason.code].count("{}")
    values = reason.detail.split(" ", n_values - 1) if n_values else []
    return values + [""] * (n_values - len(values))


def stored(reason: Reason | None) -> tuple[str, str]:
    """Return (code, detail) as the frontier stores them; both empty where there is no reason."""
    return ("", "") if reason is None else (reason.code.value, reason.detail)


def from_stored(code: str, detail: str) -> Reason | None:
    """Return the reason that `stored` turned into (code, detail)."""
    return Reason(ReasonCode(code), detail) if code else None


def _packed(reason: Reason) -> str:
    return f"{reason.code.value} {reason.detail}".rstrip()


def _unpacked(text: str) -> Reason:
    code, _, detail = text.partition(" ")
    return Reason(ReasonCode(code), detail)
