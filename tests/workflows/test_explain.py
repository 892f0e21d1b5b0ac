"""Explaining a URL, called as a library function."""

from pathlib import Path

import pytest

from crawler.errors import SeedError
from crawler.reasons import ReasonCode
from imgsearch.workflows.explain import explain
from imgsearch.workflows.ingest import crawl
from imgsearch.workflows.removal import remove
from tests.support.loopback_site import Site
from tests.workflows.test_ingest import LOCAL, picture


@pytest.fixture
def image(site: Site, tmp_path: Path) -> str:
    """The URL of an image that was crawled into `tmp_path`."""
    picture(site, "/cat.png", 1)
    crawl(site.page("/", '<img src="/cat.png" alt="a cat">'), tmp_path, config=LOCAL)
    return f"{site.url}/cat.png"


def test_a_kept_image_is_explained_by_crawl_and_corpus(image: str, site: Site, tmp_path: Path) -> None:
    explanation = explain(f"{image}#fragment", tmp_path)
    (known,) = explanation.known
    assert (known.kind, known.outcome, known.alt) == ("image", "kept", "a cat")
    (stored,) = explanation.rows
    assert (stored.row, stored.removed, stored.source.page_url) == (0, False, f"{site.url}/")
    assert (explanation.takedown, explanation.nearest) == (None, [])
    assert explanation.host is not None


def test_a_takedown_is_named(image: str, site: Site, tmp_path: Path) -> None:
    remove((), tmp_path, hosts=[site.url.removeprefix("http://")])
    explanation = explain(image, tmp_path)
    assert explanation.takedown is not None
    assert explanation.takedown.code is ReasonCode.TAKEN_DOWN
    assert [stored.removed for stored in explanation.rows] == [True]


def test_an_unknown_url_gets_similar_ones(image: str, site: Site, tmp_path: Path) -> None:
    explanation = explain(f"{site.url}/cut.png", tmp_path)
    assert (explanation.known, explanation.rows) == ([], [])
    assert image in explanation.nearest


def test_a_directory_without_a_crawl_knows_nothing_and_is_not_created(tmp_path: Path) -> None:
    explanation = explain("https://example.org/a.png", tmp_path / "index")
    assert (explanation.known, explanation.host, explanation.rows, explanation.nearest) == ([], None, [], [])
    assert not (tmp_path / "index").exists()
    with pytest.raises(SeedError):
        explain("ftp://example.org/", tmp_path)
