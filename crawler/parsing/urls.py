"""URLs: keys, origins, hosts, and traps. Pure: text in, decision out.

`url_key`, `absolute_url` and `seed_url` take any text; the other functions take what these return. Nothing here raises.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from urllib.parse import unquote, urljoin, urlsplit

from w3lib.url import canonicalize_url, safe_url_string, url_query_cleaner

from crawler.reasons import Reason, ReasonCode

SCHEMES = frozenset({"http", "https"})
DEFAULT_PORTS = {"http": 80, "https": 443}
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif", ".bmp", ".tif", ".tiff")

MAX_URL_LENGTH = 2083  # the limit of old browsers and of Scrapy
MAX_HOST_LENGTH = 300  # of user, host and port together; a host name has at most 253 characters
MAX_SEGMENTS = 20  # as Heritrix's TooManyPathSegmentsDecideRule
MAX_PARAMETERS = 20  # of one query
MAX_REPETITIONS = 2  # as Heritrix's PathologicalPathDecideRule: a/b/a/b is allowed, a/b/a/b/a/b is a trap

# Parameters that track visitors and do not select content. Compared in lower case.
TRACKING_PARAMETERS = frozenset(
    {"fbclid", "gclid", "dclid", "gbraid", "wbraid", "msclkid", "yclid", "igshid", "mc_cid", "mc_eid", "_ga", "_gl"}
    | {"phpsessid", "jsessionid", "cfid", "cftoken"}
)
# Session numbers: such a parameter only if its value looks like one (hexadecimal, UUID, long and mixed); ASP's always.
_NUMBER = r"(?:[0-9a-f]{16,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?=[a-z]*[0-9])[0-9a-z]{24,})"
_SESSION_PARAMETER = re.compile(
    rf"(?:sid|session|session_?id|oscsid|zenid)={_NUMBER}|aspsessionid\w*=.*", re.IGNORECASE
)
_SESSION_IN_PATH = re.compile(r";(?:jsessionid|sid)=[^/?#]*|/\(S\([0-9a-z]+\)\)(?=[/;])", re.IGNORECASE)
_QUERY_PARTS = re.compile(r"[&/?;]+")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def absolute_url(base: str, reference: str, encoding: str = "utf-8") -> str | None:
    """Return `reference`, as written on the page `base`, as a URL to fetch (no fragment); None if it is not http(s).

    `javascript:`, `file:`, `ftp:`, `blob:` and `data:` give None, and so do URLs that cannot be parsed. Characters
    outside ASCII are encoded in UTF-8, in the query in the `encoding` of the page, as in browsers.
    """
    try:
        url = _percent_encoded(urljoin(base, reference.strip()), encoding).partition("#")[0]
        parts = urlsplit(url)
        names_host = bool(parts.hostname) and parts.port != 0  # .port raises where it is no number
    except (ValueError, UnicodeError):
        return None
    names_host = names_host and parts.netloc.isprintable() and " " not in parts.netloc
    names_host = names_host and len(parts.netloc) <= MAX_HOST_LENGTH
    return url if parts.scheme in SCHEMES and names_host else None


def _percent_encoded(url: str, encoding: str) -> str:
    if encoding != "utf-8":
        with suppress(UnicodeEncodeError, LookupError):
            return safe_url_string(url, encoding)
    return safe_url_string(url)


def seed_url(text: str) -> str | None:
    """Return typed text as a URL to fetch, with https where no scheme is given; None if it cannot be one."""
    text = text.strip()
    has_scheme = _SCHEME.match(text) and not re.match(r"[^/:]+:\d+(/|$)", text)  # host:8000/ has a port, not a scheme
    url = absolute_url("", text if has_scheme else f"https://{text.removeprefix('//')}")
    return url if url is None or urlsplit(url).path else f"{url}/"


def url_key(url: str) -> str:
    """Return the key of `url`, which is equal for URLs of the same resource. A key is never fetched.

    It has a lower-case host, no default port, no fragment, resolved dot segments, a sorted query, no tracking
    parameters and no session numbers. A URL that cannot be parsed is its own key; an overlong one has a digest.
    """
    if len(url) > MAX_URL_LENGTH:
        return f"long:{sha256(url.encode(errors='surrogatepass')).hexdigest()}"
    try:
        url = _SESSION_IN_PATH.sub("", url)
        parameters = urlsplit(url).query.split("&")
        names = [parameter.partition("=")[0] for parameter in parameters if _is_tracking(parameter)]
        url = url_query_cleaner(url, names, remove=True, unique=False)
        parts = urlsplit(canonicalize_url(url))
        netloc = parts.netloc.removesuffix(f":{DEFAULT_PORTS.get(parts.scheme)}")
        return parts._replace(netloc=netloc).geturl()
    except (ValueError, UnicodeError):
        return url


def _is_tracking(parameter: str) -> bool:
    name = parameter.partition("=")[0].lower()
    is_session = _SESSION_PARAMETER.fullmatch(parameter) is not None
    return is_session or name.startswith("utm_") or name in TRACKING_PARAMETERS


def origin(url: str) -> str:
    """Return scheme, host and port: `https://example.org`, `http://127.0.0.1:8000`. Each has its own robots.txt."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    port = parts.port if parts.port != DEFAULT_PORTS.get(parts.scheme) else None
    return f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")


def site(url: str) -> str:
    """Return the host as the unit of link scope: without scheme, default port and leading `www.`."""
    return origin(url).partition("://")[2].removeprefix("www.")


def in_scope(url: str, sites: Iterable[str]) -> bool:
    """Return whether `url` is on one of `sites` (see `site`)."""
    return site(url) in set(sites)


def names_image(url: str) -> bool:
    """Return whether the path ends like the name of an image file."""
    try:
        return urlsplit(url).path.lower().endswith(IMAGE_SUFFIXES)
    except ValueError:  # it cannot be parsed
        return False


def trap(url: str) -> Reason | None:
    """Return the reason why `url` looks like one of endlessly many; None if it does not."""
    if len(url) > MAX_URL_LENGTH:
        return Reason(ReasonCode.URL_TOO_LONG, str(MAX_URL_LENGTH))
    parts = urlsplit(url)
    segments = [segment for segment in parts.path.split("/") if segment]
    if len(segments) > MAX_SEGMENTS:
        return Reason(ReasonCode.TOO_MANY_SEGMENTS, str(MAX_SEGMENTS))
    if _repeats(segments):
        return Reason(ReasonCode.PATH_REPEATS)
    if len([parameter for parameter in parts.query.split("&") if parameter]) > MAX_PARAMETERS:
        return Reason(ReasonCode.TOO_MANY_PARAMETERS, str(MAX_PARAMETERS))
    # A query that contains itself (?back=/a?back=/a?back=/a) is encoded once more each time.
    query = _QUERY_PARTS.split(unquote(unquote(unquote(parts.query))))
    if _repeats([part for part in query if part][: 3 * MAX_PARAMETERS]):
        return Reason(ReasonCode.QUERY_REPEATS)
    return None


def _repeats(segments: list[str]) -> bool:
    """Whether a run of segments is repeated more than `MAX_REPETITIONS` times in a row."""
    times = MAX_REPETITIONS + 1
    for size in range(1, len(segments) // times + 1):
        for start in range(len(segments) - size * times + 1):
            run = segments[start : start + size]
            if segments[start : start + size * times] == run * times:
                return True
    return False
