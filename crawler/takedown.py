"""Takedowns: a host, all URLs with a prefix, or one URL that must not be fetched. Pure: text in, decision out.

A takedown covers all spellings of its URLs. Checking one never raises an exception.
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
    """One takedown, as it is stored. `of_host`, `of_prefix` and `of_url` make it of typed text."""

    kind: str  # HOST, PREFIX or URL
    value: str  # a host ("*.example.org": with all subdomains), or a URL

    @classmethod
    def of_host(cls, text: str) -> Self:
        """Return the takedown of `example.org`, `example.org:8000` or `*.example.org`. SeedError if that is no host."""
        below = "*." if text.startswith("*.") else ""
        url = seed_url(text.removeprefix("*."))
        if url is None:
            raise SeedError(f"{text!r} is not the name of a host")
        return cls(HOST, below + _named_host(url))

    @classmethod
    def of_prefix(cls, text: str) -> Self:
        """Return the takedown of all URLs that begin like this, by http or https. SeedError if it is no URL."""
        return cls(PREFIX, _typed_url(text))

    @classmethod
    def of_url(cls, text: str) -> Self:
        """Return the takedown of one URL. SeedError if it is none."""
        return cls(URL, _typed_url(text))

    @property
    def reason(self) -> Reason:
        """The reason of every URL that it covers."""
        return Reason(ReasonCode.TAKEN_DOWN, f"{self.kind} {self.value}")

    @property
    def host(self) -> str:
        """A lower-case text that is part of every URL that it covers."""
        named = self.value.removeprefix("*.") if self.kind == HOST else _named_host(self.value)
        return _PORT.sub("", named)

    def covers(self, url: str) -> bool:
        """Return whether it covers `url`."""
        if self.kind == HOST:
            return self._covers_host(_named_host(url))
        own, other = _bare_key(self.value), _bare_key(url)
        return other.startswith(own) if self.kind == PREFIX else other == own

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
    """Host and port of `url` without `www.` and without a trailing dot of the name; "" where there is none."""
    try:
        named = site(url)
    except ValueError:
        return ""
    host, colon, port = named.rpartition(":") if _PORT.search(named) else (named, "", "")
    return host.rstrip(".") + colon + port


def _bare_key(url: str) -> str:
    """The key of `url` without scheme, so that a takedown covers http and https, and with the plain host."""
    key = url_key(url).partition("://")[2]
    _, slash, rest = key.partition("/")
    return _named_host(url) + slash + rest
