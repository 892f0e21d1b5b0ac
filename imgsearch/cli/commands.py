"""What each command does: one library call, then the answer printed.

Here the crawler meets the corpus. Knows no algorithm; torch and faiss are loaded by the commands that need them, so
that `crawl`, `add`, `status` and `remove` start at once.
"""

from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from imgsearch.cli.finetune import finetune
from imgsearch.cli.hits import say_hits
from imgsearch.cli.lab import lab
from imgsearch.cli.output import note, say, say_json, tracking
from imgsearch.cli.signals import stopping
from imgsearch.cli.text import search_text
from imgsearch.cli.train import train
from imgsearch.corpus.ingest import AddReport, Intake, add_paths, read_labelled_images
from imgsearch.corpus.store import Corpus
from imgsearch.errors import FetchError
from imgsearch.paths import IndexPaths, index_paths, replacing
from imgsearch.workflows.crawl_report import write_crawl_page
from imgsearch.workflows.explain import refresh_counts, say_refreshed, why
from imgsearch.workflows.removal import ROW_PREFIX, compact, corpus_takedowns, remove, row_number

if TYPE_CHECKING:
    from crawler.config import CrawlConfig
    from crawler.report import CrawlReport


# ----------------------------------------------------------------------------------------------------------------------
# images come in


def crawl(arguments: Namespace) -> None:
    """Collect the images of web pages and lists into the corpus, or ask again for those that are there."""
    paths = index_paths(arguments.index)
    try:
        if arguments.refresh:
            _refresh(arguments, paths)
        elif arguments.urls or arguments.lists or arguments.retry_failed:
            _collect(arguments, paths)
        elif not arguments.report:
            raise FetchError("no URL to start from: name one, or --urls FILE, --refresh, --retry-failed, --report HTML")
    finally:
        if arguments.report:
            write_crawl_page(paths, arguments.report)


def _crawl_config(arguments: Namespace, corpus: Corpus) -> "CrawlConfig":
    from crawler.crawl import CrawlConfig

    if not arguments.contact and not arguments.allow_private:
        note("tip: --contact URL tells the owners of the sites whom to ask; put it into IMGSEARCH_CONTACT for good")
    return CrawlConfig(
        seeds=tuple(arguments.urls),
        max_images=arguments.max_images,
        max_pages=arguments.max_pages,
        depth=arguments.depth,
        delay_seconds=arguments.delay,
        allow_private=arguments.allow_private,
        follow_hosts=arguments.follow_hosts,
        sitemaps=not arguments.no_sitemaps,
        contact=arguments.contact,
        lists=tuple(arguments.lists or ()),
        takedowns=corpus_takedowns(corpus),
        retry_failed=arguments.retry_failed,
    )


def _collect(arguments: Namespace, paths: IndexPaths) -> None:
    from crawler.crawl import CrawlProgress
    from crawler.crawl import crawl as run_crawl

    with Corpus.open_for_writing(paths) as corpus, stopping() as stop, tracking("crawling") as tracker:
        intake, config = _intake(corpus, arguments), _crawl_config(arguments, corpus)

        def show(progress: CrawlProgress) -> None:
            tracker(
                0,
                None,
                f"kept {progress.kept:,}  duplicate {progress.duplicate:,}  skipped {progress.skipped:,}  "
                f"failed {progress.failed:,}  {progress.images_per_second:.0f} images/s  queue {progress.queued:,}",
            )

        report = run_crawl(config, paths.crawl_database, intake.keep, on_progress=show, stop=stop)
    if arguments.json:
        say_json(asdict(report))
    else:
        _say_crawled(report)
    if report.problem:
        raise FetchError(report.problem)


def _refresh(arguments: Namespace, paths: IndexPaths) -> None:
    from crawler.refresh import refresh
    from imgsearch.corpus.renewal import Renewal

    Corpus.open(paths).close()  # opening for writing would make a corpus where there is none
    with Corpus.open_for_writing(paths) as corpus, stopping() as stop, tracking("refreshing") as tracker:
        intake, config = _intake(corpus, arguments), _crawl_config(arguments, corpus)
        renewal = Renewal(corpus, intake)
        report = refresh(
            config,
            paths.crawl_database,
            renewal.replace,
            renewal.bury,
            on_progress=lambda progress: tracker(0, None, refresh_counts(progress)),
            stop=stop,
        )
    if arguments.json:
        say_json(asdict(report) | {"changes": [change._asdict() for change in report.changes]})
    else:
        say_refreshed(report)


def _say_crawled(report: "CrawlReport") -> None:
    if report.recovered:
        note(report.recovered)
    say(
        f"kept {report.kept:,} ({report.kept_now:,} in this run)  duplicate {report.duplicate:,}  "
        f"skipped {report.skipped:,}  failed {report.failed:,}  queued {report.queued:,}  pages {report.pages:,}"
    )
    _say_reasons(report.reasons)
    for text in (*report.notes, report.finished_because):
        say(text)


def add(arguments: Namespace) -> None:
    """Take in the images of folders, zip archives and files."""
    paths = index_paths(arguments.index)
    with Corpus.open_for_writing(paths) as corpus, stopping() as stop, tracking("adding") as tracker:
        intake = _intake(corpus, arguments)
        report = add_paths(intake, arguments.paths, on_progress=tracker, stop=stop)
    if arguments.json:
        say_json({"counts": report.counts, "reasons": report.reasons})
        return
    _say_added(report)


def _say_added(report: AddReport) -> None:
    say("  ".join(f"{verdict} {n:,}" for verdict, n in report.counts.items()))
    _say_reasons(report.reasons)
    for source, reason in report.problems:
        note(f"{source}: {reason}")


def _say_reasons(reasons: dict[str, int]) -> None:
    for reason, n in sorted(reasons.items(), key=lambda item: -item[1]):
        say(f"  {n:,} × {reason}")


def _intake(corpus: Corpus, arguments: Namespace) -> Intake:
    """What takes images in, as the options say; tells first what a killed command had left behind."""
    if corpus.recovered:
        note(corpus.recovered)
    return Intake(
        corpus,
        with_previews=not arguments.no_previews,
        labels_from_folders=arguments.labels_from_folders,
    )


# ----------------------------------------------------------------------------------------------------------------------
# images become codes


def reindex(arguments: Namespace) -> None:
    """Encode what has no code of the current model and build the index."""
    from imgsearch.device import pick_device
    from imgsearch.workflows.reindexing import reindex as bring_up_to_date

    device = pick_device(arguments.device)
    note(device.reason)
    with tracking("reindexing") as tracker:
        result = bring_up_to_date(index_paths(arguments.index), device=device, full=arguments.full, on_progress=tracker)
    if result.described is not None:
        note(f"indexed the words of {result.described:,} images")
    say(f"indexed {result.rows:,} rows by model {result.model[:12]}")


# ----------------------------------------------------------------------------------------------------------------------
# codes become answers


def search(arguments: Namespace) -> None:
    """Show the nearest images by code and by pixels, or those whose words are nearest."""
    if arguments.text is not None:
        search_text(arguments)
        return
    from imgsearch.retrieval.search.searcher import Searcher

    query = _query(arguments.query, allow_private=arguments.allow_private)
    with Searcher.open(index_paths(arguments.index), device=arguments.device) as searcher:
        result = searcher.search(query, k=arguments.k, by=arguments.by, name=arguments.query)
        if arguments.save:
            from imgsearch.retrieval.search.contact_sheet import draw_contact_sheet

            with replacing(arguments.save) as temporary:
                temporary.write_bytes(draw_contact_sheet(searcher, query, result))
            note(f"drawn into {arguments.save}")
    if arguments.json:
        say_json(result.to_json())
        return
    say_hits(result)
    if result.no_good_match:
        say("no good match: even the nearest image is far, as distances in this corpus go")
    if arguments.by in ("both", "all"):
        say(f"code and pixels both found {result.overlap} of {result.k}")


def _query(text: str, *, allow_private: bool) -> bytes | Path | int:
    """What was typed: `row:N`, an address (fetched under the crawler's guard), or a file."""
    if text.startswith(ROW_PREFIX):
        return row_number(text)
    if text.startswith(("http://", "https://")):
        from crawler.fetching.fetch import fetch_image

        return fetch_image(text, allow_private=allow_private)
    return Path(text)


def evaluate(arguments: Namespace) -> None:
    """Measure the methods side by side, by labels and without, and leave the figures beside the index."""
    from imgsearch.cli.evaluation_output import findings_json, say_measurement
    from imgsearch.retrieval.evaluation.measure import measure
    from imgsearch.retrieval.evaluation.quality import write_quality
    from imgsearch.retrieval.search.searcher import Searcher

    queries = None
    if arguments.queries:
        with tracking("reading queries") as tracker:
            queries = read_labelled_images(arguments.queries, on_progress=tracker)
    paths = index_paths(arguments.index)
    with Searcher.open(paths, device=arguments.device) as searcher, tracking("measuring") as tracker:
        measurement = measure(
            searcher,
            queries=queries,
            max_queries=arguments.max_queries,
            labels_needed=arguments.plot is not None,
            on_progress=tracker,
        )
    if arguments.json:
        say_json(findings_json(measurement))
    else:
        say_measurement(measurement)
    write_quality(paths, measurement.quality)  # last: where it cannot be written, the answer is out already
    if arguments.plot and measurement.evaluation:
        from imgsearch.retrieval.evaluation.plot import draw_curve

        with replacing(arguments.plot) as temporary:
            temporary.write_bytes(draw_curve(measurement.evaluation))
        note(f"drawn into {arguments.plot}")


# ----------------------------------------------------------------------------------------------------------------------
# care of the index directory


def status(arguments: Namespace) -> None:
    """Tell what is there, how fresh, and by which model."""
    from imgsearch.workflows.status import read_status

    state = read_status(index_paths(arguments.index))
    if arguments.json:
        say_json(state.to_json())
        return
    for line in state.lines():
        say(line)


def app(arguments: Namespace) -> None:
    """Open the search page."""
    from imgsearch.web.server import serve

    serve(index_paths(arguments.index).root, arguments.port)


COMMANDS: dict[str, Callable[[Namespace], None]] = {
    command.__name__: command
    for command in (crawl, add, train, finetune, reindex, search, evaluate, status, why, remove, compact, lab, app)
}
