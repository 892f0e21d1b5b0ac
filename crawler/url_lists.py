"""Lists of image URLs: plain text, CSV or Parquet, with a caption for each where the list has them.

txt      one URL per line; empty lines and lines that begin with # are ignored
csv      a header line with the column `url`, and `caption` if there are captions
parquet  columns of the same names; needs pyarrow, an optional dependency

A list is read in pieces and never held in memory as a whole. Each becomes a seed of its own, so that crawling the same
list again continues the crawl.
"""

import csv
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from crawler.errors import Hint, SeedError
from crawler.frontier.frontier import Frontier
from crawler.parsing.urls import seed_url, site, trap
from crawler.records import Link
from crawler.takedown import refusal_of

_LINKS_AT_ONCE = 5_000
_MAX_CAPTION = 2_000  # characters


class Listed(NamedTuple):
    """One entry of a list."""

    url: str  # as written in the file
    caption: str = ""


class QueuedList(NamedTuple):
    """A list whose URLs are in the frontier."""

    seed: str  # the name of the list as a seed
    note: str  # a sentence, if some of its entries are not URLs


def queue_list(frontier: Frontier, path: Path) -> QueuedList:
    """Queue the images of the list at `path` that are not known yet.

    Raises:
        SeedError: the list cannot be read, or contains no URL.
        FrontierError: the frontier cannot be written.
    """
    seed = f"list:{path.resolve()}"
    takedowns, n_urls = frontier.takedowns.all(), 0
    n_wrong, first_wrong = 0, ""
    entries = iter(read_list(path))
    while some := list(islice(entries, _LINKS_AT_ONCE)):
        links = []
        for written, caption in some:
            url = seed_url(written)
            if url is None:
                n_wrong, first_wrong = n_wrong + 1, first_wrong or written[:80]
                continue
            reason = trap(url) or refusal_of(takedowns, url)
            outcome = "skipped" if reason else "queued"
            links.append(Link(url, "image", seed, alt=caption[:_MAX_CAPTION], outcome=outcome, reason=reason))
        with frontier.transaction():
            frontier.add(links)
            for name in {site(link.url) for link in links}:
                frontier.widen_scope(seed, name)
        n_urls += len(links)
    if not n_urls:
        raise SeedError(f"{path} names no http or https URL")
    no_urls = f"{path}: entries that are no URL: {n_wrong:,}, the first is {first_wrong!r}"
    return QueuedList(seed, no_urls if n_wrong else "")


def read_list(path: Path) -> Iterator[Listed]:
    """Yield the entries of the list at `path`; the suffix of its name is the format.

    Raises:
        SeedError: it cannot be read, is of another format, or lacks the column `url`.
    """
    readers = {".txt": _read_text, ".csv": _read_csv, ".parquet": _read_parquet}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise SeedError(f"{path}: a list of URLs is a .txt, .csv or .parquet file")
    try:
        yield from reader(path)
    except OSError as error:
        raise SeedError(f"cannot read {path}: {error.strerror or error}") from error


def _read_text(path: Path) -> Iterator[Listed]:
    with path.open(encoding="utf-8-sig", errors="replace") as lines:
        yield from (Listed(line.strip()) for line in lines if line.strip() and not line.startswith("#"))


def _read_csv(path: Path) -> Iterator[Listed]:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as opened:
        reader = csv.reader(opened)
        try:
            columns = _columns(path, next(reader, []))
            for cells in reader:
                texts = [cells[i] if i < len(cells) else "" for i in columns]
                if texts[0].strip():
                    yield Listed(*texts)
        except csv.Error as error:
            raise SeedError(f"{path}, line {reader.line_num}: {error}") from error


def _read_parquet(path: Path) -> Iterator[Listed]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise SeedError(
            f"{path}: Parquet files need pyarrow, which is not installed.", hint=Hint.INSTALL_PARQUET
        ) from error
    try:
        with pyarrow.parquet.ParquetFile(path) as table:
            names = table.schema_arrow.names
            wanted = [names[i] for i in _columns(path, names)]
            for batch in table.iter_batches(_LINKS_AT_ONCE, columns=wanted):
                columns = [batch.column(name).to_pylist() for name in wanted]
                for cells in zip(*columns, strict=True):
                    texts = ["" if cell is None else str(cell) for cell in cells]
                    if texts[0].strip():
                        yield Listed(*texts)
    except pyarrow.ArrowException as error:
        raise SeedError(f"{path} is no Parquet file that can be read: {error}") from error


def _columns(path: Path, heading: Iterable[str]) -> list[int]:
    """The positions of the columns `url` and, if there is one, `caption`."""
    names = [name.strip().lower() for name in heading]
    if "url" not in names:
        raise SeedError(f"{path} has no column named url; it has: {', '.join(names)[:200] or 'nothing'}")
    return [names.index(name) for name in ("url", "caption") if name in names]
