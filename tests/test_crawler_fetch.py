"""One bounded GET against a site on loopback, and the addresses that are never dialled."""

import gzip
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, BinaryIO

import pytest
from loopback_site import Answer, Site, gif, serving

from crawler.errors import AddressRefused, FetchFailed, RobotsRefused
from crawler.fetch import Fetcher, FetchLimits, fetch_image, fetch_robots, user_agent
from crawler.robots import MAX_ROBOTS_BYTES, RobotsState
from crawler.sniff import Kind

LIMITS = FetchLimits(image_bytes=100_000, page_bytes=50_000, connect_seconds=2, read_seconds=2, total_seconds=20)
DRIPS = 1000  # a drip body would take 50 seconds
IMAGE = {"Content-Type": "image/gif"}


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        yield site


@pytest.fixture
def fetcher() -> Iterator[Fetcher]:
    with Fetcher(allow_private=True, limits=LIMITS) as fetcher:
        yield fetcher


def drip(file: BinaryIO) -> None:
    for _ in range(DRIPS):
        file.write(b"G")
        file.flush()
        time.sleep(0.05)


# ----------------------------------------------------------------------------
# what comes back


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


def test_the_environments_proxy_is_not_used(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with Fetcher(allow_private=True, limits=LIMITS) as fetcher:
        assert fetcher.get(site.page("/", "<html>")).kind == Kind.PAGE


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


@pytest.mark.parametrize(
    ("retry_after", "low", "high"),
    [
        ("5", 5, 5),
        ("0", 0, 0),
        ("999999", 3600, 3600),
        ("9" * 400, None, None),
        ("Wed, 21 Oct 2099 07:28:00 GMT", 3600, 3600),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
        ("soon", None, None),
        ("-5", None, None),
    ],
)
def test_retry_after(site: Site, fetcher: Fetcher, retry_after: str, low: float | None, high: float | None) -> None:
    site.answer("/", Answer(status=429, headers={"Retry-After": retry_after}))
    with pytest.raises(FetchFailed) as failed:
        fetcher.get(site.url + "/")
    wait = failed.value.wait_seconds
    if low is None or high is None:
        assert wait is None
    else:
        assert wait is not None
        assert low <= wait <= high


def test_retry_after_as_a_date_soon(site: Site, fetcher: Fetcher) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(minutes=30), usegmt=True)
    site.answer("/", Answer(status=503, headers={"Retry-After": soon}))
    with pytest.raises(FetchFailed) as failed:
        fetcher.get(site.url + "/")
    assert failed.value.wait_seconds is not None
    assert 0 < failed.value.wait_seconds <= 1800


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


def test_less_data_than_announced_is_tried_again(site: Site, fetcher: Fetcher) -> None:
    with pytest.raises(FetchFailed, match="broke off") as failed:
        fetcher.get(site.answer("/", Answer(gif(1), headers=IMAGE, content_length=10_000)))
    assert failed.value.again
    assert failed.value.status == 200


def test_a_body_that_drips_is_ended(site: Site) -> None:
    site.answer("/", Answer(headers=IMAGE, write=drip, content_length=DRIPS))
    limits = FetchLimits(read_seconds=5, total_seconds=0.5)
    with (
        Fetcher(allow_private=True, limits=limits) as fetcher,
        pytest.raises(FetchFailed, match="took longer") as failed,
    ):
        fetcher.get(site.url + "/")
    assert failed.value.again


def test_headers_that_drip_are_ended() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        threading.Thread(target=_drip_headers, args=(server,), daemon=True).start()
        limits = FetchLimits(read_seconds=5, total_seconds=0.5)
        with Fetcher(allow_private=True, limits=limits) as fetcher, pytest.raises(FetchFailed, match="took longer"):
            fetcher.get(f"http://127.0.0.1:{server.getsockname()[1]}/")


def _drip_headers(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection, suppress(OSError):  # the client hangs up, as it should
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        for _ in range(DRIPS):
            connection.sendall(b"x")
            time.sleep(0.05)


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
# addresses

PRIVATE_FORMS = [
    "127.0.0.1",
    "localhost",
    "0.0.0.0",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "2130706433",
    "0x7f.1",
    "0177.0.0.1",
    "127.1",
    "169.254.169.254",
    "[fd00::1]",
    "100.64.0.1",
    "[64:ff9b::7f00:1]",
    "10.1.2.3",
    "192.168.0.1",
    "224.0.0.1",
]


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The addresses that were dialled; none of them is reached."""
    addresses: list[Any] = []

    def connect(_: socket.socket, address: Any) -> None:
        addresses.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    return addresses


@pytest.mark.parametrize("host", PRIVATE_FORMS)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_private_address_is_never_dialled(dialled: list[Any], scheme: str, host: str) -> None:
    with Fetcher(limits=LIMITS) as fetcher, pytest.raises(FetchFailed):
        fetcher.get(f"{scheme}://{host}/latest/meta-data")
    assert dialled == []


def test_the_refusal_says_what_to_do(dialled: list[Any]) -> None:
    with Fetcher(limits=LIMITS) as fetcher, pytest.raises(AddressRefused) as failed:
        fetcher.get("http://127.0.0.1:8000/")
    assert failed.value.reason == "127.0.0.1 is a private address; use --allow-private"
    assert not failed.value.again


PUBLIC = "93.184.216.34"


def resolving(monkeypatch: pytest.MonkeyPatch, **answers: list[list[str]]) -> list[str]:
    """Let names resolve to the given addresses, one list for each time that they are asked for; the names asked."""
    real = socket.getaddrinfo
    asked: list[str] = []

    def getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        name = str(host).removesuffix(".example")
        if name not in answers:
            return real(host, port, *args, **kwargs)
        asked.append(host)
        times = min(asked.count(host), len(answers[name])) - 1
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answers[name][times]]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def test_a_name_that_changes_its_address_is_dialled_where_it_was_checked(
    dialled: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = resolving(monkeypatch, rebind=[[PUBLIC], ["127.0.0.1"]])
    with Fetcher(limits=LIMITS) as fetcher, pytest.raises(FetchFailed, match="connection refused"):
        fetcher.get("http://rebind.example/")
    assert {address[0] for address in dialled} == {PUBLIC}
    assert len(asked) == 1


def test_the_private_one_of_two_addresses_is_never_dialled(dialled: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, both=[[PUBLIC, "127.0.0.1"]], hidden=[["127.0.0.1", PUBLIC]])
    with Fetcher(limits=LIMITS) as fetcher:
        for host in ("both", "hidden"):
            with pytest.raises(FetchFailed):
                fetcher.get(f"http://{host}.example/")
    assert {address[0] for address in dialled} <= {PUBLIC}


def test_a_redirect_into_a_private_network_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    # A public name that is served by the site on loopback: dialled as public, connected to the site.
    resolving(monkeypatch, public=[[PUBLIC]])
    port = int(site.url.rpartition(":")[2])
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        assert address[0] == PUBLIC
        real(self, ("127.0.0.1", port))

    monkeypatch.setattr(socket.socket, "connect", connect)
    site.redirect("/a.jpg", f"http://127.0.0.1:{port}/b.gif")
    site.image("/b.gif", 1)
    with pytest.raises(AddressRefused):
        fetch_image("http://public.example/a.jpg", limits=LIMITS)
    assert site.paths() == ["/robots.txt", "/a.jpg"]


@pytest.mark.parametrize("host", ["nowhere.invalid", "a..b.example", "x" * 70 + ".example"])
def test_names_that_lead_nowhere(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(name: str, *_: object, **__: object) -> list[object]:
        name.encode("idna")  # as the real one does
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    for allow_private in (False, True):
        with Fetcher(allow_private=allow_private, limits=LIMITS) as fetcher, pytest.raises(FetchFailed) as failed:
            fetcher.get(f"http://{host}/")
        assert failed.value.reason.startswith("cannot reach")
    if host == "nowhere.invalid":
        assert failed.value.reason == "cannot reach nowhere.invalid: name not known"


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
    assert fetch_robots(fetcher, site.url) == (RobotsState.RULES, "User-agent: *\nDisallow: /x", "")


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
