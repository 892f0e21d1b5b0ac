"""Explain what crawl and corpus know about one URL. Reads; changes nothing."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from crawler.errors import SeedError
from crawler.fetching.fetch import AGENT
from crawler.frontier.frontier import Frontier
from crawler.frontier.inspection import KnownUrl
from crawler.parsing.robots import RobotsRules, RobotsState
from crawler.parsing.urls import seed_url, url_key
from crawler.reasons import Reason, sentence
from crawler.records import Host
from crawler.takedown import refusal_of
from imgsearch.corpus.store import Corpus, Entry, Source
from imgsearch.paths import IndexPaths, index_paths
from imgsearch.workflows.removal import corpus_takedowns


@dataclass(frozen=True)
class StoredRow:
    """A row of the corpus whose image was found under the URL."""

    row: int
    removed: bool
    erased: bool
    width: int
    height: int
    source: Source


@dataclass(frozen=True)
class Explanation:
    """Everything that is known about one URL."""

    url: str
    key: str  # the form under which all spellings of the URL are stored
    known: list[KnownUrl]
    robots: str  # whether the stored robots.txt allows fetching it, as a phrase
    host: Host | None
    takedown: Reason | None  # the takedown that refuses it; None if none does
    rows: list[StoredRow]
    nearest: list[str]  # known URLs with the most similar spelling, where it is not known itself

    def to_json(self) -> dict[str, object]:
        host = None
        if self.host is not None:
            host = {name: value for name, value in asdict(self.host).items() if name not in ("robots", "robots_state")}
            host["trouble"] = sentence(self.host.trouble)
        known = [asdict(line) | {"reason": sentence(line.reason), "reason_code": _code(line)} for line in self.known]
        return asdict(self) | {"known": known, "host": host, "takedown": sentence(self.takedown)}


def _code(line: KnownUrl) -> str:
    return "" if line.reason is None else line.reason.code.value


def explain(url: str, index: IndexPaths | Path | str | None = None) -> Explanation:
    """Collect what crawl and corpus know about `url`; its fragment is ignored.

    Raises:
        SeedError: it is not an http or https URL.
        CorpusError: the corpus is damaged.
        FrontierError: the crawler's frontier is damaged.
    """
    sought = seed_url(url)
    if sought is None:
        raise SeedError(f"{url!r} is not an http or https URL")
    return _explain(index_paths(index), sought)


def _explain(paths: IndexPaths, url: str) -> Explanation:
    known: list[KnownUrl] = []
    host, nearest, takedowns = None, [], set()
    rows: list[StoredRow] = []
    if paths.crawl_database.exists():
        with Frontier.open(paths.crawl_database) as frontier:
            known, host = frontier.inspection.known(url), frontier.inspection.known_host(url)
            nearest = [] if known else frontier.inspection.nearest(url)
            takedowns |= set(frontier.takedowns.all())
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
        return "not fetched yet"
    if host.robots_state == RobotsState.ALLOWED:
        return "none exists, so everything is allowed"
    if host.robots_state != RobotsState.RULES:
        return f"could not be read, so nothing may be fetched: {host.trouble}"
    allows = RobotsRules(host.robots, AGENT).allows(url)
    return f"{'allows' if allows else 'does not allow'} {AGENT} to fetch it"
