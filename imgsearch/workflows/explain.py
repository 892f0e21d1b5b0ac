"""What is told of single URLs: `imgsearch why`, and the changes that a refresh found. Reads; changes nothing."""

from argparse import Namespace
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from crawler.fetching.fetch import AGENT
from crawler.frontier.frontier import Frontier
from crawler.frontier.inspect import KnownUrl
from crawler.parsing.robots import RobotsRules, RobotsState
from crawler.parsing.urls import seed_url, url_key
from crawler.records import Host
from crawler.takedown import refusal_of
from imgsearch.cli.output import say, say_json
from imgsearch.corpus.store import Corpus, Entry, Source
from imgsearch.errors import FetchError
from imgsearch.paths import IndexPaths, index_paths
from imgsearch.workflows.removal import corpus_takedowns

if TYPE_CHECKING:
    from crawler.refresh import RefreshProgress, RefreshReport


# ----------------------------------------------------------------------------------------------------------------------
# why


@dataclass(frozen=True)
class StoredRow:
    """A row of the corpus that was found under a URL."""

    row: int
    removed: bool
    erased: bool
    width: int
    height: int
    source: Source


@dataclass(frozen=True)
class Explanation:
    """Everything that is known of one URL."""

    url: str
    key: str  # under which it is known, whatever its spelling
    known: list[KnownUrl]
    robots: str  # what robots.txt says of it now, as far as that was asked
    host: Host | None
    takedown: str  # why it is refused, "" if it is not
    rows: list[StoredRow]
    nearest: list[str]  # URLs spelled most like it, where it is not known

    def to_json(self) -> dict[str, object]:
        host = None
        if self.host is not None:
            host = {name: value for name, value in asdict(self.host).items() if name not in ("robots", "robots_state")}
        return asdict(self) | {"host": host}


def why(arguments: Namespace) -> None:
    """Tell everything that is known of a URL."""
    url = seed_url(arguments.url.partition("#")[0])
    if url is None:
        raise FetchError(f"{arguments.url!r} is not an http or https URL")
    explanation = explain(index_paths(arguments.index), url)
    if arguments.json:
        say_json(explanation.to_json())
        return
    for line in _lines(explanation):
        say(line)


def explain(paths: IndexPaths, url: str) -> Explanation:
    """What crawl and corpus know of `url`, an http or https URL."""
    known: list[KnownUrl] = []
    host, nearest, takedowns = None, [], set()
    rows: list[StoredRow] = []
    if paths.crawl_database.exists():
        with Frontier.open(paths.crawl_database) as frontier:
            known, host = frontier.known(url), frontier.known_host(url)
            nearest = [] if known else frontier.nearest(url)
            takedowns |= set(frontier.takedowns())
    if paths.corpus_database.exists():
        with Corpus.open(paths) as corpus:
            takedowns |= set(corpus_takedowns(corpus))
            spellings = {url, *(line.url for line in known if line.kind == "image")}
            rows = [stored for spelling in sorted(spellings) for stored in _stored(corpus, spelling)]
    return Explanation(url, url_key(url), known, _robots(host, url), host, refusal_of(takedowns, url), rows, nearest)


def _stored(corpus: Corpus, url: str) -> Iterator[StoredRow]:
    for row in corpus.rows_of_url(url):
        entry: Entry = corpus.entry(row)
        source = next(source for source in corpus.sources(row) if source.url == url)
        yield StoredRow(row, entry.removed, entry.erased, entry.width, entry.height, source)


def _robots(host: Host | None, url: str) -> str:
    if host is None or host.robots_state == RobotsState.UNKNOWN:
        return "not asked for yet"
    if host.robots_state == RobotsState.ALLOWED:
        return "there is none: all is allowed"
    if host.robots_state != RobotsState.RULES:
        return f"could not be read, so nothing may be fetched: {host.trouble}"
    allows = RobotsRules(host.robots, AGENT).allows(url)
    return f"{'allows' if allows else 'does not allow'} {AGENT} to fetch it"


def _lines(told: Explanation) -> Iterator[str]:
    yield told.url
    if told.takedown:
        yield f"  {told.takedown}: it is not fetched; imgsearch remove --undo lifts that"
    for line in told.known:
        yield from _known_lines(line)
    if not told.known:
        yield "  no crawl has seen this URL"
        yield from (f"  perhaps you mean {url}" for url in told.nearest)
    yield f"  robots.txt: {told.robots}"
    if told.host is not None and told.host.trouble:
        yield f"  host: {told.host.trouble} ({told.host.fails} failures in a row)"
    for stored in told.rows:
        yield from _row_lines(stored)
    if not told.rows:
        yield "  no image of the corpus was found under it"


def _known_lines(line: KnownUrl) -> Iterator[str]:
    state = "being fetched" if line.is_leased else line.outcome
    yield f"  {line.kind}: {state}" + (f", {line.reason}" if line.reason else "")
    if line.path:
        yield f"    found on {' → '.join(line.path)}" + (f", as {line.alt!r}" if line.alt else "")
    else:
        yield f"    given as {'a seed' if line.seed == line.url else line.seed}"
    redirects = f", {line.hops} redirects" if line.hops else ""
    yield f"    {line.depth} links from {line.seed}{redirects}; tries before the last: {line.tries}"
    if line.outcome == "queued" and line.not_before:
        yield f"    not before {_time(line.not_before)}"
    if line.fetched_at:
        yield f"    fetched {_time(line.fetched_at)}; {line.robots}; {line.content_type or 'no Content-Type'}"
        yield from (f"    {name}: {text}" for name, text in _validators(line.etag, line.last_modified))
    if line.looks:
        yield f"    not found by the last {line.looks} refreshes"


def _row_lines(stored: StoredRow) -> Iterator[str]:
    state = " (erased)" if stored.erased else " (removed)" if stored.removed else ""
    yield f"  row:{stored.row}{state}: {stored.width}×{stored.height}"
    source = stored.source
    if source.page_url:
        yield f"    on {source.page_url}" + (f", as {source.alt!r}" if source.alt else "")
    if source.provenance.fetched_at:
        yield f"    fetched {_time(source.provenance.fetched_at)}; {source.provenance.robots}"
    if source.provenance.licence:
        yield f"    licence: {source.provenance.licence}"
    if source.gone_at:
        yield f"    no longer there, or another image, since {_time(source.gone_at)}"


def _validators(etag: str, last_modified: str) -> list[tuple[str, str]]:
    return [(name, text) for name, text in (("ETag", etag), ("Last-Modified", last_modified)) if text]


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().isoformat(sep=" ", timespec="seconds")


# ----------------------------------------------------------------------------------------------------------------------
# a refresh


def refresh_counts(progress: "RefreshProgress") -> str:
    """How far a refresh is, in one line."""
    return (
        f"unchanged {progress.unchanged:,}  changed {progress.changed:,}  gone {progress.gone:,}  "
        f"missing {progress.missing:,}  unclear {progress.unclear:,}  queue {progress.queued:,}"
    )


def say_refreshed(report: "RefreshReport") -> None:
    """Print what a refresh found, each change in a line of its own."""
    if report.recovered:
        say(report.recovered)
    say(refresh_counts(report))
    for change in report.changes:
        say(f"  {change.outcome}  {change.url}" + (f"  {change.detail}" if change.detail else ""))
    if report.missing:
        say("missing: not found for the first time; removed if the next refresh does not find them either")
    for text in (*report.notes, report.finished_because):
        say(text)
    if report.changed:
        say("next: imgsearch reindex")
