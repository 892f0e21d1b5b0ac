"""Routes of requests: plain URLs get the same pool and target as from requests, and old pools stay usable."""

import gc
import weakref
from collections.abc import Iterator

import pytest
import requests
from hypothesis import example, given
from hypothesis import strategies as st

from crawler.fetching.connections import Connections
from crawler.fetching.deadline import Deadline
from crawler.parsing.urls import absolute_url

PATHS = st.text("abcXYZ019-._~!$&'()*+,;=:@/?%# ä", max_size=20)


@pytest.fixture
def connections() -> Iterator[Connections]:
    connections = Connections(Deadline(), allow_private=True)
    yield connections
    connections.close()


@given(st.sampled_from(["http://a.example", "https://a.example:8443", "http://127.0.0.1:8000"]), PATHS)
@example("http://a.example", "//b.example/../c")
@example("http://a.example", "a/./b/../c?d=/../e")
@example("http://a.example", "..")
@example("http://a.example", "?a")
@example("http://a.example", "%41%2f%zz")
def test_every_url_is_asked_for_as_requests_would(origin: str, path: str) -> None:
    url = absolute_url("", f"{origin}/{path}")
    if url is None:
        return
    connections = Connections(Deadline(), allow_private=True)
    prepared = requests.Request("GET", url).prepare()
    for _ in range(2):  # the first call creates the pool, the second reuses it
        route = connections.route(url)
        assert route.target == prepared.path_url
        assert url.startswith(f"{route.pool.scheme}://{route.pool.host}")


def test_a_password_in_the_url_is_no_part_of_the_address(connections: Connections) -> None:
    route = connections.route("http://me:secret@a.example/b.jpg")
    assert (route.pool.host, route.target) == ("a.example", "/b.jpg")
    assert route.headers["Authorization"].startswith("Basic ")
    assert connections.route("http://a.example/b.jpg").headers == {}


def test_connections_of_many_hosts_are_not_all_kept(connections: Connections) -> None:
    pools = [weakref.ref(connections.route(f"http://host{number}.example/").pool) for number in range(100)]
    gc.collect()
    assert sum(pool() is not None for pool in pools) == 10
