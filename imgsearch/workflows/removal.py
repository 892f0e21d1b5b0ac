"""Remove images from an index directory, bring them back, and erase what is stored of them.

These functions keep corpus, codes and the crawler's frontier in step. A takedown is stored both in the corpus and in
the frontier: if either is deleted, the other still refuses the address.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from crawler.frontier.frontier import Frontier
from crawler.takedown import URL, Takedown
from imgsearch.corpus.erasing import erase_removed
from imgsearch.corpus.store import Corpus
from imgsearch.corpus.takedowns import covered_rows, lift_takedown, remembered_takedowns, take_down
from imgsearch.errors import UnknownRowError
from imgsearch.paths import IndexPaths, directory_errors, index_paths

Image = int | str  # a row, or a URL under which images were found


@dataclass(frozen=True)
class TakedownResult:
    """Effect of one takedown, or of lifting it."""

    kind: str  # "host", "url-prefix" or "url"
    value: str
    images: int | None  # removed or brought back; None: undo found no such takedown


@dataclass(frozen=True)
class RemovalResult:
    """Effect of `remove` or `undo`."""

    named: int  # rows that `images` stand for
    changed: int  # of these, rows that were not removed (or brought back) before
    takedowns: tuple[TakedownResult, ...]


@dataclass(frozen=True)
class CompactResult:
    """Effect of `compact`."""

    erased: int  # images erased by this call
    removed: int  # removed images in all; each of them is erased now


def remove(
    images: Image | Sequence[Image] = (),
    index: IndexPaths | Path | str | None = None,
    *,
    hosts: Sequence[str] = (),
    url_prefixes: Sequence[str] = (),
    forget: bool = False,
) -> RemovalResult:
    """Remove images from every search, at once and without reindexing.

    Args:
        images: rows, or URLs under which images were found.
        index: the index directory (default: `$IMGSEARCH_INDEX`, else `index`).
        hosts: remove all images of these hosts and never fetch from them again; `*.example.org` includes subdomains.
        url_prefixes: remove all images whose URL starts like this, and never fetch such URLs again.
        forget: never fetch the URLs of `images` again either.

    Raises:
        CorpusError: the corpus is missing or damaged.
        UnknownRowError: a row or URL that the corpus does not hold.
        SeedError: a host or prefix that is not one.
    """
    paths, takedowns = index_paths(index), _takedowns(hosts, url_prefixes)
    Corpus.open(paths).close()  # opening for writing would create a corpus where there is none
    with Corpus.open_for_writing(paths) as corpus:
        rows = _rows(corpus, images)
        takedowns += _of_urls(corpus, rows) if forget else []
        changed = corpus.remove(rows)
        results = [
            TakedownResult(
                takedown.kind,
                takedown.value,
                take_down(corpus, takedown.kind, takedown.value, covered_rows(corpus, takedown.covers, takedown.host)),
            )
            for takedown in takedowns
        ]
        if takedowns and paths.crawl_database.exists():
            with Frontier.open(paths.crawl_database) as frontier:
                frontier.takedowns.add(takedowns)
    return RemovalResult(len(set(rows)), changed, tuple(results))


def undo(
    images: Image | Sequence[Image] = (),
    index: IndexPaths | Path | str | None = None,
    *,
    hosts: Sequence[str] = (),
    url_prefixes: Sequence[str] = (),
    forget: bool = False,
) -> RemovalResult:
    """Reverse `remove` with the same arguments: bring the images back and allow fetching their URLs.

    Raises:
        CorpusError: the corpus is missing or damaged, or an image was erased by `compact`.
        UnknownRowError: a row or URL that the corpus does not hold.
        SeedError: a host or prefix that is not one.
    """
    paths, takedowns = index_paths(index), _takedowns(hosts, url_prefixes)
    Corpus.open(paths).close()
    with Corpus.open_for_writing(paths) as corpus:
        rows = _rows(corpus, images)
        takedowns += _of_urls(corpus, rows) if forget else []
        if takedowns and paths.crawl_database.exists():
            with Frontier.open(paths.crawl_database) as frontier:
                for takedown in takedowns:
                    frontier.takedowns.lift(takedown)
        lifted = [
            TakedownResult(takedown.kind, takedown.value, lift_takedown(corpus, takedown.kind, takedown.value))
            for takedown in takedowns
        ]
        changed = corpus.restore(rows)
    return RemovalResult(len(set(rows)), changed, tuple(result for result in lifted if result.kind != URL))


def compact(index: IndexPaths | Path | str | None = None) -> CompactResult:
    """Erase the pictures, texts and codes of removed images for good. A repeated call completes an interrupted one.

    Raises:
        CorpusError: the corpus is missing or damaged.
        IndexDirectoryError: the directory cannot be written.
    """
    from imgsearch.retrieval.erasing import erase_codes
    from imgsearch.retrieval.explore.image_map import erase_positions

    paths = index_paths(index)
    Corpus.open(paths).close()
    with Corpus.open_for_writing(paths) as corpus:
        removed = [int(row) for row in corpus.removed_rows()]
        if paths.crawl_database.exists():
            # First, while the corpus still holds the URLs of the images that are about to be erased.
            urls = {source.url for row in removed for source in corpus.sources(row) if source.url}
            with Frontier.open(paths.crawl_database) as frontier:
                frontier.takedowns.forget_texts(urls)
        n_erased = erase_removed(corpus, paths)
        erase_codes(paths, removed)
        erase_positions(paths, removed)
        if n_erased:
            _delete_drawings(paths)
    return CompactResult(n_erased, len(removed))


def corpus_takedowns(corpus: Corpus) -> tuple[Takedown, ...]:
    """Return the takedowns stored in the corpus, for a crawl."""
    return tuple(Takedown(kind, value) for kind, value in remembered_takedowns(corpus))


def _takedowns(hosts: Sequence[str], url_prefixes: Sequence[str]) -> list[Takedown]:
    return [Takedown.of_host(host) for host in hosts] + [Takedown.of_prefix(prefix) for prefix in url_prefixes]


def _of_urls(corpus: Corpus, rows: Iterable[int]) -> list[Takedown]:
    urls = {source.url for row in rows for source in corpus.sources(row)}
    return [Takedown.of_url(url) for url in sorted(urls) if url.startswith(("http://", "https://"))]


def _rows(corpus: Corpus, images: Image | Sequence[Image]) -> list[int]:
    named = [images] if isinstance(images, int | str) else images
    return [row for image in named for row in _rows_of(corpus, image)]


def _rows_of(corpus: Corpus, image: Image) -> Sequence[int]:
    if isinstance(image, int):
        return [corpus.entry(image).row]
    rows = corpus.rows_of_url(image)
    if not rows:
        raise UnknownRowError(f"no image was found under {image}. A search shows the row and address of each image.")
    return rows


def _delete_drawings(paths: IndexPaths) -> None:
    """Delete pictures drawn by experiments, which may show erased images; their figures stay."""
    with directory_errors(paths.lab):
        for picture in (*paths.lab.glob("*.png"), *paths.lab.glob("*.html")):
            picture.unlink(missing_ok=True)
