"""Effects of a refresh on the corpus: new bytes get a new row, the old one is removed, both keep provenance."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from imgsearch.cli.main import run
from imgsearch.corpus.decoding.images import encode_png
from imgsearch.corpus.ingest import FoundImage, Intake
from imgsearch.corpus.reasons import Reason, ReasonCode
from imgsearch.corpus.records import Provenance
from imgsearch.corpus.renewal import RefreshVerdict, Renewal
from imgsearch.corpus.store import Corpus
from imgsearch.paths import IndexPaths
from tests.support.loopback_site import Answer, serving


@pytest.fixture
def corpus(tmp_path: Path) -> Iterator[Corpus]:
    with Corpus.open_for_writing(IndexPaths(tmp_path)) as corpus:
        yield corpus


@pytest.fixture
def renewal(corpus: Corpus) -> Renewal:
    intake = Intake(corpus)
    intake.keep([found("a", 1), found("b", 2), found("c", 2)])
    return Renewal(corpus, intake, clock=lambda: 1_000.0)


def found(name: str, number: int, etag: str = "") -> FoundImage:
    pixels = np.random.default_rng(number).integers(0, 256, (40, 40, 3), np.uint8)
    url, licence = f"https://example.org/{name}.png", "https://example.org/licence"
    provenance = Provenance(5.0, "image/png", etag, "", "allowed", licence)
    return FoundImage(url, encode_png(pixels), "https://example.org/", name, provenance)


def live(corpus: Corpus) -> list[int]:
    return [int(row) for row in corpus.live_rows()]


def test_the_same_bytes_change_nothing(corpus: Corpus, renewal: Renewal) -> None:
    changes = corpus.change_count()
    assert renewal.replace([found("a", 1), found("c", 2)]) == [RefreshVerdict("unchanged")] * 2
    assert live(corpus) == [0, 1]
    assert [source.gone_at for row in (0, 1) for source in corpus.sources(row)] == [0, 0, 0]
    assert corpus.change_count() - changes <= 2


def test_new_bytes_become_a_new_row_and_the_old_one_keeps_its_provenance(corpus: Corpus, renewal: Renewal) -> None:
    assert renewal.replace([found("a", 7, '"v2"')]) == [
        RefreshVerdict("changed", Reason(ReasonCode.ROW_REPLACED, "0 2"))
    ]
    assert live(corpus) == [1, 2]
    (old,), (new,) = corpus.sources(0), corpus.sources(2)
    assert (old.url, old.alt, old.gone_at) == (new.url, "a", 1_000.0)
    assert (new.provenance.etag, new.provenance.licence, new.gone_at) == ('"v2"', "https://example.org/licence", 0)
    # After a crash between the two steps the image is fetched once more.
    assert renewal.replace([found("a", 7, '"v2"')]) == [RefreshVerdict("unchanged")]


def test_a_crash_between_new_row_and_old_one_is_mended_by_asking_again(corpus: Corpus, renewal: Renewal) -> None:
    Intake(corpus).keep([found("a", 7)])
    assert live(corpus) == [0, 1, 2]
    assert renewal.replace([found("a", 7)]) == [RefreshVerdict("changed", Reason(ReasonCode.ROW_REPLACED, "0 2"))]
    assert live(corpus) == [1, 2]


def test_bytes_that_are_no_image_leave_the_old_one(corpus: Corpus, renewal: Renewal) -> None:
    broken = FoundImage("https://example.org/a.png", b"\x89PNG\r\n broken")
    (verdict,) = renewal.replace([broken])
    assert verdict.verdict == "skipped"
    assert verdict.reason == Reason(ReasonCode.UNREADABLE_HEADER, "a PNG")
    assert live(corpus) == [0, 1]


def test_an_image_is_removed_when_its_last_place_is_gone(corpus: Corpus, renewal: Renewal) -> None:
    renewal.bury(["https://example.org/b.png"])
    assert live(corpus) == [0, 1]
    assert corpus.entry(1).url == "https://example.org/c.png"  # where it still is
    renewal.bury(["https://example.org/c.png", "https://example.org/c.png"])
    assert live(corpus) == [0]


def test_an_image_that_becomes_another_known_one(corpus: Corpus, renewal: Renewal) -> None:
    assert renewal.replace([found("a", 2)]) == [RefreshVerdict("changed", Reason(ReasonCode.ROW_REPLACED, "0 1"))]
    assert live(corpus) == [1]
    assert len(corpus.sources(1)) == 3


def test_a_refresh_as_it_is_typed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def crawl(*line: str) -> str:
        capsys.readouterr()
        assert run(["crawl", *line, "--allow-private", "--delay", "0", "--index", str(tmp_path)]) == 0
        printed = capsys.readouterr()
        assert "next: imgsearch reindex" in printed.err or "changed 0" in printed.out
        return printed.out

    with serving() as site:
        page = site.page("/", '<img src="/a.png"><img src="/b.png"><img src="/c.png">')
        for name, number in (("a", 1), ("b", 2), ("c", 3)):
            site.answer(f"/{name}.png", Answer(found(name, number).data))
        crawl(page)
        site.answer("/a.png", Answer(found("a", 9).data))
        site.answer("/b.png", Answer(status=404))
        first = crawl("--refresh")
        assert "unchanged 1  changed 1  gone 0  missing 1  unclear 0" in first
        assert f"changed  {site.url}/a.png  row " in first
        second = crawl("--refresh", page)
        assert f"gone  {site.url}/b.png  answered 404" in second
        with Corpus.open(IndexPaths(tmp_path)) as corpus:
            entries = corpus.entries(corpus.live_rows())
        assert sorted(entry.url for entry in entries) == [f"{site.url}/a.png", f"{site.url}/c.png"]
        assert len({entry.row for entry in entries} & {0, 1, 2}) == 1  # the new bytes have a row of their own
