"""How good codes are on the development protocol: 45,000 CIFAR-10 images as training set and database, 5,000 queries.

The images numbered 4500-4999 of each class ask; labels score and never train. Training is from scratch, with nothing
but the package's defaults and the time given. Writes results/development.json. Needs ../shared/data.
Run: python benchmarks/development.py [--minutes 10] [--seed 0]
"""

import argparse
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
import torch
from machine import write_result

from imgsearch.autoencoder.checkpoint import load_checkpoint
from imgsearch.autoencoder.encode import encode_images, update_codes
from imgsearch.autoencoder.train import TrainConfig, TrainProgress, train
from imgsearch.corpus.ingest import Intake, add_paths, read_labelled_images
from imgsearch.corpus.store import Corpus
from imgsearch.device import pick_device
from imgsearch.paths import IndexPaths
from imgsearch.retrieval.evaluate import evaluate
from imgsearch.retrieval.index import build_index

ARCHIVE = Path(__file__).resolve().parents[2] / "shared" / "data" / "cifar10-train-jpeg.zip"
FIRST_QUERY = 4500  # of each class's 5,000
ENCODING_REPETITIONS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="of training")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(write_result("development", measure(Path(folder), arguments.minutes, arguments.seed)))


def measure(folder: Path, minutes: float, seed: int) -> dict[str, object]:
    """Corpus, training, codes, index and evaluation, by the package's own functions."""
    paths, device = IndexPaths(folder / "index"), pick_device()
    database, queries = split_archive(folder)
    with Corpus.open_for_writing(paths) as corpus:
        report = add_paths(Intake(corpus, labels_from_folders=True), [database])
    with Corpus.open(paths) as corpus:
        config = TrainConfig(minutes=minutes, seed=seed)
        began = time.process_time()
        card = train(corpus.thumbnails(), corpus.live_rows(), paths, config, device=device, on_progress=Teller())
        training_cpu_seconds = time.process_time() - began
        network, _ = load_checkpoint(paths.model, device.device)
        update_codes(corpus.thumbnails(), paths, network, card, device)
        thumbnails = np.array(corpus.thumbnails())
    build_index(paths)
    evaluation = evaluate(paths, queries=read_labelled_images(queries))
    print(evaluation.methods)
    speeds = []
    for _ in range(ENCODING_REPETITIONS):
        start = time.perf_counter()
        encode_images(network, thumbnails, device)
        speeds.append(len(thumbnails) / (time.perf_counter() - start))
    return {
        "minutes": minutes,
        "seed": seed,
        "repetitions": 1,
        "torch_threads": torch.get_num_threads(),
        "device": device.reason,
        "added": report.counts,
        "training": {
            "images_seen": card.images_seen,
            "steps": card.steps,
            "seconds": card.seconds,
            "cpu_seconds": round(training_cpu_seconds, 1),
            "config": card.training,
            "validation": card.metrics,
        },
        "encode_images_per_second": [round(speed) for speed in speeds],
        "evaluation": evaluation.to_json(),
    }


def split_archive(folder: Path) -> tuple[Path, Path]:
    """The protocol's two zips, database and queries, with the folders that name the classes."""
    database, queries = folder / "database.zip", folder / "queries.zip"
    with zipfile.ZipFile(ARCHIVE) as whole, zipfile.ZipFile(database, "w") as one, zipfile.ZipFile(queries, "w") as two:
        for name in whole.namelist():
            if name.endswith(".jpg"):
                part = two if int(Path(name).stem) >= FIRST_QUERY else one
                part.writestr(name, whole.read(name))
    return database, queries


class Teller:
    """Prints where the training stands, every half minute."""

    def __init__(self) -> None:
        self._next = 0.0

    def __call__(self, progress: TrainProgress) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + 30
            print(
                f"{progress.fraction:4.0%}  {progress.images_per_second:5.0f} images/s  "
                f"reconstruction {progress.reconstruction:.4f}  agreement {progress.agreement:.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
