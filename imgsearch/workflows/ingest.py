"""Bring images into the corpus: from files, from a crawl, and again from the addresses where a crawl found them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from imgsearch.corpus.ingest import AddReport, Intake, add_paths
from imgsearch.corpus.renewal import Renewal
from imgsearch.corpus.store import Corpus
from imgsearch.paths import IndexPaths, index_paths
from imgsearch.progress import Progress, silent
from imgsearch.workflows.removal import corpus_takedowns

if TYPE_CHECKING:
    from crawler.config import CrawlConfig
    from crawler.crawl import CrawlProgress, CrawlReport
    from crawler.refresh import RefreshProgress, RefreshReport


def add(
    images: Path | str | Sequence[Path | str],
    index: IndexPaths | Path | str | None = None,
    *,
    labels_from_folders: bool = False,
    previews: bool = True,
    on_progress: Progress = silent,
    stop: Callable[[], bool] | None = None,
) -> AddReport:
    """Add the images of folders, zip archives and files to the corpus, which is created where it is missing.

    Args:
        images: folders, zip archives or image files.
        index: the index directory (default: `$IMGSEARCH_INDEX`, else `index`).
        labels_from_folders: label each image with the name of its folder.
        previews: store previews beside the 32x32 thumbnails.
        on_progress: called with the number of files done and in all.
        stop: polled between batches; when it returns True the call ends, and the images added until then stay.

    Raises:
        IngestError: a path is missing or an archive damaged; nothing was added.
        CorpusError: the corpus is damaged.
        IndexDirectoryError: the directory cannot be written, or another process is writing to it.
    """
    named = [images] if isinstance(images, Path | str) else images
    with Corpus.open_for_writing(index_paths(index)) as corpus:
        intake = Intake(corpus, with_previews=previews, labels_from_folders=labels_from_folders)
        report = add_paths(intake, [Path(path) for path in named], on_progress=on_progress, stop=stop)
        return replace(report, recovered=corpus.recovered)


def crawl(
    urls: str | Sequence[str],
    index: IndexPaths | Path | str | None = None,
    *,
    config: "CrawlConfig | None" = None,
    labels_from_folders: bool = False,
    previews: bool = True,
    on_progress: "Callable[[CrawlProgress], None] | None" = None,
    stop: Callable[[], bool] | None = None,
) -> "CrawlReport":
    """Crawl from `urls` and add the images found to the corpus; the same URLs continue an interrupted crawl.

    Args:
        urls: pages or images to start from.
        index: the index directory (default: `$IMGSEARCH_INDEX`, else `index`).
        config: limits and politeness of the crawl; its seeds are replaced by `urls`, and the takedowns of the corpus
            are added to its own.
        labels_from_folders: label each image with the last folder of its URL.
        previews: store previews beside the 32x32 thumbnails.
        on_progress: called a few times a second.
        stop: polled several times a second; when it returns True the crawl ends, to be continued by the next call.

    Returns:
        A report; its `problem` says why these URLs brought in no image at all, if so.

    Raises:
        CrawlerError: there is no URL to start from, one is not an http or https URL, or the frontier is damaged.
        CorpusError: the corpus is damaged.
        IndexDirectoryError: the directory cannot be written, or another process is writing to it.
    """
    from crawler.crawl import crawl as run_crawl
    from imgsearch.workflows.crawled_images import keep_in

    paths = index_paths(index)
    with Corpus.open_for_writing(paths) as corpus:
        intake = Intake(corpus, with_previews=previews, labels_from_folders=labels_from_folders)
        full_config = _with_corpus(config, urls, corpus)
        report = run_crawl(full_config, paths.crawl_database, keep_in(intake), on_progress=on_progress, stop=stop)
        return replace(report, recovered=_sentences(corpus.recovered, report.recovered))


def refresh(
    urls: str | Sequence[str] = (),
    index: IndexPaths | Path | str | None = None,
    *,
    config: "CrawlConfig | None" = None,
    labels_from_folders: bool = False,
    previews: bool = True,
    on_progress: "Callable[[RefreshProgress], None] | None" = None,
    stop: Callable[[], bool] | None = None,
) -> "RefreshReport":
    """Fetch crawled images again: replace those that changed, remove those that two refreshes in a row found missing.

    Args:
        urls: seeds of earlier crawls whose images are checked; none means all.
        index: the index directory (default: `$IMGSEARCH_INDEX`, else `index`).
        config: politeness of the crawl; its limits of images, pages and depth are ignored.
        labels_from_folders: label each new image with the last folder of its URL.
        previews: store previews beside the 32x32 thumbnails.
        on_progress: called a few times a second.
        stop: polled several times a second; when it returns True the call ends, to be continued by the next one.

    Raises:
        CrawlerError: a URL was not crawled, or nothing was, or the frontier is damaged.
        CorpusError: the corpus is missing or damaged.
        IndexDirectoryError: the directory cannot be written, or another process is writing to it.
    """
    from crawler.refresh import refresh as run_refresh
    from imgsearch.workflows.crawled_images import replace_in

    paths = index_paths(index)
    Corpus.open(paths).close()  # opening for writing would create a corpus where there is none
    with Corpus.open_for_writing(paths) as corpus:
        intake = Intake(corpus, with_previews=previews, labels_from_folders=labels_from_folders)
        renewal = Renewal(corpus, intake)
        report = run_refresh(
            _with_corpus(config, urls, corpus),
            paths.crawl_database,
            replace_in(renewal),
            renewal.bury,
            on_progress=on_progress,
            stop=stop,
        )
        return replace(report, recovered=_sentences(corpus.recovered, report.recovered))


def _with_corpus(config: "CrawlConfig | None", urls: str | Sequence[str], corpus: Corpus) -> "CrawlConfig":
    from crawler.config import CrawlConfig

    config = config or CrawlConfig()
    seeds = (urls,) if isinstance(urls, str) else tuple(urls)
    return replace(config, seeds=seeds, takedowns=(*config.takedowns, *corpus_takedowns(corpus)))


def _sentences(*texts: str) -> str:
    return ". ".join(text.rstrip(".") for text in texts if text)
