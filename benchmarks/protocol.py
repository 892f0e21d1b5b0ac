"""The development protocol and the other data sets, added to a corpus as `imgsearch add` would.

CIFAR-10: images 4500-4999 of each class are queries, the other 45,000 are the database. Needs ../shared/data with
cifar10-train-jpeg.zip (folders named by class), mnist.npz, and two zips of 50,000 unlabelled 32x32 photographs.
"""

import io
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imgsearch.corpus.ingest import Intake, LabelledImages, add_paths, read_labelled_images
from imgsearch.corpus.store import Corpus
from imgsearch.paths import IndexPaths

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
CIFAR10, MNIST = DATA / "cifar10-train-jpeg.zip", DATA / "mnist.npz"
PHOTOGRAPHS = [DATA / f"tinyimagenet32-unlabelled-{part}.zip" for part in "ab"]
FIRST_QUERY = 4500  # of each class's 5,000


def add_cifar10(folder: Path) -> tuple[IndexPaths, LabelledImages]:
    """Add the protocol's database to a labelled corpus in `folder`; return its paths and the queries."""
    database, queries = split_archive(folder)
    return add(folder, database), read_labelled_images(queries)


def add_photographs(folder: Path) -> IndexPaths:
    """Add the 100,000 unlabelled photographs to a corpus."""
    return add(folder, *PHOTOGRAPHS)


def add_mnist(folder: Path) -> tuple[IndexPaths, LabelledImages]:
    """Add the 60,000 training digits (grey as RGB) to a labelled corpus; return it and the 10,000 test digits."""
    with np.load(MNIST) as digits:
        database, queries = folder / "digits.zip", folder / "digit-queries.zip"
        _write_zip(database, digits["x_train"], digits["y_train"])
        _write_zip(queries, digits["x_test"], digits["y_test"])
    return add(folder, database), read_labelled_images(queries)


def add(folder: Path, *archives: Path) -> IndexPaths:
    """Add zip archives, whose folders name the labels, to a corpus in `folder` without previews."""
    paths = IndexPaths(folder / "index")
    with Corpus.open_for_writing(paths) as corpus:
        report = add_paths(Intake(corpus, labels_from_folders=True, with_previews=False), archives)
    assert report.counts["skipped"] == report.counts["failed"] == 0, report
    return paths


def split_archive(folder: Path) -> tuple[Path, Path]:
    """Write the protocol's database and queries as two zips whose folders name the classes."""
    database, queries = folder / "database.zip", folder / "queries.zip"
    with zipfile.ZipFile(CIFAR10) as whole, zipfile.ZipFile(database, "w") as one, zipfile.ZipFile(queries, "w") as two:
        for name in whole.namelist():
            if name.endswith(".jpg"):
                part = two if int(Path(name).stem) >= FIRST_QUERY else one
                part.writestr(name, whole.read(name))
    return database, queries


def _write_zip(path: Path, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, png in _pngs(images, labels):
            archive.writestr(name, png)


def _pngs(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> Iterator[tuple[str, bytes]]:
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        encoded = io.BytesIO()
        Image.fromarray(image).convert("RGB").save(encoded, "PNG", compress_level=1)
        yield f"digits/{label}/{number:05}.png", encoded.getvalue()


class PrintedProgress:
    """Progress callback that prints a line at most every ten seconds."""

    def __init__(self) -> None:
        self._next = 0.0

    def __call__(self, done: float, total: float | None, text: str = "") -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + 10
            print(f"{text}: {done / total:.0%}" if total else text, flush=True)
