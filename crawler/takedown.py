"""What was taken down: a host, all URLs that begin like one, or one URL. Pure: text in, decision out; nothing raises.

Knows how a takedown is written and which URLs it covers, in whatever spelling; not where it is remembered.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from crawler.errors import SeedError
from crawler.parsing.urls import seed_url, site, url_key
from crawler.reasons import Reason, ReasonCode

HOST, PREFIX, URL = "host", "url-prefix", "url"  # what `Takedown.kind` may be; stored, so never renamed
_PORT = re.compile(r":\d+$")


@dataclass(frozen=True)
class Takedown:
    """One takedown, as it is stored. `of_host`, `of_prefix` and `of_url` make it of what a person typed."""

    kind: str  # HOST, PREFIX or URL
    value: str  # a host ("*.example.org": and all below it), or a URL

    @classmethod
    def of_host(cls, text: str) -> Self:
        """Of `example.org`, `example.org:8000` or `*.example.org`. SeedError where that is no host."""
        below = "*." if text.startswith("*.") else ""
        url = seed_url(text.removeprefix("*."))
        if url is None:
            raise SeedError(f"{text!r} is not the name of a host")
        return cls(HOST, below + _named_host(url))

    @classmethod
    def of_prefix(cls, text: str) -> Self:
        """Of the beginning of URLs; http and https count alike. SeedError where it is no URL."""
        return cls(PREFIX, _typed_url(text))

    @classmethod
    def of_url(cls, text: str) -> Self:
        """Of one URL. SeedError where it is none."""
        return cls(URL, _typed_url(text))

    @property
    def reason(self) -> Reason:
        """Why a URL that it covers is not fetched."""
        return Reason(ReasonCode.TAKEN_DOWN, f"{self.kind} {self.value}")

    @property
    def host(self) -> str:
        """A text that every URL that it covers contains, in lower case."""
        named = self.value.removeprefix("*.") if self.kind == HOST else _named_host(self.value)
        return _PORT.sub("", named)

    def covers(self, url: str) -> bool:
        """Whether `url` is taken down by this."""
        if self.kind == HOST:
            return self._covers_host(_named_host(url))
        ours, asked = _bare_key(self.value), _bare_key(url)
        return asked.startswith(ours) if self.kind == PREFIX else asked == ours

    def _covers_host(self, named: str) -> bool:
        without_port = _PORT.sub("", named)
        if self.value.startswith("*."):
            top = self.value.removeprefix("*.")
            return without_port == top or without_port.endswith(f".{top}")
        return self.value in (named, without_port)


def refusal_of(takedowns: Iterable[Takedown], url: str) -> Reason | None:
    """Return the reason why `url` may not be fetched; None where no takedown covers it."""
    return next((takedown.reason for takedown in takedowns if takedown.covers(url)), None)


def _typed_url(text: str) -> str:
    url = seed_url(text)
    if url is None:
        raise SeedError(f"{text!r} is not an http or https URL")
    return url


def _named_host(url: str) -> str:
    """Host and port of `url` without `www.` and the dot that may end a name; "" where there is none."""
    try:
        named = site(url)
    except ValueError:
        return ""
    host, colon, port = named.rpartition(":") if _PORT.search(named) else (named, "", "")
    return host.rstrip(".") + colon + port


def _bare_key(url: str) -> str:
    """The key of `url` without its scheme, for a takedown of one scheme is one of both, and with the plain host."""
    key = url_key(url).partition("://")[2]
    _, slash, rest = key.partition("/")
    return _named_host(url) + slash + rest
