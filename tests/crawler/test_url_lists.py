"""Lists of image URLs (txt, csv, parquet): read completely, refused with a reason, crawled politely."""

import sys
from pathlib import Path

import pytest

from crawler.errors import Hint, SeedError
from crawler.frontier.frontier import Frontier
from crawler.takedown import Takedown
from crawler.url_lists import Listed, queue_list, read_list
from tests.support.crawl import Crawler
from tests.support.loopback_site import Site, serving


def parquet(path: Path, **columns: list[str | None]) -> Path:
    pyarrow = pytest.importorskip("pyarrow")
    pytest.importorskip("pyarrow.parquet").write_table(pyarrow.table(columns), path)
    return path


def test_the_three_formats_say_the_same(tmp_path: Path) -> None:
    entries = [Listed("https://example.org/a.png", "a, cat"), Listed("https://example.org/b.png", "")]
    csv = tmp_path / "list.csv"
    csv.write_text('﻿URL,id,Caption\nhttps://example.org/a.png,1,"a, cat"\n\nhttps://example.org/b.png\n,3\n')
    assert list(read_list(csv)) == entries
    table = parquet(
        tmp_path / "list.parquet",
        caption=["a, cat", None, "no URL"],
        url=["https://example.org/a.png", "https://example.org/b.png", None],
    )
    assert list(read_list(table)) == entries
    text = tmp_path / "list.txt"
    text.write_text("# mine\nhttps://example.org/a.png\n\n  https://example.org/b.png \n")
    assert list(read_list(text)) == [Listed(url) for url, _ in entries]
    alone = parquet(tmp_path / "alone.parquet", url=["https://example.org/a.png"])
    assert list(read_list(alone)) == [Listed("https://example.org/a.png")]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("list.json", b"[]", r"is a .txt, .csv or .parquet file"),
        ("list.csv", b"", "has no column named url; it has: nothing"),
        ("list.csv", b"link\nhttps://example.org/", "has no column named url; it has: link"),
        ("list.csv", b'url\n"' + b"x" * 200_000, "line .*: field larger than field limit"),
        ("list.parquet", b"PAR1 no more", "is no Parquet file that can be read"),
        ("list.txt", b"\xff\xfe\x00 ftp://example.org/\n", "names no http or https URL"),
    ],
)
def test_a_list_that_cannot_be_read_is_refused_in_words(
    tmp_path: Path, crawler: Crawler, name: str, content: bytes, reason: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SeedError, match=reason):
        crawler(lists=(path,))


def test_a_missing_list_and_missing_pyarrow(tmp_path: Path, crawler: Crawler, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SeedError, match="No such file"):
        crawler(lists=(tmp_path / "none.txt",))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(SeedError, match="need pyarrow") as failed:
        crawler(lists=(tmp_path / "list.parquet",))
    assert failed.value.hint is Hint.INSTALL_PARQUET


def test_the_images_of_a_list_are_crawled_politely_with_their_captions(
    site: Site, crawler: Crawler, tmp_path: Path
) -> None:
    with serving("127.0.0.2") as other:
        site.robots("User-agent: *\nDisallow: /no")
        site.image("/a.gif", 1)
        site.page("/page", '<img src="/never.gif"><a href="/other">x</a>')
        other.image("/b.gif", 2)
        site.redirect("/moved.gif", "/c.gif")
        site.image("/c.gif", 3)
        path = tmp_path / "list.csv"
        lines = [f"{site.url}/a.gif,first", f"{site.url}/no.gif,", f"{other.url}/b.gif,second", f"{site.url}/page,"]
        lines += [f"{site.url}/moved.gif,third", "javascript:alert(1),evil", f"{site.url}/a.gif#again,twice"]
        path.write_text("\n".join(["url,caption", *lines]))
        report = crawler(lists=(path,))
        kept = {(image.alt, image.url.rsplit("/", 1)[1]) for image in crawler.gallery.images}
        assert kept == {("first", "a.gif"), ("second", "b.gif"), ("third", "c.gif")}
        assert (report.kept, report.skipped, report.failed) == (3, 2, 0)
        assert set(report.reasons) == {
            "a page, not an image",
            f"robots.txt of {site.url[7:]} does not allow imgsearch here",
        }
        assert report.notes == (f"{path}: entries that are no URL: 1, the first is 'javascript:alert(1)'",)
        assert not {"/no.gif", "/never.gif", "/other"} & set(site.paths())
        site.requests.clear()
        assert crawler(lists=(path,)).kept_now == 0  # the same list continues the crawl
        assert site.requests == []


def test_a_list_of_failures_says_so(site: Site, crawler: Crawler, tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text(f"{site.url}/1.gif\n{site.url}/2.gif\n")
    assert crawler(lists=(path,)).problem.startswith("no image was kept; most often because: answered 404")
    site.image("/1.gif", 1)
    assert crawler(retry_failed=True).kept == 1


def test_what_is_taken_down_is_listed_in_vain(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("https://example.org/1.gif\nhttps://example.net/1.gif\n")
    with Frontier.open(tmp_path / "crawl.sqlite") as frontier:
        frontier.takedowns.add([Takedown.of_host("example.org")])
        seed = queue_list(frontier, path).seed
        assert frontier.tally("image", [seed]) == {"queued": 1, "skipped": 1}
