"""The command `why`: what is known about one URL."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from imgsearch.cli.advice import reason_with_advice
from imgsearch.cli.grammar import examples
from imgsearch.cli.options import IndexOption, JsonOption, as_usage_error
from imgsearch.cli.output import say, say_json

if TYPE_CHECKING:
    from crawler.frontier.inspection import KnownUrl
    from imgsearch.workflows.explain import Explanation, StoredRow


@examples("imgsearch why https://example.org/cat.jpg", "imgsearch why https://example.org/cat.jpg --json")
def why(
    url: Annotated[str, typer.Argument(metavar="URL", help="Address of an image or a page.")],
    index: IndexOption = None,
    json: JsonOption = False,
) -> None:
    """Explain what is known about a URL.

    Where it was found, its outcome and the reason, what robots.txt allows, and the images stored from it.
    """
    from imgsearch.workflows.explain import explain

    with as_usage_error():
        explanation = explain(url, index)
    if json:
        say_json(explanation.to_json())
        return
    for line in _lines(explanation):
        say(line)


def _lines(explanation: "Explanation") -> Iterator[str]:
    yield explanation.url
    if explanation.takedown:
        yield f"  {explanation.takedown}: it is not fetched; imgsearch remove --undo lifts that"
    for line in explanation.known:
        yield from _known_lines(line)
    if not explanation.known:
        yield "  no crawl has seen this URL"
        yield from (f"  perhaps you mean {url}" for url in explanation.nearest)
    yield f"  robots.txt: {explanation.robots}"
    if explanation.host is not None and explanation.host.trouble:
        yield f"  host: {explanation.host.trouble} ({explanation.host.fails} failures in a row)"
    for stored in explanation.rows:
        yield from _row_lines(stored)
    if not explanation.rows:
        yield "  no image of the corpus was found under it"


def _known_lines(line: "KnownUrl") -> Iterator[str]:
    state = "being fetched" if line.is_leased else line.outcome
    yield f"  {line.kind}: {state}" + (f", {reason_with_advice(line.reason)}" if line.reason else "")
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
    if line.misses:
        yield f"    not found by the last {line.misses} refreshes"


def _row_lines(stored: "StoredRow") -> Iterator[str]:
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
