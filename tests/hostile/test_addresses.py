"""Cases 39 and 29: private addresses are never dialled, and every hop of a redirect is checked."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from crawler.errors import AddressRefused, FetchFailed, Hint, RobotsRefused
from crawler.fetching.addresses import is_public
from crawler.fetching.fetch import Fetcher, FetchLimits, fetch_image, fetch_robots
from crawler.reasons import Reason, ReasonCode
from imgsearch.cli.main import run
from imgsearch.web import page
from tests.conftest import REPOSITORY
from tests.support.crawl import Crawler
from tests.support.fake_searcher import FakeSearcher
from tests.support.loopback_site import Answer, Site, gif, serving

LIMITS = FetchLimits(connect_seconds=2, read_seconds=2, total_seconds=20)
PUBLIC = "93.184.216.34"
ALSO_PUBLIC = "151.101.1.69"

# Thirteen usual forms, then further ranges and spellings.
PRIVATE = "is a private address"
PRIVATE_HOSTS = [
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
    "172.16.0.1",
    "192.168.0.1",
    "192.0.0.8",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::127.0.0.1]",
    "[::ffff:0:127.0.0.1]",
    "[::ffff:a9fe:a9fe]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "[64:ff9b:1::7f00:1]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
    "168.63.129.16",
    "LOCALHOST",
    "localhost.",
    "public.example@127.0.0.1",
    "127.0.0.1:80",
]


class Internet:
    """Fake name resolution, public addresses that lead to sites on loopback, and a record of dialled addresses."""

    def __init__(self) -> None:
        # A name -> its addresses, one list per resolution.
        self.names: dict[str, list[list[str]]] = {"localhost": [["127.0.0.1"]], "localhost.": [["127.0.0.1"]]}
        self.asked: list[str] = []
        self.dialled: list[str] = []
        self._sites: dict[str, int] = {}
        self._real_getaddrinfo = socket.getaddrinfo
        self._real_connect = socket.socket.connect

    def publish(self, site: Site, name: str, address: str) -> None:
        """Let `name` resolve to a public address that leads to `site`."""
        self.names[name] = [[address]]
        self._sites[address] = int(site.url.rpartition(":")[2])
        site.url = f"http://{name}"

    def getaddrinfo(self, host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        name = (host.decode() if isinstance(host, bytes) else str(host)).lower()
        if name not in self.names:  # an address in some spelling, or an unknown name
            return self._real_getaddrinfo(host, port, *args, **kwargs | {"flags": socket.AI_NUMERICHOST})
        self.asked.append(name)
        answers = self.names[name]
        answer = answers[min(self.asked.count(name), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answer]

    def connect(self, connecting: socket.socket, address: Any) -> None:
        self.dialled.append(address[0])
        if address[0] not in self._sites:
            raise ConnectionRefusedError
        self._real_connect(connecting, ("127.0.0.1", self._sites[address[0]]))


@pytest.fixture
def internet(monkeypatch: pytest.MonkeyPatch) -> Internet:
    """Connections never reach the real internet: they end on loopback or are refused."""
    internet = Internet()
    monkeypatch.setattr(socket, "getaddrinfo", internet.getaddrinfo)
    # A bound method instead of the lambda would not be given the socket.
    connect = lambda connecting, address: internet.connect(connecting, address)  # noqa: E731, PLW0108
    monkeypatch.setattr(socket.socket, "connect", connect)
    return internet


@pytest.fixture
def site(internet: Internet) -> Iterator[Site]:
    """A public site."""
    with serving() as site:
        internet.publish(site, "public.example", PUBLIC)
        yield site


@pytest.fixture
def other(internet: Internet) -> Iterator[Site]:
    """Another public site."""
    with serving() as site:
        internet.publish(site, "other.example", ALSO_PUBLIC)
        yield site


@pytest.fixture
def crawler(tmp_path: Path) -> Crawler:
    """A crawler that refuses private addresses."""
    return Crawler(tmp_path, allow_private=False)


# ----------------------------------------------------------------------------------------------------------------------
# 39: addresses


@pytest.mark.parametrize("host", PRIVATE_HOSTS)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_case_39_a_private_address_is_never_dialled(internet: Internet, scheme: str, host: str) -> None:
    url = f"{scheme}://{host}/latest/meta-data/a.jpg"
    with Fetcher(limits=LIMITS) as fetcher, pytest.raises(AddressRefused, match=PRIVATE):
        fetcher.get(url)
    with pytest.raises(AddressRefused, match=PRIVATE):
        fetch_image(url, limits=LIMITS)
    assert internet.dialled == []


@pytest.mark.parametrize("host", ["\uff11\uff12\uff17.0.0.1", "127\u30020\u30020\u30021", "LOCAL%48OST", "%6cocalhost"])
def test_case_39_digits_and_letters_in_other_clothes_are_undressed_first(internet: Internet, host: str) -> None:
    with pytest.raises(FetchFailed, match=rf"{PRIVATE}|name not known|not an http"):
        fetch_image(f"http://{host}/a.jpg", limits=LIMITS)
    assert internet.dialled == []


@pytest.mark.parametrize("address", ["93.184.216.34", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450:4001::200e"])
def test_case_39_a_public_address_is_dialled(internet: Internet, address: str) -> None:
    assert is_public(address)
    host = f"[{address}]" if ":" in address else address
    with Fetcher(limits=LIMITS) as fetcher, pytest.raises(FetchFailed, match="connection refused"):
        fetcher.get(f"http://{host}/")
    assert set(internet.dialled) == {address}


def test_case_39_the_refusal_says_what_it_is_and_what_to_do(internet: Internet) -> None:
    internet.names["inside.example"] = [["10.0.0.5"]]
    reasons = []
    with Fetcher(limits=LIMITS) as fetcher:
        for host in ("127.0.0.1:8000", "inside.example"):
            with pytest.raises(AddressRefused) as failed:
                fetcher.get(f"http://{host}/")
            reasons.append(failed.value.reason)
            assert failed.value.hint is Hint.ALLOW_PRIVATE
            assert not failed.value.again
    assert reasons == [
        Reason(ReasonCode.PRIVATE_ADDRESS, "127.0.0.1"),
        Reason(ReasonCode.PRIVATE_ADDRESS, "inside.example (10.0.0.5)"),
    ]


def test_case_39_a_page_that_names_private_addresses_gives_no_request_to_them(
    site: Site, internet: Internet, crawler: Crawler
) -> None:
    hosts = [host for host in PRIVATE_HOSTS if "@" not in host]
    images = "".join(f'<img src="http://{host}/a.jpg">' for host in hosts)
    pages = "".join(f'<a href="http://{host}/page">x</a>' for host in hosts)
    site.page("/", f'{images}{pages}<img src="/own.gif">')
    site.image("/own.gif", 1)
    report = crawler(site.url, follow_hosts=True)
    assert report.kept == 1
    assert report.queued == report.pages_queued == 0
    assert report.failed == sum(report.reasons.values()) > 25  # some are spellings of one another
    assert [reason for reason in report.reasons if PRIVATE not in reason and reason != "other reasons"] == []
    assert set(internet.dialled) == {PUBLIC}


def test_case_39_a_private_sitemap_in_robots_txt_gives_no_request_to_it(
    site: Site, internet: Internet, crawler: Crawler
) -> None:
    site.robots("User-agent: *\nSitemap: http://169.254.169.254/sitemap.xml\nSitemap: http://localhost/sitemap.xml\n")
    site.page("/", "<img src=/own.gif>")
    site.image("/own.gif", 1)
    assert crawler(site.url, follow_hosts=True).kept == 1
    assert set(internet.dialled) == {PUBLIC}


def test_case_39_a_name_that_changes_its_address_is_dialled_where_it_was_checked(internet: Internet) -> None:
    internet.names["rebind.example"] = [[PUBLIC], ["127.0.0.1"]]
    with Fetcher(limits=LIMITS) as fetcher:
        with pytest.raises(FetchFailed, match="connection refused"):
            fetcher.get("http://rebind.example/")
        assert internet.asked == ["rebind.example"]
        with pytest.raises(AddressRefused):
            fetcher.get("http://rebind.example/")
    assert set(internet.dialled) == {PUBLIC}


def test_case_39_a_name_that_changes_its_address_during_a_crawl_is_refused_from_then_on(
    site: Site, internet: Internet, crawler: Crawler
) -> None:
    site.page("/", "<img src=/a.gif><img src=/b.gif>")
    internet.names["public.example"] = [[PUBLIC], [PUBLIC], ["10.0.0.1"]]  # robots.txt, the page, then the images
    report = crawler(site.url)
    assert report.reasons == {f"public.example (10.0.0.1) {PRIVATE}": 2}
    assert set(internet.dialled) == {PUBLIC}
    assert site.paths() == ["/robots.txt", "/"]


def test_case_39_the_private_one_of_two_addresses_is_never_dialled(internet: Internet) -> None:
    internet.names |= {"both.example": [[PUBLIC, "127.0.0.1"]], "hidden.example": [["127.0.0.1", PUBLIC]]}
    with Fetcher(limits=LIMITS) as fetcher:
        with pytest.raises(FetchFailed, match="connection refused"):
            fetcher.get("http://both.example/")
        with pytest.raises(AddressRefused):
            fetcher.get("http://hidden.example/")
    assert set(internet.dialled) == {PUBLIC}


@pytest.mark.parametrize("allow_private", [True, False])
def test_case_39_proxies_and_passwords_of_the_environment_are_not_used(
    site: Site, internet: Internet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, allow_private: bool
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine public.example login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with closing(socket.create_server(("127.0.0.1", 0))) as proxy:
        called: list[object] = []

        def listen() -> None:
            with suppress(OSError):  # the test is over
                while True:
                    called.append(proxy.accept())

        threading.Thread(target=listen, daemon=True).start()
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            for spelling in (name, name.upper()):
                monkeypatch.setenv(spelling, f"http://127.0.0.1:{proxy.getsockname()[1]}")
        with Fetcher(allow_private=allow_private, limits=LIMITS) as fetcher:
            assert fetcher.get(site.image("/a.gif", 1)).body == gif(1)
            with pytest.raises(FetchFailed):
                fetcher.get("https://other.invalid/")
    assert set(internet.dialled) == {PUBLIC}
    assert called == []
    assert "Authorization" not in site.requests[0].headers


def test_case_39_search_by_address_on_the_command_line(
    internet: Internet, trained_index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["search", "http://0x7f.1/a.jpg", "--index", str(trained_index)]) == 1
    complaint = capsys.readouterr().err
    assert f"0x7f.1 (127.0.0.1) {PRIVATE}" in complaint
    assert "--allow-private" in complaint
    assert internet.dialled == []


def test_case_39_search_by_link_on_the_page(internet: Internet, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeSearcher.drawn(8)
    monkeypatch.setattr(page, "open_searcher", lambda _root: fake)
    app = AppTest.from_file(str(REPOSITORY / "app.py"), default_timeout=20).run()
    app.text_input(key="link").set_value("http://169.254.169.254/latest/a.jpg")
    next(button for button in app.button if button.label == "Fetch").click().run()
    assert not app.exception
    assert any("private address" in element.proto.body for element in app.get("html"))
    assert internet.dialled == []


# ----------------------------------------------------------------------------------------------------------------------
# 29: redirects


@pytest.mark.parametrize("length", [2, 3, 5])
@pytest.mark.parametrize("all_named", [False, True])
def test_case_29_a_circle_of_redirects_fails_and_each_of_its_urls_is_asked_for_once(
    site: Site, crawler: Crawler, length: int, all_named: bool
) -> None:
    # If the page links to all of them, several answers come in one batch.
    named = range(length if all_named else 1)
    site.page("/", "".join(f"<img src=/{hop}>" for hop in named) + "<img src=/fine.gif>")
    site.image("/fine.gif", 1)
    for hop in range(length):
        site.redirect(f"/{hop}", f"/{(hop + 1) % length}")
    report = crawler(site.url)
    assert (report.kept, report.failed, report.queued) == (1, 1, 0)
    assert report.reasons == {"redirects in a circle": 1}
    assert sorted(site.paths()) == sorted(["/", "/robots.txt", "/fine.gif", *(f"/{hop}" for hop in range(length))])


def test_case_29_a_first_page_that_moves_in_a_circle_over_two_hosts_is_said(
    site: Site, other: Site, crawler: Crawler
) -> None:
    site.redirect("/", f"{other.url}/")
    other.redirect("/", f"{site.url}/")
    report = crawler(site.url)
    assert report.problem == "http://other.example/: redirects in a circle"
    assert site.paths() == other.paths() == ["/robots.txt", "/"]


def test_case_29_a_url_that_redirects_to_itself_fails(site: Site, crawler: Crawler) -> None:
    site.page("/", "<img src=/a.gif>")
    site.redirect("/a.gif", "/a.gif")
    assert crawler(site.url).reasons == {"redirects to itself": 1}


def test_case_29_five_redirects_are_followed_and_six_are_not(site: Site, crawler: Crawler) -> None:
    site.page("/", "<img src=/five0><img src=/six0><img src=/spelt?utm_source=0>")
    for name, hops in (("five", 5), ("six", 6)):
        for hop in range(hops):
            site.redirect(f"/{name}{hop}", f"/{name}{hop + 1}")
        site.image(f"/{name}{hops}", hops)
    for hop in range(10):  # other spellings of one key: the same row of the frontier, but one hop each
        site.redirect(f"/spelt?utm_source={hop}", f"/spelt?utm_source={hop + 1}")
    report = crawler(site.url)
    assert crawler.gallery.paths == ["/five5"]
    assert report.reasons == {"redirects more than 5 times": 2}
    assert "/six6" not in site.paths()
    assert len([path for path in site.paths() if path.startswith("/spelt")]) == 6
    assert fetch_image(f"{site.url}/five0", limits=LIMITS) == gif(5)
    with pytest.raises(FetchFailed, match="redirects more than 5 times"):
        fetch_image(f"{site.url}/six0", limits=LIMITS)


def test_case_29_a_first_page_that_moved_is_followed_under_the_robots_txt_of_its_new_host(
    site: Site, other: Site, crawler: Crawler
) -> None:
    site.redirect("/", f"{other.url}/")
    other.page("/", "<img src=/0.gif><img src=/1.gif><img src=/2.gif>")
    for number in range(3):
        other.image(f"/{number}.gif", number)
    other.robots("User-agent: *\nDisallow: /1.gif")
    report = crawler(site.url)
    assert (report.kept, report.skipped) == (2, 1)
    assert other.paths()[0] == "/robots.txt"
    assert "/1.gif" not in other.paths()


def test_case_29_each_hop_is_asked_for_at_the_robots_txt_of_its_host(site: Site, other: Site, crawler: Crawler) -> None:
    site.page("/", "<img src=/a.gif><img src=/b.gif><img src=/c.gif>")
    site.robots("User-agent: *\nDisallow: /closed")
    other.robots("User-agent: *\nDisallow: /no")
    site.redirect("/a.gif", f"{other.url}/no/a.gif")
    site.redirect("/b.gif", f"{other.url}/yes/b.gif")
    site.redirect("/c.gif", "/closed/c.gif")
    other.redirect("/yes/b.gif", "/no/b.gif")
    report = crawler(site.url, follow_hosts=True)
    assert report.reasons == {
        "robots.txt of other.example does not allow imgsearch here": 2,
        "robots.txt of public.example does not allow imgsearch here": 1,
    }
    assert other.paths() == ["/robots.txt", "/yes/b.gif"]
    assert "/closed/c.gif" not in site.paths()
    for path in ("/a.gif", "/b.gif", "/c.gif"):
        with pytest.raises(RobotsRefused):
            fetch_image(site.url + path, limits=LIMITS)
    assert not {path for path in site.paths() + other.paths() if path.startswith(("/no", "/closed"))}


def test_case_29_an_image_that_moves_out_of_scope_is_left_alone(site: Site, other: Site, crawler: Crawler) -> None:
    site.page("/", "<img src=/a.gif>")
    site.redirect("/a.gif", f"{other.url}/a.gif")
    report = crawler(site.url)
    assert (report.skipped, report.reasons) == (1, {"on another host": 1})
    assert other.requests == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("host", ["169.254.169.254", "localhost", "[::ffff:127.0.0.1]", "2130706433"])
def test_case_29_no_hop_leads_to_a_private_address(
    site: Site, other: Site, internet: Internet, crawler: Crawler, status: int, host: str
) -> None:
    site.page("/", "<img src=/a.gif><img src=/chain.gif><a href=/page>x</a>")
    site.redirect("/a.gif", f"http://{host}/a.gif", status)
    site.redirect("/page", f"http://{host}/", status)
    site.redirect("/chain.gif", f"{other.url}/chain.gif", status)
    other.redirect("/chain.gif", f"http://{host}/chain.gif", status)
    report = crawler(site.url, follow_hosts=True)
    assert [reason for reason in report.reasons if PRIVATE not in reason] == []
    assert report.failed == 2
    for path in ("/a.gif", "/chain.gif"):
        with pytest.raises(AddressRefused):
            fetch_image(site.url + path, limits=LIMITS)
    assert set(internet.dialled) == {PUBLIC, ALSO_PUBLIC}


def test_case_29_a_first_page_that_moves_to_a_private_address_is_said(
    site: Site, internet: Internet, crawler: Crawler
) -> None:
    site.redirect("/", "http://127.0.0.1/admin")
    assert crawler(site.url).problem == f"http://127.0.0.1/admin: 127.0.0.1 {PRIVATE}"
    assert set(internet.dialled) == {PUBLIC}


def test_case_29_a_robots_txt_that_moves_to_a_private_address_closes_its_host(
    site: Site, internet: Internet, crawler: Crawler
) -> None:
    site.redirect("/robots.txt", "http://169.254.169.254/robots.txt")
    site.page("/", "<img src=/a.gif>")
    with Fetcher(limits=LIMITS) as fetcher, pytest.raises(AddressRefused):
        fetch_robots(fetcher, site.url)
    assert PRIVATE in crawler(site.url).problem
    assert set(site.paths()) == {"/robots.txt"}
    assert set(internet.dialled) == {PUBLIC}


@pytest.mark.parametrize(
    "location", ["ftp://example.org/", "file:///etc/passwd", "javascript:1", "http://[", "data:,x"]
)
def test_case_29_a_redirect_to_something_else_than_http_fails(site: Site, crawler: Crawler, location: str) -> None:
    site.page("/", "<img src=/a.gif>")
    site.answer("/a.gif", Answer(status=302, headers={"Location": location}))
    assert crawler(site.url).reasons == {"redirects to something that is not http": 1}
