"""Removing, bringing back and erasing images, called as library functions."""

from pathlib import Path

import pytest

from crawler.errors import SeedError
from crawler.frontier.frontier import Frontier
from crawler.takedown import HOST, PREFIX, URL
from imgsearch.corpus.store import Corpus
from imgsearch.errors import CorpusError, UnknownRowError
from imgsearch.paths import IndexPaths
from imgsearch.workflows.removal import CompactResult, RemovalResult, TakedownResult, compact, remove, undo
from tests.support.index import add_images, smooth_thumbnails

N = 5


@pytest.fixture
def paths(tmp_path: Path) -> IndexPaths:
    """Five images at https://example.org/0.png … 4.png, and the frontier of a crawl."""
    paths = IndexPaths(tmp_path)
    add_images(paths, smooth_thumbnails(N))
    Frontier.open(paths.crawl_database).close()
    return paths


def live(paths: IndexPaths) -> list[int]:
    with Corpus.open(paths) as corpus:
        return [int(row) for row in corpus.live_rows()]


def refused(paths: IndexPaths) -> set[tuple[str, str]]:
    """(kind, value) of the takedowns that the frontier holds."""
    with Frontier.open(paths.crawl_database) as frontier:
        return {(takedown.kind, takedown.value) for takedown in frontier.takedowns.all()}


def test_rows_and_urls_are_removed_and_brought_back(paths: IndexPaths) -> None:
    assert remove([0, "https://example.org/3.png"], paths) == RemovalResult(named=2, changed=2, takedowns=())
    assert live(paths) == [1, 2, 4]
    assert remove(0, paths) == RemovalResult(named=1, changed=0, takedowns=())
    assert undo([0, "https://example.org/3.png"], paths) == RemovalResult(named=2, changed=2, takedowns=())
    assert live(paths) == [0, 1, 2, 3, 4]
    assert refused(paths) == set()


def test_a_host_is_refused_by_corpus_and_frontier_until_undo(paths: IndexPaths) -> None:
    taken_down = TakedownResult(HOST, "example.org", N)
    assert remove((), paths, hosts=["example.org"]).takedowns == (taken_down,)
    assert live(paths) == []
    assert refused(paths) == {(HOST, "example.org")}
    assert undo((), paths, hosts=["example.org"]).takedowns == (taken_down,)
    assert live(paths) == list(range(N))
    assert refused(paths) == set()
    assert undo((), paths, hosts=["example.org"]).takedowns == (TakedownResult(HOST, "example.org", None),)


def test_a_prefix_covers_only_what_begins_like_it(paths: IndexPaths) -> None:
    (result,) = remove((), paths, url_prefixes=["https://example.org/2"]).takedowns
    assert (result.kind, result.images) == (PREFIX, 1)
    assert live(paths) == [0, 1, 3, 4]


def test_forget_refuses_the_addresses_of_the_images(paths: IndexPaths) -> None:
    result = remove([1], paths, forget=True)
    assert [takedown.kind for takedown in result.takedowns] == [URL]
    assert {kind for kind, _ in refused(paths)} == {URL}
    assert undo([1], paths, forget=True).takedowns == ()
    assert refused(paths) == set()


@pytest.mark.parametrize("call", [remove, undo])
def test_nothing_is_changed_where_a_name_is_wrong(paths: IndexPaths, call: object) -> None:
    assert callable(call)
    for images, hosts, error in (
        ([0, 99], [], UnknownRowError),
        (["https://example.org/9.png"], [], UnknownRowError),
        ([0], ["two words"], SeedError),
    ):
        with pytest.raises(error):
            call(images, paths, hosts=hosts)
    assert live(paths) == list(range(N))


@pytest.mark.parametrize("call", [remove, undo, compact])
def test_a_missing_corpus_is_not_created(tmp_path: Path, call: object) -> None:
    assert callable(call)
    with pytest.raises(CorpusError):
        call(index=tmp_path / "index")
    assert not (tmp_path / "index").exists()


def test_compact_erases_once_and_drawings_go_with_the_images(paths: IndexPaths) -> None:
    paths.lab.mkdir()
    (paths.lab / "map.png").write_bytes(b"a picture")
    (paths.lab / "map.json").write_text("{}", encoding="utf-8")
    assert compact(paths) == CompactResult(erased=0, removed=0)
    assert (paths.lab / "map.png").exists()
    remove([1, 2], paths)
    assert compact(paths) == CompactResult(erased=2, removed=2)
    assert [file.name for file in paths.lab.iterdir()] == ["map.json"]
    remove([3], paths)
    assert compact(paths) == CompactResult(erased=1, removed=3)
    with pytest.raises(CorpusError, match="was erased"):
        undo([1], paths)
