"""The command `crawl`: collect images, retry failures, refresh what was kept, and report."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgsearch.cli.advice import ADVICE
from imgsearch.cli.grammar import UsageError, examples
from imgsearch.cli.options import (
    AllowPrivateOption,
    IndexOption,
    JsonOption,
    NoPreviewsOption,
    as_usage_error,
    count,
    depth,
    seconds,
)
from imgsearch.cli.output import note, say, say_json, say_reasons, tracking
from imgsearch.cli.signals import stopping

if TYPE_CHECKING:
    from crawler.config import CrawlConfig
    from crawler.crawl import CrawlProgress, CrawlReport
    from crawler.refresh import RefreshProgress, RefreshReport

CONTACT_VARIABLE = "IMGSEARCH_CONTACT"
DEPTH, DELAY_SECONDS = 5, 0.5  # as `CrawlConfig`, which is slow to import


@examples(
    "imgsearch crawl https://example.org/gallery --max-images 500",
    "imgsearch crawl example.org --depth 2 --delay 1 --follow-hosts --contact https://example.com/me",
    "imgsearch crawl --urls pictures.csv",
    "imgsearch crawl --retry-failed",
    "imgsearch crawl --refresh --report report.html",
)
def crawl(
    urls: Annotated[list[str] | None, typer.Argument(metavar="URL", help="Pages or images to start from.")] = None,
    lists: Annotated[
        list[Path] | None,
        typer.Option(
            "--urls",
            metavar="FILE",
            help="A list of images: .txt with one URL per line, .csv or .parquet with columns url and caption.",
        ),
    ] = None,
    refresh: Annotated[
        bool,
        typer.Option(
            "--refresh",
            help="Check the images kept before (those of URL, or all): replace changed ones, remove missing ones.",
        ),
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Fetch only what failed before (of URL, or everything).")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="HTML", help="When the crawl ends, draw the outcome of all URLs into a page."),
    ] = None,
    max_images: Annotated[
        int | None,
        typer.Option(
            "--max-images", parser=count, metavar="N", help="Stop when N images are kept (default: no limit)."
        ),
    ] = None,
    max_pages: Annotated[
        int | None,
        typer.Option("--max-pages", parser=count, metavar="N", help="Read at most N pages (default: no limit)."),
    ] = None,
    max_depth: Annotated[
        int, typer.Option("--depth", parser=depth, metavar="N", help="Links to follow from a start.")
    ] = DEPTH,
    delay: Annotated[
        float,
        typer.Option(
            "--delay",
            parser=seconds,
            metavar="S",
            help="Seconds between requests to one host, more where it answers slowly; 0: no pause.",
        ),
    ] = DELAY_SECONDS,
    no_sitemaps: Annotated[
        bool, typer.Option("--no-sitemaps", help="Do not fetch the sitemaps of the URLs' hosts.")
    ] = False,
    follow_hosts: Annotated[
        bool, typer.Option("--follow-hosts", help="Also visit other hosts than those of the URLs.")
    ] = False,
    allow_private: AllowPrivateOption = False,
    contact: Annotated[
        str,
        typer.Option(
            "--contact",
            envvar=CONTACT_VARIABLE,
            metavar="URL",
            help="Address at which site owners can reach you, sent in the User-Agent.",
        ),
    ] = "",
    labels_from_folders: Annotated[
        bool, typer.Option("--labels-from-folders", help="Label each image with the last folder of its URL.")
    ] = False,
    no_previews: NoPreviewsOption = False,
    index: IndexOption = None,
    json: JsonOption = False,
) -> None:
    """Collect the images of web pages.

    The crawl follows robots.txt and pauses between requests to a host. The same command continues it after an
    interruption, or when there are new pages.
    """
    from crawler.config import CrawlConfig
    from crawler.crawl import read_seeds

    if refresh and retry_failed:
        raise UsageError("--refresh and --retry-failed exclude each other")
    if not (urls or lists or refresh or retry_failed or report):
        raise UsageError(
            "no URL to start from: name one, or use --urls FILE, --refresh, --retry-failed or --report HTML"
        )
    with as_usage_error():
        read_seeds(urls or ())
    config = CrawlConfig(
        max_images=max_images,
        max_pages=max_pages,
        depth=max_depth,
        delay_seconds=delay,
        allow_private=allow_private,
        follow_hosts=follow_hosts,
        sitemaps=not no_sitemaps,
        contact=contact,
        lists=tuple(lists or ()),
        retry_failed=retry_failed,
    )
    try:
        if refresh:
            _refresh(urls or (), index, config, labels=labels_from_folders, previews=not no_previews, json=json)
        elif urls or lists or retry_failed:
            _collect(urls or (), index, config, labels=labels_from_folders, previews=not no_previews, json=json)
    finally:
        if report:
            from imgsearch.workflows.crawl_report import write_crawl_page

            write_crawl_page(report, index)


# ----------------------------------------------------------------------------------------------------------------------


def _collect(
    urls: Sequence[str], index: Path | None, config: "CrawlConfig", *, labels: bool, previews: bool, json: bool
) -> None:
    from crawler.errors import CrawlerError
    from imgsearch.workflows import ingest

    _recommend_contact(config)
    with stopping() as stop, tracking("crawling") as tracker:
        report = ingest.crawl(
            urls,
            index,
            config=config,
            labels_from_folders=labels,
            previews=previews,
            on_progress=lambda progress: tracker(0, None, _crawl_counts(progress)),
            stop=stop,
        )
    if report.recovered:
        note(report.recovered)
    if json:
        say_json(asdict(report))
    else:
        _say_crawled(report)
    if report.problem:
        raise CrawlerError(report.problem, hint=report.hints[0] if report.hints else None)
    for hint in report.hints:
        note(ADVICE[hint])
    if report.kept_now:
        note("next: imgsearch reindex")


def _crawl_counts(progress: "CrawlProgress") -> str:
    return (
        f"kept {progress.kept:,}  duplicate {progress.duplicate:,}  skipped {progress.skipped:,}  "
        f"failed {progress.failed:,}  {progress.images_per_second:.0f} images/s  queue {progress.queued:,}"
    )


def _say_crawled(report: "CrawlReport") -> None:
    say(
        f"kept {report.kept:,} ({report.kept_now:,} in this run)  duplicate {report.duplicate:,}  "
        f"skipped {report.skipped:,}  failed {report.failed:,}  queued {report.queued:,}  pages {report.pages:,}"
    )
    say_reasons(report.reasons)
    for text in (*report.notes, report.finished_because):
        say(text)


def _recommend_contact(config: "CrawlConfig") -> None:
    if not config.contact and not config.allow_private:
        note(f"tip: --contact URL lets site owners reach you; set {CONTACT_VARIABLE} to send it always")


# ----------------------------------------------------------------------------------------------------------------------


def _refresh(
    urls: Sequence[str], index: Path | None, config: "CrawlConfig", *, labels: bool, previews: bool, json: bool
) -> None:
    from imgsearch.workflows import ingest

    _recommend_contact(config)
    with stopping() as stop, tracking("refreshing") as tracker:
        report = ingest.refresh(
            urls,
            index,
            config=config,
            labels_from_folders=labels,
            previews=previews,
            on_progress=lambda progress: tracker(0, None, _refresh_counts(progress)),
            stop=stop,
        )
    if report.recovered:
        note(report.recovered)
    if json:
        say_json(asdict(report) | {"changes": [change._asdict() for change in report.changes]})
    else:
        _say_refreshed(report)
    if report.changed:
        note("next: imgsearch reindex")


def _refresh_counts(progress: "RefreshProgress") -> str:
    return (
        f"unchanged {progress.unchanged:,}  changed {progress.changed:,}  gone {progress.gone:,}  "
        f"missing {progress.missing:,}  unclear {progress.unclear:,}  queue {progress.queued:,}"
    )


def _say_refreshed(report: "RefreshReport") -> None:
    say(_refresh_counts(report))
    for change in report.changes:
        say(f"  {change.outcome}  {change.url}" + (f"  {change.detail}" if change.detail else ""))
    if report.missing:
        say("missing: not found for the first time; removed if the next refresh does not find them either")
    for text in (*report.notes, report.finished_because):
        say(text)
