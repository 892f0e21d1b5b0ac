"""Adding, crawling and refreshing called as library functions."""

from pathlib import Path

import numpy as np
import pytest

from crawler.config import CrawlConfig
from crawler.errors import SeedError
from crawler.frontier.frontier import Frontier
from imgsearch.corpus.decoding.images import encode_png
from imgsearch.corpus.store import Corpus
from imgsearch.errors import CorpusError, IngestError
from imgsearch.paths import IndexPaths
from imgsearch.workflows.ingest import add, crawl, refresh
from imgsearch.workflows.removal import remove
from tests.support.loopback_site import Answer, Site

LOCAL = CrawlConfig(allow_private=True, delay_seconds=0, sitemaps=False)


def picture(site: Site, path: str, number: int) -> None:
    pixels = np.random.default_rng(number).integers(0, 256, (60, 60, 3), np.uint8)
    site.answer(path, Answer(encode_png(pixels), headers={"Content-Type": "image/png"}))


@pytest.fixture
def page(site: Site) -> str:
    """A page with two images."""
    picture(site, "/cats/a.png", 1)
    picture(site, "/cats/b.png", 2)
    return site.page("/", '<img src="/cats/a.png" alt="a cat"><img src="/cats/b.png">')


def entries(index: Path) -> dict[str, tuple[str, str]]:
    """URL → (label, alt text) of the images that can be found."""
    with Corpus.open(IndexPaths(index)) as corpus:
        return {entry.url: (entry.label, entry.alt) for entry in corpus.entries(corpus.live_rows())}


# ----------------------------------------------------------------------------------------------------------------------
# add


def test_a_folder_is_added_with_labels_and_progress(photographs: Path, tmp_path: Path) -> None:
    shown: list[tuple[float, float | None]] = []
    report = add(
        photographs,
        tmp_path,
        labels_from_folders=True,
        on_progress=lambda done, total, text="": shown.append((done, total)),
    )
    assert report.counts["kept"] == 36
    assert report.recovered == ""
    assert {label for label, _ in entries(tmp_path).values()} == {"red", "green", "blue"}
    assert shown[-1] == (36, 36)


def test_previews_are_stored_unless_declined(photographs: Path, tmp_path: Path) -> None:
    image = photographs / "red" / "00.png"
    for previews in (True, False):
        paths = IndexPaths(tmp_path / str(previews))
        add([image], paths, previews=previews)
        with Corpus.open(paths) as corpus:
            assert (corpus.preview(0) is not None) == previews


def test_adding_stops_between_batches_and_keeps_what_was_added(photographs: Path, tmp_path: Path) -> None:
    report = add([photographs], tmp_path, stop=lambda: True)
    assert report.counts["kept"] == len(entries(tmp_path)) == 36  # one batch


def test_a_missing_path_adds_nothing(photographs: Path, tmp_path: Path) -> None:
    with pytest.raises(IngestError, match="nowhere"):
        add([photographs, tmp_path / "nowhere"], tmp_path / "index")
    assert entries(tmp_path / "index") == {}


# ----------------------------------------------------------------------------------------------------------------------
# crawl


def test_a_crawl_brings_images_with_texts_and_labels(page: str, site: Site, tmp_path: Path) -> None:
    report = crawl(page, tmp_path, config=LOCAL, labels_from_folders=True)
    assert (report.kept, report.kept_now, report.problem) == (2, 2, "")
    assert entries(tmp_path) == {
        f"{site.url}/cats/a.png": ("cats", "a cat"),
        f"{site.url}/cats/b.png": ("cats", ""),
    }


def test_the_urls_replace_the_seeds_of_the_config(page: str, tmp_path: Path) -> None:
    config = CrawlConfig(seeds=("http://127.0.0.1:9/",), allow_private=True, delay_seconds=0, sitemaps=False)
    assert crawl([page], tmp_path, config=config).kept == 2


def test_a_crawl_does_not_fetch_what_the_corpus_took_down(page: str, site: Site, tmp_path: Path) -> None:
    crawl(page, tmp_path, config=LOCAL)
    remove(f"{site.url}/cats/a.png", tmp_path, forget=True)
    IndexPaths(tmp_path).crawl_database.unlink()  # the corpus alone still knows
    site.requests.clear()
    crawl(page, tmp_path, config=LOCAL)
    assert "/cats/b.png" in site.paths()
    assert "/cats/a.png" not in site.paths()


def test_a_report_says_why_no_image_came_in(site: Site, tmp_path: Path) -> None:
    report = crawl(site.page("/", "no image here"), tmp_path, config=LOCAL)
    assert "no image was found" in report.problem


def test_a_crawl_without_an_http_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SeedError, match=r"ftp://example\.org"):
        crawl("ftp://example.org/", tmp_path)
    with pytest.raises(SeedError):
        crawl([], tmp_path)


def test_a_stopped_crawl_is_continued_by_the_next(page: str, tmp_path: Path) -> None:
    crawl(page, tmp_path, config=LOCAL, stop=lambda: True)
    assert entries(tmp_path) == {}
    with Frontier.open(IndexPaths(tmp_path).crawl_database) as frontier:
        assert frontier.seeds() == [page]
    assert crawl(page, tmp_path, config=LOCAL).kept == 2


# ----------------------------------------------------------------------------------------------------------------------
# refresh


def test_a_refresh_replaces_what_changed_and_reports_what_is_missing(page: str, site: Site, tmp_path: Path) -> None:
    crawl(page, tmp_path, config=LOCAL)
    picture(site, "/cats/a.png", 9)
    site.answer("/cats/b.png", Answer(status=404))
    report = refresh((), tmp_path, config=LOCAL)
    assert (report.unchanged, report.changed, report.missing, report.gone) == (0, 1, 1, 0)
    with Corpus.open(IndexPaths(tmp_path)) as corpus:
        (row,) = [row for row in corpus.rows_of_url(f"{site.url}/cats/a.png") if not corpus.entry(row).removed]
        assert row == 2  # a new row: an image never changes in place
    assert refresh(page, tmp_path, config=LOCAL).gone == 1
    assert list(entries(tmp_path)) == [f"{site.url}/cats/a.png"]


def test_a_refresh_needs_a_corpus_and_creates_none(tmp_path: Path) -> None:
    with pytest.raises(CorpusError):
        refresh((), tmp_path / "index", config=LOCAL)
    assert not (tmp_path / "index").exists()
