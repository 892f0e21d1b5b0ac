"""One bounded GET.

Every request is http or https, to no private address unless allowed (`connections` resolves the name once, checks the
address and dials that same address), without the environment's proxies, without cookies, with a limit on the *decoded*
bytes and a total deadline. A redirect is returned, not followed: the caller decides (robots.txt of the new host, scope,
pace), except in `fetch_robots` and `fetch_image`, which check each hop.
"""

import http.client
import re
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, metadata
from typing import NamedTuple, Self

import requests
import urllib3
from urllib3.util.ssl_match_hostname import CertificateError

from crawler.errors import FetchFailed, RobotsRefused
from crawler.fetching.connections import NO_RETRIES, Connections
from crawler.fetching.deadline import Deadline
from crawler.fetching.sniff import Kind, sniff
from crawler.parsing.robots import (
    MAX_ROBOTS_BYTES,
    RobotsRules,
    RobotsState,
    robots_state,
    robots_text,
)
from crawler.parsing.urls import absolute_url, origin, seed_url
from crawler.reasons import Reason, ReasonCode, sentence

AGENT = "imgsearch"  # the name for which robots.txt has rules
MAX_REDIRECTS = 5
MAX_RETRY_AFTER_SECONDS = 3600.0  # a longer Retry-After is cut to this
_CHUNK = 1 << 16
_MAX_VALIDATOR = 300  # characters of an ETag or a date; longer ones are not stored
_NOT_HTTP = "its answer is not HTTP"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_WORTH_ANOTHER_TRY = frozenset({408, 425, 429})


@dataclass(frozen=True)
class FetchLimits:
    """Limits of one GET: bytes and seconds."""

    image_bytes: int = 20_000_000  # decoded
    page_bytes: int = 5_000_000  # decoded
    connect_seconds: float = 10.0
    read_seconds: float = 10.0  # without any byte
    total_seconds: float = 60.0  # from the request to the last byte


@dataclass(frozen=True)
class Fetched:
    """One answer: a body, or the target of a redirect."""

    url: str
    content_type: str = ""
    body: bytes = b""
    kind: Kind = Kind.OTHER
    location: str = ""  # target of a redirect, absolute; then there is no body
    robots_tags: tuple[str, ...] = ()  # the X-Robots-Tag headers
    answer_seconds: float = 0.0  # from the request to the head of the answer
    etag: str = ""
    last_modified: str = ""
    not_modified: bool = False  # the answer to a conditional request; then there is no body


def user_agent(contact: str = "") -> str:
    """`imgsearch/<version> (+<contact>)`; without a contact the address that the package states, if any."""
    try:
        about = metadata("imgsearch")
    except PackageNotFoundError:
        return f"{AGENT}/0" + (f" (+{contact})" if contact else "")
    addresses = dict(entry.split(", ", 1) for entry in about.get_all("Project-URL") or [])
    contact = contact or addresses.get("Crawler", "")
    return f"{AGENT}/{about['Version']}" + (f" (+{contact})" if contact else "")


class Fetcher:
    """Sends requests over connections that are kept alive. One per thread; a context manager."""

    def __init__(self, *, allow_private: bool = False, agent: str = "", limits: FetchLimits = FetchLimits()) -> None:
        self._limits = limits
        self._deadline = Deadline()
        self._connections = Connections(self._deadline, allow_private=allow_private)
        self._headers = {"User-Agent": agent or user_agent(), "Accept": "*/*", "Accept-Encoding": "gzip, deflate"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._connections.close()

    def for_all(self) -> AbstractContextManager[None]:
        """Limit all requests inside to the time of one together: `FetchLimits.total_seconds`."""
        return self._deadline.for_all(self._limits.total_seconds)

    def get(self, url: str, *, first_bytes: int | None = None, etag: str = "", last_modified: str = "") -> Fetched:
        """Send one GET for `url`.

        Args:
            url: http or https.
            first_bytes: read at most this much of the body, instead of refusing a larger one.
            etag, last_modified: of an earlier answer; the body is sent only if it has changed since.

        Raises:
            FetchFailed: there is no answer, it is an error, or it exceeds the limits.
        """
        limits = self._limits
        self._deadline.start(limits.total_seconds, limits.read_seconds)
        status: int | None = None
        started_at = time.monotonic()
        try:
            conditions = {"If-None-Match": etag, "If-Modified-Since": last_modified}
            conditions = {name: value for name, value in conditions.items() if value}
            with closing(self._ask(url, conditions)) as answer:
                status = answer.status
                answer_seconds = time.monotonic() - started_at
                location = _location(answer, url)
                if location:
                    return Fetched(url, location=location, answer_seconds=answer_seconds)
                if conditions and status == 304:
                    return Fetched(url, not_modified=True, answer_seconds=answer_seconds)
                _require_success(answer)
                return self._read(answer, url, first_bytes, answer_seconds)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            # ValueError: a host or header that a library below cannot encode.
            raise self._failure(error, url, status) from error

    def _ask(self, url: str, conditions: dict[str, str]) -> urllib3.BaseHTTPResponse:
        route = self._connections.route(url)
        limits = self._limits
        return route.pool.urlopen(
            "GET",
            route.target,
            headers=self._headers | conditions | route.headers,
            timeout=urllib3.Timeout(min(limits.connect_seconds, self._deadline.seconds_left()), limits.read_seconds),
            retries=NO_RETRIES,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
        )

    def _read(
        self, answer: urllib3.BaseHTTPResponse, url: str, first_bytes: int | None, answer_seconds: float
    ) -> Fetched:
        content_type = answer.headers.get("Content-Type", "")
        body = bytearray()
        kind = sniff(b"", content_type)
        for chunk in answer.stream(_CHUNK, decode_content=True):
            body += chunk
            if len(body) == len(chunk):
                kind = sniff(chunk, content_type)
            if first_bytes is not None and len(body) >= first_bytes:
                del body[first_bytes:]
                break
            limit = self._limits.image_bytes if kind == Kind.IMAGE else self._limits.page_bytes
            if first_bytes is None and len(body) > limit:
                raise FetchFailed(Reason(ReasonCode.TOO_LARGE, f"{limit / 1e6:g}"), status=answer.status)
        tags = tuple(answer.headers.getlist("X-Robots-Tag"))
        etag, last_modified = (_validator(answer.headers.get(name, "")) for name in ("ETag", "Last-Modified"))
        return Fetched(
            url,
            content_type,
            bytes(body),
            kind,
            robots_tags=tags,
            answer_seconds=answer_seconds,
            etag=etag,
            last_modified=last_modified,
        )

    def _failure(self, error: Exception, url: str, status: int | None) -> FetchFailed:
        host = origin(url).partition("://")[2]
        causes = list(_causes(error))
        if self._deadline.is_over:
            slow = Reason(ReasonCode.TOO_SLOW, f"{self._limits.total_seconds:g}")
            return FetchFailed(slow, again=True, status=status)
        why = _why(causes, in_body=status is not None)
        if status is not None:
            return FetchFailed(Reason(ReasonCode.BROKEN_OFF, why), again=True, status=status)
        return FetchFailed(Reason(ReasonCode.UNREACHABLE, f"{host} {why}"), again=True)


def _location(answer: urllib3.BaseHTTPResponse, url: str) -> str:
    """The target of the redirect `answer`, absolute; "" where it is none."""
    if answer.status not in _REDIRECTS or not answer.headers.get("Location"):
        return ""
    text = answer.headers["Location"]
    with suppress(UnicodeError):
        text = text.encode("latin-1").decode()  # http.client reads headers as Latin-1, most servers write UTF-8
    location = absolute_url(url, text)
    if location is None:
        raise FetchFailed(Reason(ReasonCode.REDIRECTS_NOT_TO_HTTP), status=answer.status)
    return location


def _validator(text: str) -> str:
    """An ETag or Last-Modified header that can be stored and sent back; "" otherwise."""
    return text if len(text) <= _MAX_VALIDATOR and text.isascii() and text.isprintable() else ""


def _require_success(answer: urllib3.BaseHTTPResponse) -> None:
    status = answer.status
    if status == 200:
        return
    again = status >= 500 or status in _WORTH_ANOTHER_TRY
    wait = _retry_after(answer.headers.get("Retry-After", "")) if again else None
    phrase = answer.reason if answer.reason and answer.reason.isprintable() else ""
    reason = Reason(ReasonCode.HTTP_STATUS, f"{status} {phrase[:40]}".rstrip())
    raise FetchFailed(reason, again=again, wait_seconds=wait, status=status)


def _retry_after(text: str) -> float | None:
    """The seconds of a Retry-After header, a number or a date, at most `MAX_RETRY_AFTER_SECONDS`."""
    try:
        if re.fullmatch(r"\s*\d{1,18}\s*", text, re.ASCII):
            seconds = float(text)
        else:
            date = parsedate_to_datetime(text)
            seconds = (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """`error` and its causes, through the libraries that wrap one another."""
    queue: list[object] = [error]
    seen: set[int] = set()
    while queue:
        one = queue.pop(0)
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            queue += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]


def _why(causes: list[BaseException], *, in_body: bool) -> str:
    words: list[tuple[type[BaseException] | tuple[()], str]] = [
        (socket.gaierror, "name not known"),
        (UnicodeError, "name not known"),  # a name that cannot be encoded
        (ssl.SSLCertVerificationError, "its certificate is not valid"),
        (CertificateError, "its certificate is not valid"),
        (ssl.SSLError, "no secure connection"),
        (urllib3.exceptions.SSLError, "no secure connection"),
        (ConnectionRefusedError, "connection refused"),
        (urllib3.exceptions.DecodeError, "compressed data that cannot be read"),
        (TimeoutError, "no answer in time"),
        (urllib3.exceptions.ReadTimeoutError, "no answer in time"),
        (urllib3.exceptions.ProtocolError if in_body else (), "less data than announced"),
        (ConnectionError, "connection closed"),
        (http.client.HTTPException, _NOT_HTTP),
        (urllib3.exceptions.InvalidHeader, _NOT_HTTP),
        (ValueError, _NOT_HTTP),  # a negative length, and whatever else a library below rejects
    ]
    for kind, text in words:
        if any(isinstance(cause, kind) for cause in causes):
            return text
    system = next((c.strerror for c in causes if isinstance(c, OSError) and c.strerror), None)
    return system or type(causes[0]).__name__


# ----------------------------------------------------------------------------
# tasks of more than one request


class RobotsAnswer(NamedTuple):
    """The robots.txt of a host."""

    state: RobotsState
    text: str = ""
    reason: Reason | None = None  # why it is unavailable


def fetch_robots(fetcher: Fetcher, host: str) -> RobotsAnswer:
    """Fetch robots.txt of `host` (scheme, host, port); at most five redirects are followed, also to other hosts.

    Raises:
        FetchFailed: the host cannot be reached.
    """
    url = f"{host}/robots.txt"
    with fetcher.for_all():
        for _ in range(MAX_REDIRECTS + 1):
            try:
                fetched = fetcher.get(url, first_bytes=MAX_ROBOTS_BYTES + 1)  # one more byte shows that there is more
            except FetchFailed as failure:
                if failure.status is None or failure.status == 200:
                    raise
                state = robots_state(failure.status)
                # Unavailable is always an error status, so the detail of the failure is that status.
                return RobotsAnswer(
                    state, reason=Reason(ReasonCode.ROBOTS_UNAVAILABLE, f"{host} {failure.reason.detail}")
                )
            if not fetched.location:
                return RobotsAnswer(RobotsState.RULES, robots_text(fetched.body))
            url = fetched.location
    return RobotsAnswer(RobotsState.ALLOWED)


def refusal(host: str) -> Reason:
    """Return the reason of a URL that robots.txt of `host` forbids."""
    return Reason(ReasonCode.ROBOTS, f"{host.partition('://')[2]} {AGENT}")


def fetch_image(
    url: str, *, allow_private: bool = False, agent: str = "", limits: FetchLimits = FetchLimits()
) -> bytes:
    """Fetch one image, for a query by URL: robots.txt is obeyed and each redirect checked, as in a crawl.

    All requests together, including those for robots.txt, have `limits.total_seconds`.

    Raises:
        FetchFailed: with one sentence that names the URL or host and says why.
    """
    current = seed_url(url)
    if current is None:
        raise FetchFailed(Reason(ReasonCode.NOT_HTTP), f"{url} is not an http or https URL")
    with Fetcher(allow_private=allow_private, agent=agent, limits=limits) as fetcher, fetcher.for_all():
        for _ in range(MAX_REDIRECTS + 1):
            _require_permission(fetcher, current)
            fetched = _get_named(fetcher, current)
            if fetched.kind == Kind.IMAGE:
                return fetched.body
            if not fetched.location:
                raise _not_an_image(fetched)
            current = fetched.location
    raise _named(url, FetchFailed(Reason(ReasonCode.REDIRECTS_TOO_OFTEN, str(MAX_REDIRECTS))))


def _not_an_image(fetched: Fetched) -> FetchFailed:
    if fetched.kind == Kind.PAGE:
        return FetchFailed(Reason(ReasonCode.A_PAGE), f"{fetched.url} is a page, not an image")
    return FetchFailed(type_refusal(fetched.content_type), f"{fetched.url} is a file, not an image")


def type_refusal(content_type: str) -> Reason:
    """Return the reason of an answer that is neither a page nor an image."""
    stated = content_type.partition(";")[0].strip()[:60]
    return Reason(ReasonCode.OTHER_TYPE, stated) if stated and stated.isprintable() else Reason(ReasonCode.NO_TYPE)


def _get_named(fetcher: Fetcher, url: str) -> Fetched:
    """Call `Fetcher.get`; failures name the URL."""
    try:
        return fetcher.get(url)
    except FetchFailed as failure:
        if failure.status is None:
            raise
        raise _named(url, failure) from failure


def _named(url: str, failure: FetchFailed) -> FetchFailed:
    message = f"{url} {sentence(failure.reason)}"
    return FetchFailed(failure.reason, message, again=failure.again, status=failure.status)


def _require_permission(fetcher: Fetcher, url: str) -> None:
    host = origin(url)
    answer = fetch_robots(fetcher, host)
    if answer.state == RobotsState.UNAVAILABLE:
        assert answer.reason is not None
        raise RobotsRefused(answer.reason, f"{sentence(answer.reason)}, so nothing may be fetched from there now")
    if answer.state == RobotsState.RULES and not RobotsRules(answer.text, AGENT).allows(url):
        raise RobotsRefused(refusal(host))
