"""The page that `imgsearch crawl --report` draws: one HTML file that needs nothing else, and runs nothing.

Whatever comes from the web (addresses, reasons, texts) was written by strangers: it is escaped here, and pictures stand
in the page itself, so that opening it asks nobody for anything. Colours and sizes are in the page's own style.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from crawler.frontier.frontier import Frontier
from crawler.frontier.inspect import ReasonCount
from imgsearch.corpus.decoding.images import encode_png
from imgsearch.corpus.store import Corpus
from imgsearch.errors import FetchError
from imgsearch.paths import IndexPaths, replacing
from imgsearch.web.cards import picture_address, shown

OUTCOMES = ("kept", "duplicate", "skipped", "failed")
COLOURS = {"kept": "#2f7d4f", "duplicate": "#7fa8c9", "skipped": "#c9a14a", "failed": "#b4483a", "queued": "#b9b9b9"}
SAMPLES = 48
CHART_WIDTH, CHART_HEIGHT, MAX_BARS = 720, 160, 120
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"  # even where escaping failed: no script runs
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;width:100%}
td,th{text-align:left;padding:.2rem .6rem .2rem 0;border-bottom:1px solid #e5e5e5;overflow-wrap:anywhere}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}svg{width:100%;height:auto}
.key{display:inline-block;width:.8em;height:.8em;margin:0 .3em 0 .8em}
.samples{display:flex;flex-wrap:wrap;gap:6px}.samples img{width:64px;height:64px;object-fit:cover}
"""


@dataclass(frozen=True)
class CrawlFacts:
    """What the page shows. Plain data."""

    counts: dict[str, int]  # outcome → images, those that wait (queued) included
    reasons: Sequence[ReasonCount]
    hosts: Sequence[tuple[str, dict[str, int]]]
    history: Sequence[tuple[int, str, int]]  # (minute since 1970, outcome, images)
    samples: Sequence[tuple[bytes, str]]  # (JPEG or PNG, what it is said to show)
    drawn_at: datetime


def write_crawl_page(paths: IndexPaths, page: Path) -> None:
    """Draw what became of all URLs of an index directory into the file `page`.

    Raises:
        FetchError: nothing was crawled yet.
        IndexDirectoryError: the page cannot be written.
    """
    if not paths.crawl_database.exists():
        raise FetchError(f"nothing was crawled into {paths.root} yet, so there is nothing to report")
    with Frontier.open(paths.crawl_database) as frontier:
        facts = CrawlFacts(
            frontier.counts(),
            frontier.reason_counts(),
            frontier.host_counts(),
            frontier.history(),
            _samples(paths),
            datetime.now(UTC),
        )
    with replacing(page) as temporary:
        temporary.write_text(draw_crawl_page(facts), encoding="utf-8")


def _samples(paths: IndexPaths) -> list[tuple[bytes, str]]:
    """Some images that can be found, evenly from the first to the last."""
    if not paths.corpus_database.exists():
        return []
    with Corpus.open(paths) as corpus:
        live = corpus.live_rows()
        rows = live[:: max(1, -(-len(live) // SAMPLES))]
        thumbnails = corpus.thumbnails()
        return [(encode_png(thumbnails[entry.row]), entry.alt or entry.url) for entry in corpus.entries(rows)]


def draw_crawl_page(facts: CrawlFacts) -> str:
    """The page as HTML."""
    kinds = ", ".join(f"{n:,} {outcome}" for outcome, n in facts.counts.items())
    parts = [
        f"<h1>What the crawl brought</h1><p>Images: {kinds}. Drawn {facts.drawn_at:%Y-%m-%d %H:%M} UTC.</p>",
        f"<h2>Over time</h2>{_chart(facts.history)}",
        f"<h2>By reason</h2>{_reasons(facts.reasons)}",
        f"<h2>By host</h2>{_hosts(facts.hosts)}",
        f"<h2>Some of the images</h2>{_pictures(facts.samples)}",
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>imgsearch: crawl</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
        + "\n".join(parts)
        + "</body></html>\n"
    )


def _table(columns: Sequence[str], lines: Iterable[Sequence[str | int]]) -> str:
    def cell(tag: str, value: str | int) -> str:
        return f'<{tag} class="n">{value:,}</{tag}>' if isinstance(value, int) else f"<{tag}>{shown(value)}</{tag}>"

    rows = "".join(f"<tr>{''.join(cell('td', value) for value in line)}</tr>" for line in lines)
    return f"<table><tr>{''.join(cell('th', name) for name in columns)}</tr>{rows}</table>" if rows else "<p>None.</p>"


def _reasons(reasons: Sequence[ReasonCount]) -> str:
    lines = [(one.kind, one.outcome, one.reason or "·", one.n, one.example) for one in reasons]
    return _table(("what", "outcome", "reason", "how many", "for example"), lines)


def _hosts(hosts: Sequence[tuple[str, dict[str, int]]]) -> str:
    names = (*OUTCOMES, "queued")
    return _table(("host", *names), [(host, *(counts.get(name, 0) for name in names)) for host, counts in hosts])


def _pictures(samples: Sequence[tuple[bytes, str]]) -> str:
    images = (
        f'<img src="{picture_address(picture)}" alt="{shown(text)}" title="{shown(text)}">' for picture, text in samples
    )
    return f'<div class="samples">{"".join(images)}</div>' if samples else "<p>None.</p>"


def _chart(history: Sequence[tuple[int, str, int]]) -> str:
    """Stacked bars of equal spans of time, at most `MAX_BARS`."""
    if not history:
        return "<p>Nothing was fetched yet.</p>"
    first, last = history[0][0], history[-1][0]
    span = -(-(last - first + 1) // MAX_BARS)  # minutes a bar stands for
    n_bars = (last - first) // span + 1
    stacks: list[dict[str, int]] = [{} for _ in range(n_bars)]
    for minute, outcome, n in history:
        stack = stacks[(minute - first) // span]
        stack[outcome] = stack.get(outcome, 0) + n
    tallest = max(sum(stack.get(name, 0) for name in OUTCOMES) for stack in stacks) or 1
    width = CHART_WIDTH / n_bars
    bars = []
    for place, stack in enumerate(stacks):
        top = float(CHART_HEIGHT)
        for name in OUTCOMES:
            height = CHART_HEIGHT * stack.get(name, 0) / tallest
            top -= height
            if height:
                bars.append(
                    f'<rect x="{place * width:.2f}" y="{top:.2f}" width="{max(width - 1, 0.5):.2f}"'
                    f' height="{height:.2f}" fill="{COLOURS[name]}"/>'
                )
    key = "".join(f'<span class="key" style="background:{COLOURS[name]}"></span>{name}' for name in OUTCOMES)
    ends = (f"{datetime.fromtimestamp(minute * 60, UTC):%Y-%m-%d %H:%M}" for minute in (first, last))
    return (
        f'<svg viewBox="0 0 {CHART_WIDTH} {CHART_HEIGHT}" role="img" aria-label="images over time">{"".join(bars)}'
        f"</svg><p>{' to '.join(ends)} UTC; a bar is {span:,} min, the tallest {tallest:,} images. {key}</p>"
    )
