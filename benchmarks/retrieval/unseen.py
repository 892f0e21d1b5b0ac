"""How the shipped model does on what it was not made for: digits, drawings; and on photographs that carry no labels.

MNIST: 60,000 digits are the database, 10,000 ask. The demo's gallery: each drawn image asks for the others of its kind.
Neither was in any training. The 100,000 photographs were (without labels; there are none): of these, distorted copies
ask. Writes results/unseen.json. Needs ../shared/data. Run: python benchmarks/unseen.py
"""

import tempfile
import zipfile
from pathlib import Path
from typing import Any

from machine import write_result
from protocol import Teller, add, add_mnist, add_photographs

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
            found = measure_distorted(searcher, methods, max_database=100_000, on_progress=Teller())
        figures["photographs"] = found.to_json()
    print(write_result("unseen", figures))


def by_labels(paths: IndexPaths, queries: LabelledImages | None) -> dict[str, Any]:
    reindex(paths)
    with Searcher.open(paths) as searcher:
        found = evaluate(searcher, queries=queries, methods=METHODS, max_database=60_000, on_progress=Teller())
    return found.to_json()


def add_gallery(folder: Path) -> IndexPaths:
    """The demo's drawn images, labelled by their kind, as a corpus."""
    archive = folder / "gallery.zip"
    with zipfile.ZipFile(archive, "w") as drawn:
        for kind in KINDS:
            for number in range(IMAGES_PER_KIND):
                drawn.writestr(f"{kind}/{file_name(kind, number)}", picture_bytes(kind, number)[0])
    return add(folder, archive)


if __name__ == "__main__":
    main()
