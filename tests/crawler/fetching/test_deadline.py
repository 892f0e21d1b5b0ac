"""A total deadline on sockets, which changes nothing else about them, also with TLS."""

import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from crawler.errors import FetchFailed
from crawler.fetching.deadline import Deadline
from crawler.fetching.fetch import Fetcher, FetchLimits
from tests.support.loopback_site import Answer, Site, gif, serving

NAME = "pictures.example"
PUBLIC = "93.184.216.34"


def test_a_read_gets_what_is_left_of_the_whole() -> None:
    deadline = Deadline()
    deadline.start(total_seconds=60, read_seconds=1)
    assert deadline.next_timeout() == 1
    deadline.start(total_seconds=1, read_seconds=60)
    assert 0 < deadline.next_timeout() <= 1
    deadline.start(total_seconds=0, read_seconds=60)
    assert deadline.is_over
    with pytest.raises(TimeoutError):
        deadline.next_timeout()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate with its key, made for `NAME` alone."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl program: install the package openssl to test over TLS")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    key = path.with_name("key.pem")
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    named = ["-days", "2", "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"]
    command = [*made, *named, "-keyout", str(key), "-out", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    path.write_text(path.read_text() + key.read_text())
    return path


@pytest.fixture
def site(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site over TLS that `NAME` leads to: it resolves to a public address, which is connected to loopback."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(tls=context) as site:
        port = int(site.url.rpartition(":")[2])
        real_connect, real_getaddrinfo = socket.socket.connect, socket.getaddrinfo

        def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
            return real_getaddrinfo(PUBLIC if host in (NAME, "other.example") else host, *args, **kwargs)

        def connect(self: socket.socket, address: Any) -> None:
            assert address[0] == PUBLIC
            real_connect(self, ("127.0.0.1", port))

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        monkeypatch.setattr(socket.socket, "connect", connect)
        site.url = f"https://{NAME}"
        yield site


def trust(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(certificate))


@pytest.mark.parametrize("allow_private", [True, False])
def test_a_site_over_tls(site: Site, certificate: Path, monkeypatch: pytest.MonkeyPatch, allow_private: bool) -> None:
    trust(certificate, monkeypatch)
    with Fetcher(allow_private=allow_private) as fetcher:
        for number in range(3):
            assert fetcher.get(site.image(f"/{number}.gif", number)).body == gif(number)
    assert {request.headers["Host"] for request in site.requests} <= {NAME, f"{NAME}:443"}


@pytest.mark.parametrize("allow_private", [True, False])
def test_a_certificate_that_nobody_vouches_for(site: Site, allow_private: bool) -> None:
    with Fetcher(allow_private=allow_private) as fetcher, pytest.raises(FetchFailed, match="certificate is not valid"):
        fetcher.get(site.image("/a.gif", 1))
    assert site.requests == []


@pytest.mark.parametrize("allow_private", [True, False])
def test_a_certificate_of_another_name(
    site: Site, certificate: Path, monkeypatch: pytest.MonkeyPatch, allow_private: bool
) -> None:
    trust(certificate, monkeypatch)
    with Fetcher(allow_private=allow_private) as fetcher, pytest.raises(FetchFailed, match="certificate is not valid"):
        fetcher.get("https://other.example/a.gif")
    assert site.requests == []


def test_a_body_that_drips_over_tls_is_ended(site: Site, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trust(certificate, monkeypatch)

    def drip(file: BinaryIO) -> None:
        for _ in range(1000):
            file.write(b"x")
            file.flush()
            time.sleep(0.05)

    site.answer("/", Answer(write=drip, content_length=1000))
    limits = FetchLimits(read_seconds=5, total_seconds=0.5)
    with Fetcher(limits=limits) as fetcher, pytest.raises(FetchFailed, match="took longer"):
        fetcher.get(site.url + "/")
