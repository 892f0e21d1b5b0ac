"""The command `why`, the provenance in search results, and the crawl report."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from imgsearch.cli.main import run
from imgsearch.corpus.decoding.images import encode_png
from tests.support.cli import misuse
from tests.support.html import Elements
from tests.support.loopback_site import Answer, Site


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return tmp_path / "index"


def picture(site: Site, path: str, number: int, **headers: str) -> None:
    pixels = np.random.default_rng(number).integers(0, 256, (40, 40, 3), np.uint8)
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    site.answer(path, Answer(encode_png(pixels), headers={"Content-Type": "image/png", **named}))


def crawl(index: Path, *line: str | Path) -> int:
    return run(["crawl", *map(str, line), "--allow-private", "--delay", "0", "--index", str(index)])


def told(capsys: pytest.CaptureFixture[str], index: Path, url: str, *words: str) -> str:
    capsys.readouterr()
    assert run(["why", url, *words, "--index", str(index)]) == 0
    return capsys.readouterr().out


@pytest.fixture
def crawled(site: Site, index: Path) -> Site:
    site.robots("User-agent: *\nDisallow: /secret")
    site.page("/", '<a href="/gallery">gallery</a><img src="/secret.png">')
    site.page("/gallery", '<img src="/cat.png?utm_source=x" alt="a cat"><img src="/gone.png">')
    picture(site, "/cat.png?utm_source=x", 1, ETag='"v1"', Last_Modified="Wed, 21 Oct 2015 07:28:00 GMT")
    assert crawl(index, f"{site.url}/") == 0
    return site


def test_why_shows_where_an_image_was_found_and_its_outcome(
    crawled: Site, index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = told(capsys, index, f"{crawled.url}/cat.png")  # in another spelling
    for text in (
        "image: kept",
        f"found on {crawled.url}/ → {crawled.url}/gallery, as 'a cat'",
        "robots.txt: allows imgsearch to fetch it",
        'ETag: "v1"',
        "Last-Modified: Wed, 21 Oct 2015 07:28:00 GMT",
        "robots.txt allows it; image/png",
        "row:0: 40×40",
    ):
        assert text in answer


def test_why_gives_the_reason_of_a_url_that_was_not_kept(
    crawled: Site, index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = told(capsys, index, f"{crawled.url}/secret.png")
    assert "image: skipped, robots.txt of" in refused
    assert "robots.txt: does not allow imgsearch to fetch it" in refused
    assert "no image of the corpus was found under it" in refused
    gone = told(capsys, index, f"{crawled.url}/gone.png")
    assert "image: failed, answered 404" in gone
    page = told(capsys, index, f"{crawled.url}/")
    assert "page: read" in page
    assert "given as a seed" in page


def test_why_of_a_sitemap_and_its_pages(site: Site, index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site.page("/", "nothing")
    entry = f"<url><loc>{site.url}/far</loc></url>"
    site.answer("/sitemap.xml", Answer(f"<urlset>{entry}</urlset>".encode(), headers={"Content-Type": "text/xml"}))
    site.page("/far", "nothing")
    crawl(index, f"{site.url}/")
    assert "sitemap: read" in told(capsys, index, f"{site.url}/sitemap.xml")
    path = f"found on {site.url}/robots.txt → {site.url}/sitemap.xml"
    assert path in told(capsys, index, f"{site.url}/far")


def test_why_of_a_url_that_is_too_long(site: Site, index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    long = f"{site.url}/{'x' * 3000}"
    site.page("/", f'<a href="{long}" rel=nofollow>x</a><img src="{long}.png">')
    crawl(index, f"{site.url}/")
    assert "page: skipped, the link says nofollow" in told(capsys, index, long)
    assert "image: skipped, URL longer than 2083 characters" in told(capsys, index, f"{long}.png")
    with closing(sqlite3.connect(index / "crawl.sqlite")) as connection:
        assert connection.execute("SELECT MAX(length(url)) FROM url").fetchone() == (2083,)


def test_why_in_json(crawled: Site, index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = json.loads(told(capsys, index, f"{crawled.url}/cat.png?utm_source=x", "--json"))
    (line,) = answer["known"]
    assert (line["outcome"], line["tries"], line["path"]) == ("kept", 0, [f"{crawled.url}/", f"{crawled.url}/gallery"])
    (row,) = answer["rows"]
    assert row["source"]["provenance"]["etag"] == '"v1"'
    assert abs(row["source"]["provenance"]["fetched_at"] - datetime.now(UTC).timestamp()) < 60
    assert answer["takedown"] == ""


def test_why_suggests_similar_known_urls(crawled: Site, index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = told(capsys, index, f"{crawled.url}/caat.png".replace("http:", "https:"))
    assert "no crawl has seen this URL" in answer
    assert f"perhaps you mean {crawled.url}/cat.png?utm_source=x" in answer
    assert "perhaps" not in told(capsys, index, "https://example.org/")


def test_why_of_a_takedown(crawled: Site, index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["remove", "--host", "127.0.0.1", "--index", str(index)]) == 0
    answer = told(capsys, index, f"{crawled.url}/cat.png")
    assert "taken down (host 127.0.0.1): it is not fetched" in answer
    assert "row:0 (removed)" in answer
    assert run(["compact", "--index", str(index)]) == 0
    answer = told(capsys, index, f"{crawled.url}/cat.png")
    assert "a cat" not in answer
    assert "v1" not in answer


def test_why_before_any_crawl_and_of_an_invalid_url(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no crawl has seen this URL" in told(capsys, index, "https://example.org/")
    assert not index.exists()
    assert "is not an http or https URL" in misuse(capsys, "why", "ftp://example.org/", "--index", index)


# ----------------------------------------------------------------------------
# provenance in results


def test_search_shows_the_provenance(crawled: Site, index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture(crawled, "/dog.png", 2)
    assert crawl(index, f"{crawled.url}/dog.png") == 0
    assert run(["reindex", "--device", "cpu", "--index", str(index)]) == 0
    capsys.readouterr()
    assert run(["search", "row:1", "--json", "--device", "cpu", "--index", str(index)]) == 0
    (hit,) = json.loads(capsys.readouterr().out)["code"]
    provenance = hit["provenance"]
    assert (provenance["etag"], provenance["content_type"]) == ('"v1"', "image/png")
    assert provenance["robots"] == "robots.txt allows it"
    assert provenance["licence"] == ""


# ----------------------------------------------------------------------------
# the crawl report


def test_the_crawl_report_loads_nothing_from_the_web(crawled: Site, index: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    crawled.requests.clear()
    assert crawl(index, "--report", report) == 0
    assert crawled.requests == []  # it only draws
    html = report.read_text(encoding="utf-8")
    page = Elements(html)
    assert "Images: 1 kept, 0 duplicate, 1 skipped, 1 failed, 0 queued." in html
    assert f'<td>{crawled.url}</td><td class="number">1</td>' in html
    assert "answered 404" in html
    assert page.tags.count("img") == 1
    assert page.tags.count("rect") == 2  # one minute or two, kept and failed (what is skipped was not asked for)
    assert all(address.startswith("data:image/png;base64,") for address in page.addresses)
    assert not {"script", "iframe", "object", "link", "form", "a"} & set(page.tags)


def test_there_is_no_report_before_a_crawl(index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert crawl(index, "--report", tmp_path / "report.html") == 1
    assert "nothing was crawled" in capsys.readouterr().err
    assert "no URL to start from" in misuse(capsys, "crawl", "--index", index)
