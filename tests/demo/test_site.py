"""The gallery's site: its links, its images, its deliberate defects, and how it starts and ends."""

import http.client
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import pytest
from protego import Protego

from imgsearch.corpus.decoding.images import decode_image
from imgsearch.demo.gallery import IMAGES_PER_KIND, KINDS, alt_text, picture_bytes
from imgsearch.demo.pages import BROKEN, COPIES, ODDITIES, image_path, small_path
from imgsearch.demo.site import GallerySite, answer
from imgsearch.errors import DemoError, ImageError
from tests.support.waiting import wait_until


class _Links(HTMLParser):
    """Links and images of one HTML page, with alternative texts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.pages: list[str] = []
        self.images: dict[str, str] = {}  # address -> alternative text
        self.ways: set[str] = set()  # attributes that referenced images
        self._waiting: list[str] = []  # images of a `source`; the text follows with the `img`
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag in ("a", "link") and "href" in values:
            self.pages.append(values["href"])
        if tag == "meta" and values.get("property") == "og:image":
            self.ways.add("og:image")
        if tag not in ("img", "source"):
            return
        named = [values[name] for name in ("src", "data-src") if name in values]
        named += [candidate.split()[0] for candidate in values.get("srcset", "").split(",") if candidate]
        self.ways |= {f"{tag} {name}" for name in ("src", "data-src", "srcset") if name in values}
        self._waiting += [name for name in named if not name.startswith("data:")]
        if tag == "img":
            assert values["alt"]
            self.images |= dict.fromkeys(self._waiting, values["alt"])
            self._waiting = []


def read(path: str, images_per_kind: int = IMAGES_PER_KIND) -> str:
    status, content_type, body = answer(path, images_per_kind)
    assert (status, content_type) == (200, "text/html; charset=utf-8"), path
    return body.decode()


def walk(images_per_kind: int = IMAGES_PER_KIND) -> tuple[dict[str, _Links], dict[str, str]]:
    """All pages that can be reached from the front page, and all images with their alt texts."""
    seen: dict[str, _Links] = {}
    due = ["/"]
    while due:
        path = due.pop()
        if path not in seen:
            seen[path] = _Links(read(path, images_per_kind))
            due += [urljoin(path, link) for link in seen[path].pages]
    return seen, {image: alt for links in seen.values() for image, alt in links.images.items()}


def test_the_pages_link_every_image_with_its_text() -> None:
    seen, images = walk()
    wanted = {image_path(kind, number): alt_text(kind, number) for kind in KINDS for number in range(IMAGES_PER_KIND)}
    assert len(wanted) >= 3000
    assert len({path.split("/")[1] for path in wanted}) >= 12
    assert wanted.items() <= images.items()
    beyond = {path for path in images if path not in wanted and not path.startswith(("/small/", "/copies/"))}
    assert beyond == {*BROKEN, "/private/face/portrait.jpg"}
    ways = set().union(*(links.ways for links in seen.values()))
    assert ways == {"og:image", "img src", "img srcset", "img data-src", "source srcset"}


def test_a_kind_is_spread_over_linked_pages() -> None:
    seen, images = walk(101)
    assert {path for path in seen if "/fish" in path} == {
        "/kinds/fish.html",
        "/kinds/fish-2.html",
        "/kinds/fish-3.html",
    }
    assert 'rel="next"' in read("/kinds/fish-2.html", 101)
    assert 'rel="next"' not in read("/kinds/fish-3.html", 101)
    assert answer("/kinds/fish-4.html", 101)[0] == 404
    assert image_path("fish", 100) in images
    assert answer(image_path("fish", 101), 101)[0] == 404


def test_robots_txt_forbids_one_linked_folder() -> None:
    rules = Protego.parse(answer("/robots.txt", 1)[2].decode())
    seen, images = walk(1)
    assert [path for path in (*seen, *images) if not rules.can_fetch(path, "imgsearch")] == [
        "/private/",
        "/private/face/portrait.jpg",
    ]


def test_copies_are_the_same_bytes_under_another_address() -> None:
    copies = [path for path in _Links(read(ODDITIES)).images if path.startswith("/copies/")]
    assert len(copies) == COPIES
    for path in copies:
        assert answer(path, 2)[1:] == answer(path.removeprefix("/copies"), 2)[1:]


def test_broken_images_are_broken() -> None:
    for path in BROKEN:
        status, content_type, body = answer(path, 1)
        assert (status, content_type) == (
            (404, "text/html; charset=utf-8") if path == "/broken/gone.jpg" else (200, "image/jpeg")
        )
        with pytest.raises(ImageError):
            decode_image(body)


def test_small_images_are_half_the_size() -> None:
    data, small = (decode_image(answer(path, 4)[2]) for path in (image_path("house", 3), small_path("house", 3)))
    assert abs(data.width - 2 * small.width) <= 1


@pytest.mark.parametrize(
    "path", ["/unicorn/0000.jpg", "/fish/0000.exe", "/fish/../fish", "/kinds/unicorn.html", "/kinds/fish-0.html", "//"]
)
def test_unknown_addresses_are_not_found(path: str) -> None:
    assert answer(path, 10)[0] == 404


# ----------------------------------------------------------------------------
# over the network


@pytest.fixture(scope="module")
def site() -> Iterator[GallerySite]:
    with GallerySite(images_per_kind=3) as gallery:
        yield gallery


def test_the_site_serves_on_loopback_over_one_connection(site: GallerySite) -> None:
    address = urlsplit(site.url)
    assert address.hostname == "127.0.0.1"
    assert site.n_images == 3 * len(KINDS)
    connection = http.client.HTTPConnection(address.netloc, timeout=30)
    kept = None
    for path, wanted in (
        ("/", read("/", 3).encode()),
        (image_path("cat", 1) + "?size=full", picture_bytes("cat", 1)[0]),
        ("/nothing", answer("/nothing", 3)[2]),
    ):
        connection.request("GET", path)
        reply = connection.getresponse()
        assert reply.read() == wanted
        assert kept in (None, connection.sock)  # the same socket: the connection was kept
        kept = connection.sock
    connection.close()


def test_head_answers_without_the_body(site: GallerySite) -> None:
    connection = http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=30)
    path = image_path("fruit", 2)
    connection.request("HEAD", path)
    reply = connection.getresponse()
    data, mime = picture_bytes("fruit", 2)
    assert (reply.status, reply.getheader("Content-Type"), reply.read()) == (200, mime, b"")
    assert reply.getheader("Content-Length") == str(len(data))
    connection.close()


def test_a_port_in_use_is_replaced_by_a_free_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with GallerySite(port, images_per_kind=1) as site:
            assert urlsplit(site.url).port not in (port, 0, None)


def test_the_port_is_free_again_after_close() -> None:
    with GallerySite(images_per_kind=1) as first:
        port = urlsplit(first.url).port
    assert port is not None
    _wait_until_refused(port)
    first.close()  # may be called twice
    with GallerySite(port, images_per_kind=1) as second:
        assert urlsplit(second.url).port == port


def test_the_site_ends_when_its_owner_is_killed() -> None:
    program = (
        "import time; from imgsearch.demo.site import GallerySite as G; print(G().url, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        port = urlsplit(owner.stdout.readline().strip()).port
        owner.kill()
    assert port is not None
    _wait_until_refused(port)


def test_a_server_that_does_not_start_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/true")
    with pytest.raises(DemoError, match="did not start"):
        GallerySite()


def test_serving_loads_neither_torch_nor_faiss() -> None:
    program = "import sys, imgsearch.demo.site; print({'torch', 'faiss', 'streamlit'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout.strip() == "set()"


def _wait_until_refused(port: int) -> None:
    """Wait until no process listens; the forked ones end shortly after the first."""

    def is_refused() -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionResetError:
            return False  # still listening
        except ConnectionRefusedError:
            return True
        return False

    wait_until(is_refused)
