"""How good the shipped model is on the development protocol: 45,000 CIFAR-10 images as database, 5,000 others ask.

Labels score and never train; the queries were in no training. All methods, the curve, the cutoff's false matches, and
distorted copies. Writes results/development.json and draws docs/curve.png. Needs ../shared/data.
Run: python benchmarks/development.py
"""

import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from machine import write_result
from protocol import Teller, add_cifar10

from imgsearch.autoencoder.card import SHIPPED, read_card
from imgsearch.autoencoder.checkpoint import load_checkpoint
from imgsearch.autoencoder.encode import encode_images, reconstruct
from imgsearch.corpus.store import Corpus
from imgsearch.device import pick_device
from imgsearch.paths import IndexPaths
from imgsearch.retrieval.evaluation.measure import measure
from imgsearch.retrieval.evaluation.plot import draw_curve
from imgsearch.retrieval.search.searcher import Searcher
from imgsearch.workflows.reindexing import reindex

CURVE = Path(__file__).resolve().parents[1] / "docs" / "curve.png"
ENCODING_REPETITIONS = 5


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        paths, queries = add_cifar10(Path(name))
        reindex(paths)
        with Searcher.open(paths) as searcher:
            measured = measure(searcher, queries=queries, on_progress=Teller())
        assert measured.evaluation is not None
        CURVE.write_bytes(draw_curve(measured.evaluation))
        figures = {
            "repetitions": 1,
            "card": asdict(read_card(SHIPPED)),
            "device": pick_device().reason,
            "torch_threads": torch.get_num_threads(),
            "reconstruction_error": reconstruction_error(queries.thumbnails),
            "encode_images_per_second": encoding_rates(paths),
            **measured.quality.to_json(),
        }
    print(write_result("development", figures))


def reconstruction_error(thumbnails: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> float:
    """Mean squared error per value, 0..1."""
    device = pick_device()
    network, _ = load_checkpoint(SHIPPED, device.device)
    rebuilt = reconstruct(network, thumbnails, device)
    return float(((rebuilt / 255.0 - thumbnails / 255.0) ** 2).mean())


def encoding_rates(paths: IndexPaths) -> list[int]:
    """Images per second, host memory to host memory, of each repetition."""
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
