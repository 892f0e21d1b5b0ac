"""Search your own images by what they show: the whole loop from Python.

Add the images of folders, zip archives and files to an index directory, which is created where it is missing:

    import imgsearch
    report = imgsearch.add("photographs", "index", labels_from_folders=True)
    print(report.counts)

Or collect the images of a web site, following its robots.txt:

    from crawler.config import CrawlConfig
    report = imgsearch.crawl("https://example.org/gallery", "index", config=CrawlConfig(max_images=500))
    print(report.kept, report.reasons)

Fine-tune the model on them (optional: a trained one comes with the package):

    result = imgsearch.train("index", minutes=5, keep="better")
    for line in result.comparison.lines():
        print(line)

Encode the images and build the index:

    result = imgsearch.reindex("index")
    print(result.rows, "images indexed by model", result.model)

Search by an image file, by its bytes, or by the row of an image in the corpus:

    with imgsearch.Searcher.open("index") as searcher:
        for hit in searcher.search("photograph.jpg", k=10).hits["code"]:
            print(hit.rank, hit.distance, hit.entry.url)

Measure how well the index finds:

    measurement = imgsearch.evaluate("index")
    if measurement.evaluation is not None:
        print(measurement.evaluation.methods["code"]["p@10"])

Remove an image from every search:

    result = imgsearch.remove(12, "index")
    print(result.changed, "image removed")

Every failure that the caller can resolve is an `ImgSearchError`, or a `crawler.errors.CrawlerError` in a crawl:

    try:
        imgsearch.reindex("nowhere")
    except imgsearch.ImgSearchError as error:
        print(error, error.hint)

Importing this package loads neither torch nor faiss; the functions do when they are called.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from imgsearch.errors import ImgSearchError

if TYPE_CHECKING:
    from imgsearch.retrieval.search.searcher import Searcher
    from imgsearch.workflows.evaluation import evaluate
    from imgsearch.workflows.ingest import add, crawl
    from imgsearch.workflows.reindexing import reindex
    from imgsearch.workflows.removal import remove
    from imgsearch.workflows.training import train

__all__ = [
    "ImgSearchError",
    "Searcher",
    "__version__",
    "add",
    "crawl",
    "evaluate",
    "reindex",
    "remove",
    "train",
]
__version__ = "0.2.0"  # the only place where it is written

_MODULES = {
    "Searcher": "imgsearch.retrieval.search.searcher",
    "add": "imgsearch.workflows.ingest",
    "crawl": "imgsearch.workflows.ingest",
    "evaluate": "imgsearch.workflows.evaluation",
    "reindex": "imgsearch.workflows.reindexing",
    "remove": "imgsearch.workflows.removal",
    "train": "imgsearch.workflows.training",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
