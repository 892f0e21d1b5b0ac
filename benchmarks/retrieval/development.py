"""Retrieval quality of the shipped model on the development protocol: 45,000 CIFAR-10 images, 5,000 other queries.

Labels are used for scoring only, and the queries were in no training. Measures all methods, the curve, the false
matches of the cutoff, and distorted copies. Writes results/development.json and draws docs/curve.png.
Needs ../shared/data. Run: python -m benchmarks.retrieval.development
"""

import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.machine import write_result
from benchmarks.protocol import PrintedProgress, add_cifar10
from imgsearch.autoencoder.card import SHIPPED, read_card
from imgsearch.autoencoder.checkpoint import load_checkpoint
from imgsearch.autoencoder.encode import encode_images, reconstruct
from imgsearch.corpus.store import Corpus
from imgsearch.device import pick_device
from imgsearch.paths import IndexPaths
from imgsearch.retrieval.evaluation.plot import draw_curve
from imgsearch.retrieval.evaluation.report import measure
from imgsearch.retrieval.search.searcher import Searcher
from imgsearch.workflows.reindexing import reindex

CURVE = Path(__file__).resolve().parents[2] / "docs" / "curve.png"
ENCODING_REPETITIONS = 5


def main() -> None:
    print(write_result("development", run()))


def run() -> dict[str, Any]:
    """Measure everything that the labelled corpus allows, and draw the curve."""
    with tempfile.TemporaryDirectory() as name:
        paths, queries = add_cifar10(Path(name))
        reindex(paths)
        with Searcher.open(paths) as searcher:
            measured = measure(searcher, queries=queries, on_progress=PrintedProgress())
        assert measured.evaluation is not None
        CURVE.write_bytes(draw_curve(measured.evaluation))
        return {
            "repetitions": 1,
            "card": asdict(read_card(SHIPPED)),
            "device": pick_device().reason,
            "torch_threads": torch.get_num_threads(),
            "reconstruction_error": reconstruction_error(queries.thumbnails),
            "encode_images_per_second": encoding_rates(paths),
            **measured.quality.to_json(),
        }


def reconstruction_error(thumbnails: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> float:
    """Return the mean squared error per value, with values in 0..1."""
    device = pick_device()
    network, _ = load_checkpoint(SHIPPED, device.device)
    rebuilt = reconstruct(network, thumbnails, device)
    return float(((rebuilt / 255.0 - thumbnails / 255.0) ** 2).mean())


def encoding_rates(paths: IndexPaths) -> list[int]:
    """Return images per second of each repetition, from host memory to host memory."""
    device = pick_device()
    network, _ = load_checkpoint(SHIPPED, device.device)
    with Corpus.open(paths) as corpus:
        thumbnails = np.array(corpus.thumbnails())
    rates = []
    for _ in range(ENCODING_REPETITIONS):
        began = time.perf_counter()
        encode_images(network, thumbnails, device)
        rates.append(round(len(thumbnails) / (time.perf_counter() - began)))
    return rates


if __name__ == "__main__":
    main()
