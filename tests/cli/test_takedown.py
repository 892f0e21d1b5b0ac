"""Takedowns: no longer found, never fetched again, reversed by `remove --undo`, erased by `compact`."""

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.errors import SeedError
from crawler.frontier.frontier import Frontier
from crawler.takedown import Takedown, refusal_of
from imgsearch.cli.main import run
from imgsearch.corpus.decoding.images import encode_png
from imgsearch.corpus.erasing import erase_removed
from imgsearch.corpus.store import Corpus, NewImage, Source
from imgsearch.corpus.takedowns import covered_rows
from imgsearch.errors import CorpusError
from imgsearch.paths import IndexPaths
from imgsearch.retrieval.search.searcher import Searcher
from tests.support.index import make_index, smooth_thumbnails
from tests.support.loopback_site import Answer, Site, serving


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return tmp_path / "index"


def add_images(site: Site, folder: str, n: int, first: int = 0) -> str:
    """A page with `n` images that can be decoded, at `/folder/`; returns its URL."""
    names = [f"/{folder}/{number}.png" for number in range(first, first + n)]
    for number, name in enumerate(names, start=first):
        pixels = np.random.default_rng(number).integers(0, 256, (80, 80, 3), np.uint8)
        site.answer(name, Answer(encode_png(pixels), headers={"Content-Type": "image/png"}))
    return site.page(f"/{folder}/", "".join(f'<img src="{name}" alt="secret words {name}">' for name in names))


def imgsearch(*line: str | Path) -> int:
    return run([str(word) for word in line])


def crawl(index: Path, *line: str) -> int:
    return imgsearch("crawl", *line, "--allow-private", "--delay", "0", "--index", index)


def live_urls(index: Path) -> list[str]:
    with Corpus.open(IndexPaths(index)) as corpus:
        return sorted(corpus.entry(int(row)).url for row in corpus.live_rows())


# ----------------------------------------------------------------------------
# what a takedown covers


@pytest.mark.parametrize(
    ("host", "covered", "others"),
    [
        (
            "example.org",
            ["https://example.org/a.png", "http://www.EXAMPLE.org:8080/", "https://example.org./a.png"],
            ["https://example.org.evil.net/", "https://cdn.example.org/", "file:///example.org/a.png", "example.org"],
        ),
        ("example.org:8080", ["http://example.org:8080/a"], ["http://example.org/a", "http://example.org:8081/"]),
        ("*.example.org", ["https://example.org/", "https://a.b.example.org/"], ["https://badexample.org/"]),
        ("bücher.de", ["https://xn--bcher-kva.de/x.png"], ["https://bucher.de/"]),
        ("[::1]", ["http://[::1]:80/a", "http://[::1]:8000/"], ["http://[::2]/"]),
    ],
)
def test_a_host_covers_its_urls_in_every_spelling(host: str, covered: list[str], others: list[str]) -> None:
    takedown = Takedown.of_host(host)
    assert [url for url in covered if not takedown.covers(url)] == []
    assert [url for url in others if takedown.covers(url)] == []


def test_a_prefix_covers_what_begins_like_it() -> None:
    takedown = Takedown.of_prefix("https://example.org/gallery/")
    for url in (
        "https://example.org/gallery/",
        "http://example.org/gallery/1.png?x=1",
        "https://EXAMPLE.org:443/x/../gallery/1.png",
        "https://www.example.org/%67allery/1.png",
        "https://example.org/gallery/#inline-0123",
    ):
        assert takedown.covers(url), url
    for url in ("https://example.org/gallery", "https://example.org/other/gallery/", "https://example.net/gallery/"):
        assert not takedown.covers(url), url
    assert not Takedown.of_prefix("https://example.org").covers("https://example.org.evil.net/")
    assert Takedown.of_url("https://example.org/a?b=1&a=2").covers("http://example.org/a?a=2&b=1#x")


@settings(max_examples=50)
@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_makes_a_takedown_or_is_refused(text: str, url: str) -> None:
    for make in (Takedown.of_host, Takedown.of_prefix, Takedown.of_url):
        try:
            takedown = make(text)
        except SeedError:
            continue
        assert takedown.covers(url) in (True, False)
        assert takedown.host in takedown.value.lower()


# ----------------------------------------------------------------------------
# the command


def test_a_host_leaves_every_answer_at_once(tmp_path: Path) -> None:
    paths = make_index(tmp_path, smooth_thumbnails(6))
    with Corpus.open_for_writing(paths) as corpus:
        corpus.add_sources([(0, Source("https://example.net/0.png", "https://example.net/"))])
        add = [NewImage("ab" * 32, smooth_thumbnails(1, 7)[0], None, 32, 32, 1, "https://example.net/7.png")]
        corpus.append(add)
    with Searcher.open(paths, device="cpu") as searcher:
        asked = smooth_thumbnails(1)[0]
        assert len(searcher.search(asked, k=9).hits["code"]) == 6
        assert imgsearch("remove", "--host", "example.org", "--index", tmp_path) == 0
        answer = searcher.search(asked, k=9, by="all")
        assert answer.hits == {"code": (), "pixel": (), "binary": ()}
    assert live_urls(tmp_path) == ["https://example.net/7.png"]


def test_taken_down_addresses_are_never_fetched_again(
    site: Site, index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gallery, other = add_images(site, "gallery", 3), add_images(site, "other", 2, first=10)
    start = site.page("/", f'<a href="{gallery}">g</a><a href="{other}">o</a><img src="/gallery/9.png">')
    assert crawl(index, start) == 0
    assert imgsearch("remove", "--url-prefix", gallery, "--index", index) == 0
    assert "removed 3 images" in capsys.readouterr().out
    add_images(site, "gallery", 9)
    site.requests.clear()
    # A fresh frontier knows nothing: the corpus remembers.
    (index / "crawl.sqlite").unlink()
    assert crawl(index, start) == 0
    assert "/other/10.png" in site.paths()
    assert [path for path in site.paths() if path.startswith("/gallery/")] == []
    # A fresh corpus knows nothing: the frontier remembers.
    for file in (index / "corpus").iterdir():
        file.unlink()
    assert crawl(index, start, gallery) == 0
    assert [path for path in site.paths() if path.startswith("/gallery/")] == []
    assert f"taken down (url-prefix {gallery})" in capsys.readouterr().out


def test_queued_urls_and_redirects_to_a_taken_down_host_are_refused(site: Site, index: Path) -> None:
    with serving("127.0.0.2") as other:
        add_images(other, "x", 2)
        page = site.page("/", f'<img src="/moved.png"><img src="{other.url}/x/1.png">')
        site.redirect("/moved.png", f"{other.url}/x/0.png")
        assert crawl(index, page, "--max-pages", "1") == 1  # off site: no image was kept
        with Corpus.open_for_writing(IndexPaths(index)):
            pass
        other.requests.clear()
        with Frontier.open(index / "crawl.sqlite") as frontier:
            frontier.takedowns.add([Takedown.of_host("127.0.0.2")])
        crawl(index, page, "--follow-hosts")
        assert other.paths() == []  # not even robots.txt
        with Frontier.open(index / "crawl.sqlite") as frontier:
            known = frontier.inspection.known(f"{other.url}/x/0.png") + frontier.inspection.known(
                f"{other.url}/x/1.png"
            )
        assert [(line.outcome, str(line.reason)) for line in known] == [("skipped", "taken down (host 127.0.0.2)")] * 2


def test_undo_brings_back_what_the_takedown_removed_and_nothing_else(site: Site, index: Path) -> None:
    page = add_images(site, "gallery", 3)
    crawl(index, page)
    host = site.url.removeprefix("http://")
    assert imgsearch("remove", f"{site.url}/gallery/0.png", "--index", index) == 0
    assert imgsearch("remove", "--host", host, "--index", index) == 0
    assert live_urls(index) == []
    site.requests.clear()
    assert imgsearch("remove", "--undo", "--host", host, "--index", index) == 0
    assert live_urls(index) == [f"{site.url}/gallery/1.png", f"{site.url}/gallery/2.png"]
    site.page("/gallery/new", '<img src="/gallery/0.png"><img src="/gallery/7.png">')
    add_images(site, "gallery", 8)
    assert crawl(index, f"{site.url}/gallery/new") == 0
    assert "/gallery/7.png" in site.paths()


def test_forget_refuses_one_address_until_it_is_undone(site: Site, index: Path) -> None:
    page = add_images(site, "gallery", 2)
    crawl(index, page)
    url = f"{site.url}/gallery/0.png"
    assert imgsearch("remove", "--forget", url, "--index", index) == 0
    (index / "crawl.sqlite").unlink()
    site.requests.clear()
    crawl(index, page)
    assert "/gallery/1.png" in site.paths()
    assert "/gallery/0.png" not in site.paths()
    assert imgsearch("remove", "--undo", "--forget", url, "--index", index) == 0
    assert live_urls(index) == [url, f"{site.url}/gallery/1.png"]
    crawl(index, page)
    assert "/gallery/0.png" in site.paths()


def test_an_image_found_on_several_hosts_is_removed_with_its_own_address_only(tmp_path: Path) -> None:
    paths = IndexPaths(tmp_path)
    with Corpus.open_for_writing(paths) as corpus:
        thumbnail = smooth_thumbnails(1)[0]
        places = [
            ("https://cdn.net/a", "https://example.org/"),  # shown by the host alone
            ("https://cdn.net/b", "https://example.org/"),  # and by another
            ("https://example.org/c", "https://cdn.net/"),
        ]
        for number, (url, page) in enumerate(places):
            corpus.append([NewImage(f"{number:064x}", thumbnail, None, 1, 1, 1, url, page)])
        corpus.add_sources([(1, Source("https://cdn.net/b2", "https://cdn.net/"))])
        takedown = Takedown.of_host("example.org")
        assert covered_rows(corpus, takedown.covers, takedown.host) == [0, 2]


def test_naming_nothing_or_an_invalid_host_is_refused(
    index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_index(index, smooth_thumbnails(1))
    assert imgsearch("remove", "--index", index) == 2
    assert "nothing is named" in capsys.readouterr().err
    assert imgsearch("remove", "--host", "two words", "--index", index) == 2
    assert "'two words' is not the name of a host" in capsys.readouterr().err


# ----------------------------------------------------------------------------
# compact


def everything_in(folder: Path) -> bytes:
    return b"\0\0".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_compact_leaves_no_trace_of_what_was_removed(site: Site, index: Path) -> None:
    crawl(index, add_images(site, "gallery", 4))
    paths = IndexPaths(index)
    assert imgsearch("reindex", "--device", "cpu", "--index", index) == 0
    with Corpus.open(paths) as corpus:
        (row,) = corpus.rows_of_url(f"{site.url}/gallery/2.png")
        other = (row + 1) % 4
        traces = [corpus.thumbnails()[row].tobytes(), corpus.preview(row) or b"", b"secret words /gallery/2.png"]
        kept = (corpus.thumbnails()[other].tobytes(), corpus.preview(other))
    with Searcher.open(paths, device="cpu") as searcher:
        traces += [
            searcher.indexed_codes(np.array([row])).tobytes(),
            searcher.indexed_bits(np.array([row])).tobytes(),
        ]
        traces.append((index / "codes" / "codes.f16").read_bytes()[row * 512 : (row + 1) * 512])
        before = searcher.search(other, k=9, by="all")
    assert [number for number, trace in enumerate(traces) if not trace or trace not in everything_in(index)] == []
    assert imgsearch("remove", "--url-prefix", f"{site.url}/gallery/2", "--index", index) == 0
    with Corpus.open(paths) as reader:  # as the page does; so the log of the database stays
        reader.counts()
        assert imgsearch("compact", "--index", index) == 0
        assert [number for number, trace in enumerate(traces) if trace in everything_in(index)] == []
    with Corpus.open(paths) as corpus:
        assert corpus.verify() == []
        assert (corpus.thumbnails()[other].tobytes(), corpus.preview(other)) == kept
        assert len(corpus) == 4
    with Searcher.open(paths, device="cpu") as searcher:
        after = searcher.search(other, k=9, by="all")
        for method in ("code", "pixel", "binary"):
            there = [(hit.row, hit.distance) for hit in before.hits[method] if hit.row != row]
            assert [(hit.row, hit.distance) for hit in after.hits[method]] == there


def test_erased_images_can_neither_be_restored_nor_added_again(
    site: Site, index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = add_images(site, "gallery", 2)
    crawl(index, page)
    with Corpus.open(IndexPaths(index)) as corpus:
        (row,) = corpus.rows_of_url(f"{site.url}/gallery/0.png")
    assert imgsearch("remove", f"row:{row}", "--index", index) == 0
    assert imgsearch("compact", "--index", index) == 0
    assert imgsearch("remove", "--undo", f"row:{row}", "--index", index) == 1
    assert "was erased, so it cannot be restored" in capsys.readouterr().err
    (index / "crawl.sqlite").unlink()
    crawl(index, page)
    assert "it was erased: nothing brings it back" in capsys.readouterr().out
    assert live_urls(index) == [f"{site.url}/gallery/1.png"]
    with Corpus.open(IndexPaths(index)) as corpus:
        assert len(corpus) == 2


def test_an_erased_original_leaves_no_hash_and_its_copies_stand_alone(tmp_path: Path) -> None:
    paths, thumbnails = IndexPaths(tmp_path), smooth_thumbnails(2)
    with Corpus.open_for_writing(paths) as corpus:
        original, copy = (
            NewImage(
                digest=digest * 64,
                thumbnail=thumbnails[0],
                preview=None,
                width=32,
                height=32,
                n_bytes=9,
                url=f"https://example.org/{digest}.png",
                perceptual_hash=7,
                near_duplicate_of=near,
            )
            for digest, near in (("a", None), ("b", 0))
        )
        corpus.append([original, copy])
        assert corpus.entry(1).near_duplicate_of == 0
        corpus.remove([0])
        erase_removed(corpus, paths)
        assert corpus.entry(0).erased
        assert corpus.entry(1).near_duplicate_of is None
        assert corpus.perceptual_originals()[0].tolist() == [1]
        assert corpus.rows_without_hash().tolist() == []


def test_an_interrupted_compact_is_completed_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = make_index(tmp_path, smooth_thumbnails(3))
    trace = smooth_thumbnails(3)[1].tobytes()
    with Corpus.open_for_writing(paths) as corpus:
        corpus.remove([1])
        with monkeypatch.context() as broken:
            broken.setattr(os, "pwrite", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                erase_removed(corpus, paths)
        with pytest.raises(CorpusError, match="was erased"):
            corpus.restore([1])  # half erased is erased
        assert trace in everything_in(paths.corpus)
    with Corpus.open_for_writing(paths) as corpus:
        assert erase_removed(corpus, paths) == 0
        assert trace not in everything_in(paths.corpus)
        assert corpus.verify() == []


# ----------------------------------------------------------------------------
# older files


def test_an_older_corpus_is_brought_up_to_date(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = make_index(tmp_path, smooth_thumbnails(2))
    with closing(sqlite3.connect(paths.corpus_database)) as connection:
        connection.executescript(
            """CREATE TABLE old (row, url, page_url, alt);
            INSERT INTO old SELECT row, url, page_url, alt FROM source;
            DROP TABLE source; DROP TABLE takedown; DROP TABLE taken_down; DROP TABLE perceptual;
            CREATE TABLE source (row INTEGER NOT NULL REFERENCES image, url TEXT NOT NULL, page_url TEXT NOT NULL,
                alt TEXT NOT NULL);
            CREATE UNIQUE INDEX source_url ON source(url, row);
            CREATE INDEX source_row ON source(row);
            INSERT INTO source SELECT * FROM old; DROP TABLE old;
            PRAGMA user_version = 1;"""
        )
    assert imgsearch("search", "row:0", "--json", "--device", "cpu", "--index", tmp_path) == 0
    (hit,) = json.loads(capsys.readouterr().out)["code"]
    assert (hit["url"], hit["provenance"]["etag"]) == ("https://example.org/1.png", "")
    assert imgsearch("remove", "--host", "example.org", "--index", tmp_path) == 0
    assert live_urls(tmp_path) == []


def test_an_older_frontier_is_brought_up_to_date(tmp_path: Path) -> None:
    from crawler.frontier import schema

    path = tmp_path / "crawl.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(schema.STEPS[0])
        connection.execute("PRAGMA user_version = 1")
        connection.execute("INSERT INTO host (host) VALUES ('https://example.org')")
        connection.execute(
            "INSERT INTO url (key, url, kind, seed, host, depth, hops, parent, alt, rank) VALUES"
            " ('https://example.org/a', 'https://example.org/a', 'image', 's', 'https://example.org', 0, 0, '', '', 0)"
        )
        connection.commit()
    with Frontier.open(path) as frontier:
        assert frontier.takedowns.add([Takedown.of_host("example.org")]) == 1
        (line,) = frontier.inspection.known("https://example.org/a")
        assert (line.outcome, str(line.reason)) == ("skipped", "taken down (host example.org)")
        assert refusal_of(frontier.takedowns.all(), line.url) == line.reason
