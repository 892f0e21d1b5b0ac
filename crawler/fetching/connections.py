"""Connections for requests: kept alive, and to no private address unless allowed.

Only the parts of the library requests below its Session are used: the adapter that resolves the address to dial (and,
as hardened by requests-hardened, refuses a private one), and the rules by which a URL is written into a request. A
Session would add what must not be here: cookies, redirects, .netrc, proxies. The request itself goes straight to
urllib3's pool, which takes half the processor time of a prepared request and a Response.
"""

import logging
import re
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests_hardened.ip_filter import InvalidIPAddress
from requests_hardened.ip_filter_adapter import IPFilterAdapter
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.util.retry import Retry

from crawler.errors import AddressRefused, Hint
from crawler.fetching.addresses import is_public
from crawler.fetching.deadline import Deadline, bounded_pools
from crawler.reasons import Reason, ReasonCode

NO_RETRIES = Retry(0, read=False)  # the frontier decides when to try again
_POOLS = 10  # hosts whose connections are kept
_NO_HANDLER = logging.NullHandler()
# A URL that needs no change to be sent: no user, nothing to quote, no dot segments, no empty first segment.
_PLAIN = re.compile(r"(https?://[a-z0-9.-]+(?::[0-9]+)?)(/(?![/?.])(?:(?!/\.)[A-Za-z0-9._~!$&'()*+,;=:@/?-])*)")


class Route(NamedTuple):
    """The pool and the target of one request."""

    pool: HTTPConnectionPool
    target: str  # path and query, as sent
    headers: dict[str, str]  # that requests adds for this URL


class _BoundedAdapter(HTTPAdapter):
    """An adapter whose connections keep a total deadline."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        super().__init__(pool_connections=_POOLS)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = bounded_pools(self._deadline)


class _GuardedAdapter(_BoundedAdapter, IPFilterAdapter):  # type: ignore[misc] # requests-hardened has no types
    """The same, to public addresses only."""

    def __init__(self, deadline: Deadline, *, secure: bool) -> None:
        self._deadline = deadline
        IPFilterAdapter.__init__(self, is_https_proto=secure)

    def build_connection_pool_key_attributes(
        self,
        request: requests.PreparedRequest,
        verify: bool | str,
        cert: str | tuple[str, str] | None = None,
    ) -> Any:
        """Return the address to dial, resolved and checked by requests-hardened, then by `is_public`."""
        where, how = super().build_connection_pool_key_attributes(request, verify, cert)
        address = where["host"].strip("[]")
        if not is_public(address):
            raise InvalidIPAddress(address)
        return where, how


class Connections:
    """The connections of one thread, which share one deadline."""

    def __init__(self, deadline: Deadline, *, allow_private: bool) -> None:
        self._adapters: dict[str, HTTPAdapter] = {}
        self._allow_private = allow_private
        for scheme in ("http", "https"):
            if allow_private:
                self._adapters[scheme] = _BoundedAdapter(deadline)
            else:
                self._adapters[scheme] = _GuardedAdapter(deadline, secure=scheme == "https")
        self._known: dict[str, HTTPConnectionPool] = {}  # the newest pools, by the beginning of a plain URL
        # The guard logs warnings about what is reported anyway; without a handler Python would print them.
        logging.getLogger("requests_hardened").addHandler(_NO_HANDLER)

    def close(self) -> None:
        self._known.clear()
        for adapter in self._adapters.values():
            adapter.close()

    def route(self, url: str) -> Route:
        """Return where to send a request for `url` (http or https).

        A name is resolved and its address checked for every request, unless private addresses are allowed.

        Raises:
            AddressRefused: the address is private.
            OSError, ValueError, requests.RequestException: the name is unknown, or the URL cannot be requested.
        """
        plain = _PLAIN.fullmatch(url) if self._allow_private else None
        if plain is None:
            return self._route(url)
        begin, target = plain.groups()
        pool = self._known.get(begin)
        if pool is None:
            pool = self._known[begin] = self._route(url).pool
            if len(self._known) > _POOLS:
                del self._known[next(iter(self._known))]
        return Route(pool, target, {})

    def _route(self, url: str) -> Route:
        request = requests.Request("GET", url).prepare()
        adapter = self._adapters[url.partition(":")[0].lower()]
        try:
            pool = adapter.get_connection_with_tls_context(request, verify=True)
        except InvalidIPAddress as error:
            raise AddressRefused(_refusal(url, str(error)), hint=Hint.ALLOW_PRIVATE) from error
        assert isinstance(pool, HTTPConnectionPool)
        adapter.cert_verify(pool, request.url, verify=True, cert=None)  # type: ignore[no-untyped-call] # requests' own
        return Route(pool, adapter.request_url(request, None), dict(request.headers))


def _refusal(url: str, address: str) -> Reason:
    name = urlsplit(url).hostname or ""
    return Reason(ReasonCode.PRIVATE_ADDRESS, name if name == address else f"{name} ({address})")
