"""Retrieval quality of the shipped model on digits, on drawings, and on photographs without labels.

MNIST: 60,000 digits are the database, 10,000 the queries. The demo's gallery: each drawn image is a query for the
others of its kind. Neither was in any training. The 100,000 photographs were in the training, without labels; the
queries are their distorted copies. Writes results/unseen.json. Needs ../shared/data.
Run: python -m benchmarks.retrieval.unseen
"""

import tempfile
import zipfile
from pathlib import Path
from typing import Any

from benchmarks.machine import write_result
from benchmarks.protocol import PrintedProgress, add, add_mnist, add_photographs
from imgsearch.autoencoder.card import SHIPPED, read_card
from imgsearch.corpus.ingest import LabelledImages
from imgsearch.demo.gallery import IMAGES_PER_KIND, KINDS, file_name, picture_bytes
from imgsearch.paths import IndexPaths
from imgsearch.retrieval.evaluation.evaluate import evaluate
from imgsearch.retrieval.evaluation.methods import build_methods
from imgsearch.retrieval.evaluation.robustness import measure_distorted
from imgsearch.retrieval.search.searcher import Searcher
from imgsearch.workflows.reindexing import reindex

METHODS = ("pixel", "hog", "untrained", "code", "binary")


def main() -> None:
    print(write_result("unseen", run()))


def run() -> dict[str, Any]:
    """Return P@10 on digits and drawings, and the recall of distorted photographs."""
    figures: dict[str, Any] = {"repetitions": 1, "model": read_card(SHIPPED).digest}
    with tempfile.TemporaryDirectory() as name:
        figures["mnist"] = by_labels(*add_mnist(Path(name)))
    with tempfile.TemporaryDirectory() as name:
        figures["gallery"] = by_labels(add_gallery(Path(name)), None)
    with tempfile.TemporaryDirectory() as name:
        paths = add_photographs(Path(name))
        reindex(paths)
        with Searcher.open(paths) as searcher:
            methods = build_methods(searcher, names=METHODS)
            found = measure_distorted(searcher, methods, max_database=100_000, on_progress=PrintedProgress())
        figures["photographs"] = found.to_json()
    return figures


def by_labels(paths: IndexPaths, queries: LabelledImages | None) -> dict[str, Any]:
    """Index a labelled corpus and evaluate it, with its own images as queries if none are given."""
    reindex(paths)
    with Searcher.open(paths) as searcher:
        found = evaluate(searcher, queries=queries, methods=METHODS, max_database=60_000, on_progress=PrintedProgress())
    return found.to_json()


def add_gallery(folder: Path) -> IndexPaths:
    """Add the demo's drawn images, labelled by kind, to a corpus."""
    archive = folder / "gallery.zip"
    with zipfile.ZipFile(archive, "w") as drawn:
        for kind in KINDS:
            for number in range(IMAGES_PER_KIND):
                drawn.writestr(f"{kind}/{file_name(kind, number)}", picture_bytes(kind, number)[0])
    return add(folder, archive)


if __name__ == "__main__":
    main()
