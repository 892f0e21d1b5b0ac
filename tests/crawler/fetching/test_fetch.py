"""One bounded GET against a site on loopback, robots.txt, and queries by URL."""

import gzip
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from crawler.errors import FetchFailed, RobotsRefused
from crawler.fetching.fetch import Fetcher, FetchLimits, fetch_image, fetch_robots, user_agent
from crawler.fetching.sniff import Kind
from crawler.parsing.robots import MAX_ROBOTS_BYTES, RobotsState
from crawler.reasons import ReasonCode
from tests.support.loopback_site import Answer, Site, gif, serving

LIMITS = FetchLimits(image_bytes=100_000, page_bytes=50_000, connect_seconds=2, read_seconds=2, total_seconds=20)
IMAGE = {"Content-Type": "image/gif"}


@pytest.fixture
def fetcher() -> Iterator[Fetcher]:
    with Fetcher(allow_private=True, limits=LIMITS) as fetcher:
        yield fetcher


# ----------------------------------------------------------------------------
# answers


def test_a_page_and_an_image(site: Site, fetcher: Fetcher) -> None:
    page = fetcher.get(site.page("/", "<html>hello</html>", X_Robots_Tag="noai"))
    assert (page.kind, page.body, page.robots_tags) == (Kind.PAGE, b"<html>hello</html>", ("noai",))
    image = fetcher.get(site.image("/i", 1, "text/html"))
    assert (image.kind, image.body) == (Kind.IMAGE, gif(1))


def test_who_is_asking(site: Site, fetcher: Fetcher) -> None:
    fetcher.get(site.page("/", "<html>"))
    (request,) = site.requests
    assert request.headers["User-Agent"] == user_agent()
    assert user_agent().startswith("imgsearch/")
    assert user_agent("https://example.org/crawler").endswith(" (+https://example.org/crawler)")


def test_no_cookie_is_given_back(site: Site, fetcher: Fetcher) -> None:
    site.page("/", "<html>", Set_Cookie="who=you; Path=/")
    for _ in range(2):
        fetcher.get(site.url + "/")
    assert all("Cookie" not in request.headers for request in site.requests)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_told_and_not_followed(site: Site, fetcher: Fetcher, status: int) -> None:
    fetched = fetcher.get(site.redirect("/old", "new?a=ü", status))
    assert fetched.location == f"{site.url}/new?a=%C3%BC"
    assert site.paths() == ["/old"]


@pytest.mark.parametrize("location", ["ftp://example.org/", "file:///etc/passwd", "javascript:1", "http://["])
def test_a_redirect_to_something_else_than_http_fails(site: Site, fetcher: Fetcher, location: str) -> None:
    with pytest.raises(FetchFailed, match="not http") as failed:
        fetcher.get(site.redirect("/old", location))
    assert not failed.value.again


@pytest.mark.parametrize(
    ("status", "again"), [(404, False), (410, False), (403, False), (304, False), (500, True), (503, True), (429, True)]
)
def test_an_error_says_whether_to_try_again(site: Site, fetcher: Fetcher, status: int, again: bool) -> None:
    with pytest.raises(FetchFailed, match=f"answered {status}") as failed:
        fetcher.get(site.answer("/", Answer(status=status)))
    assert (failed.value.again, failed.value.status) == (again, status)


# ----------------------------------------------------------------------------
# limits


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_beyond_the_limit_is_refused(site: Site, fetcher: Fetcher, announced: bool) -> None:
    big = gif(1) + bytes(LIMITS.image_bytes)
    answer = Answer(big, headers=IMAGE)
    if not announced:
        answer = Answer(headers=IMAGE | {"Transfer-Encoding": "chunked"}, chunks=[big[:1000], big[1000:]])
    with pytest.raises(FetchFailed, match=r"larger than 0\.1 MB") as failed:
        fetcher.get(site.answer("/", answer))
    assert not failed.value.again


def test_a_page_has_a_limit_of_its_own(site: Site, fetcher: Fetcher) -> None:
    with pytest.raises(FetchFailed, match=r"larger than 0\.05 MB"):
        fetcher.get(site.page("/", "<html>" + "x" * LIMITS.page_bytes))


@pytest.mark.parametrize("encoding", ["gzip", "gzip, gzip"])
def test_the_limit_counts_decoded_bytes(site: Site, fetcher: Fetcher, encoding: str) -> None:
    body = gzip.compress(gif(1) + bytes(20_000_000))
    if "," in encoding:
        body = gzip.compress(body)
    with pytest.raises(FetchFailed, match="larger than"):
        fetcher.get(site.answer("/", Answer(body, headers=IMAGE | {"Content-Encoding": encoding})))


def test_compressed_data_that_is_broken(site: Site, fetcher: Fetcher) -> None:
    with pytest.raises(FetchFailed, match="compressed data"):
        fetcher.get(site.answer("/", Answer(b"no gzip", headers={"Content-Encoding": "gzip"})))


def test_silence_ends_with_the_read_timeout(site: Site) -> None:
    site.page("/", "<html>")
    site.answer_seconds = 5.0
    limits = FetchLimits(read_seconds=0.2)
    with Fetcher(allow_private=True, limits=limits) as fetcher, pytest.raises(FetchFailed, match="no answer") as failed:
        fetcher.get(site.url + "/")
    assert failed.value.status is None


def test_a_connection_is_used_again_after_a_deadline_of_old(site: Site, fetcher: Fetcher) -> None:
    for number in range(3):
        assert fetcher.get(site.image(f"/{number}", number)).body == gif(number)


# ----------------------------------------------------------------------------
# hosts that cannot be reached


@pytest.mark.parametrize("host", ["nowhere.invalid", "a..b.example", "x" * 70 + ".example"])
def test_names_that_lead_nowhere(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(name: str, *_: object, **__: object) -> list[object]:
        name.encode("idna")  # as the real one does
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    for allow_private in (False, True):
        with Fetcher(allow_private=allow_private, limits=LIMITS) as fetcher, pytest.raises(FetchFailed) as failed:
            fetcher.get(f"http://{host}/")
        assert failed.value.reason.code is ReasonCode.UNREACHABLE
    if host == "nowhere.invalid":
        assert str(failed.value) == "cannot reach nowhere.invalid: name not known"


def test_a_closed_port(fetcher: Fetcher) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
    with pytest.raises(FetchFailed, match=f"cannot reach 127.0.0.1:{port}: connection refused") as failed:
        fetcher.get(f"http://127.0.0.1:{port}/")
    assert failed.value.again


# ----------------------------------------------------------------------------
# robots.txt and queries by URL


def test_robots_txt_is_read(site: Site, fetcher: Fetcher) -> None:
    site.robots("User-agent: *\nDisallow: /x")
    assert fetch_robots(fetcher, site.url) == (RobotsState.RULES, "User-agent: *\nDisallow: /x", None)


def test_a_huge_robots_txt_is_cut(site: Site, fetcher: Fetcher) -> None:
    site.robots(("#" * 1023 + "\n") * 1024)
    assert len(fetch_robots(fetcher, site.url).text) == MAX_ROBOTS_BYTES


@pytest.mark.parametrize(("hops", "state"), [(5, RobotsState.RULES), (6, RobotsState.ALLOWED)])
def test_five_redirects_of_robots_txt_are_followed(site: Site, fetcher: Fetcher, hops: int, state: RobotsState) -> None:
    with serving() as other:
        other.answer("/rules", Answer(b"User-agent: *\nDisallow: /"))
        site.redirect("/robots.txt", "/1")
        for hop in range(1, hops):
            site.redirect(f"/{hop}", f"/{hop + 1}" if hop < hops - 1 else f"{other.url}/rules")
        assert fetch_robots(fetcher, site.url).state is state


@pytest.mark.parametrize(("status", "state"), [(404, RobotsState.ALLOWED), (503, RobotsState.UNAVAILABLE)])
def test_robots_txt_that_is_an_error(site: Site, fetcher: Fetcher, status: int, state: RobotsState) -> None:
    site.answer("/robots.txt", Answer(status=status))
    assert fetch_robots(fetcher, site.url).state is state


def fetch_query(url: str) -> bytes:
    return fetch_image(url, allow_private=True, limits=LIMITS)


def test_a_query_image_is_fetched_through_redirects(site: Site) -> None:
    site.redirect("/a", "/b")
    site.image("/b", 7)
    assert fetch_query(site.url + "/a") == gif(7)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/secret/a.gif", "robots.txt of 127.0.0.1:{port} does not allow imgsearch here"),
        ("/page", "http://127.0.0.1:{port}/page is a page, not an image"),
        ("/missing", "http://127.0.0.1:{port}/missing answered 404 Not Found"),
        ("/loop", "http://127.0.0.1:{port}/loop redirects more than 5 times"),
    ],
)
def test_a_query_that_fails_says_why_in_one_line(site: Site, path: str, message: str) -> None:
    site.robots("User-agent: *\nDisallow: /secret")
    site.image("/secret/a.gif", 1)
    site.page("/page", "<html>")
    site.redirect("/loop", "/loop")
    with pytest.raises(FetchFailed) as failed:
        fetch_query(site.url + path)
    assert str(failed.value) == message.format(port=site.url.rpartition(":")[2])
    assert isinstance(failed.value, RobotsRefused) is ("secret" in path)


def test_a_query_of_a_host_whose_robots_txt_is_down(site: Site) -> None:
    site.answer("/robots.txt", Answer(status=503))
    with pytest.raises(RobotsRefused, match="answered 503"):
        fetch_query(site.image("/a", 1))


@pytest.mark.parametrize("url", ["ftp://example.org/a.jpg", "not a url", "http://[::1"])
def test_a_query_that_is_no_url(url: str) -> None:
    with pytest.raises(FetchFailed, match="not an http"):
        fetch_query(url)
