"""Write the crawl report: the outcome of all URLs, as one self-contained HTML page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from crawler.frontier.frontier import Frontier
from crawler.frontier.inspection import ReasonCount
from crawler.reasons import sentence
from imgsearch.corpus.decoding.images import encode_png
from imgsearch.corpus.store import Corpus
from imgsearch.errors import FetchError
from imgsearch.html_report import data_uri, escaped, html_page, table
from imgsearch.paths import IndexPaths, index_paths, replacing

OUTCOMES = ("kept", "duplicate", "skipped", "failed")
COLOURS = {"kept": "#2f7d4f", "duplicate": "#7fa8c9", "skipped": "#c9a14a", "failed": "#b4483a", "queued": "#b9b9b9"}
SAMPLES = 48
CHART_WIDTH, CHART_HEIGHT, MAX_BARS = 720, 160, 120
_STYLE = """
svg { width: 100%; height: auto; }
.key { display: inline-block; width: .8em; height: .8em; margin: 0 .3em 0 .8em; }
.samples { display: flex; flex-wrap: wrap; gap: 6px; }
.samples img { width: 64px; height: 64px; object-fit: cover; }
"""


@dataclass(frozen=True)
class CrawlFacts:
    """Content of the report, as plain data."""

    counts: dict[str, int]  # outcome → images, those that wait (queued) included
    reasons: Sequence[ReasonCount]
    hosts: Sequence[tuple[str, dict[str, int]]]
    history: Sequence[tuple[int, str, int]]  # (minute since 1970, outcome, images)
    samples: Sequence[tuple[bytes, str]]  # (JPEG or PNG, what it is said to show)
    drawn_at: datetime


def write_crawl_page(page: Path, index: IndexPaths | Path | str | None = None) -> None:
    """Draw the outcome of all URLs of an index directory into the file `page`.

    Raises:
        FetchError: nothing was crawled yet.
        IndexDirectoryError: the page cannot be written.
    """
    paths = index_paths(index)
    if not paths.crawl_database.exists():
        raise FetchError(f"nothing was crawled into {paths.root} yet, so there is nothing to report")
    with Frontier.open(paths.crawl_database) as frontier:
        facts = CrawlFacts(
            frontier.counts(),
            frontier.inspection.reason_counts(),
            frontier.inspection.host_counts(),
            frontier.inspection.history(),
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
    """Return the report as HTML."""
    kinds = ", ".join(f"{n:,} {outcome}" for outcome, n in facts.counts.items())
    introduction = [f"Images: {kinds}. Drawn {facts.drawn_at:%Y-%m-%d %H:%M} UTC."]
    sections = {
        "Images over time": _chart(facts.history),
        "By reason": _reasons(facts.reasons),
        "By host": _hosts(facts.hosts),
        "Samples": _samples_html(facts.samples),
    }
    body = [f"<section><h2>{escaped(heading)}</h2>{content}</section>" for heading, content in sections.items()]
    return html_page("Crawl report", introduction, body, style=_STYLE)


def _reasons(reasons: Sequence[ReasonCount]) -> str:
    lines = [(one.kind, one.outcome, sentence(one.reason) or "·", one.n, one.example) for one in reasons]
    return table(("kind", "outcome", "reason", "URLs", "for example"), lines, numeric={3})


def _hosts(hosts: Sequence[tuple[str, dict[str, int]]]) -> str:
    names = (*OUTCOMES, "queued")
    lines: list[list[str | int]] = [[host, *(counts.get(name, 0) for name in names)] for host, counts in hosts]
    return table(("host", *names), lines, numeric=range(1, len(names) + 1))


def _samples_html(samples: Sequence[tuple[bytes, str]]) -> str:
    images = (f'<img src="{data_uri(image)}" alt="{escaped(text)}" title="{escaped(text)}">' for image, text in samples)
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
