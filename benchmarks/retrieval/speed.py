"""How fast images come in, are encoded and are found: 50,000 CIFAR-10 JPEGs, repeated, medians.

Writes results/speed.json. Needs ../shared/data. Run: python benchmarks/speed.py
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from machine import write_result

from imgsearch.autoencoder.encode import encode_images
from imgsearch.autoencoder.networks.config import ConvConfig
from imgsearch.autoencoder.networks.registry import build_network, describe_network
from imgsearch.corpus.ingest import Intake, add_paths
from imgsearch.corpus.store import Corpus
from imgsearch.device import pick_device
from imgsearch.paths import IndexPaths
from imgsearch.retrieval.index.binary import BinaryIndex
from imgsearch.retrieval.index.code import CodeIndex
from imgsearch.retrieval.index.pixel import PixelIndex

ARCHIVE = Path(__file__).resolve().parents[2] / "shared" / "data" / "cifar10-train-jpeg.zip"
REPETITIONS = 5
QUERIES = 200


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        adding = [measure_add(IndexPaths(Path(folder) / str(number))) for number in range(REPETITIONS)]
        with Corpus.open(IndexPaths(Path(folder) / "0")) as corpus:
            thumbnails = np.array(corpus.thumbnails())
    n_images = len(thumbnails)
    encoding = measure_encoding(thumbnails)
    codes = np.random.default_rng(0).normal(size=(n_images, 256)).astype(np.float32)  # latency depends on sizes alone
    code_index, pixel_index = CodeIndex.build(codes, "cosine", "0" * 64), PixelIndex.build(thumbnails)
    bits = np.packbits(codes > 0, axis=1)  # (n, 32)
    binary_index = BinaryIndex.build(bits)
    figures = {
        "images": n_images,
        "repetitions": REPETITIONS,
        "queries": QUERIES,
        "torch_threads": torch.get_num_threads(),
        "add_images_per_second": [n_images / seconds for seconds in adding],
        "encode_images_per_second": encoding,
        "code_search_seconds": latencies(lambda row: code_index.search(codes[row : row + 1], 10), n_images),
        "binary_search_seconds": latencies(lambda row: binary_index.search(bits[row : row + 1], 10), n_images),
        "pixel_search_seconds": latencies(lambda row: pixel_index.search(thumbnails[row : row + 1], 10), n_images),
    }
    print(write_result("speed", figures))


def measure_add(paths: IndexPaths) -> float:
    """Seconds to take in the whole archive."""
    began = time.perf_counter()
    with Corpus.open_for_writing(paths) as corpus:
        report = add_paths(Intake(corpus), [ARCHIVE])
    assert report.counts["kept"] + report.counts["duplicate"] == 50_000, report
    return time.perf_counter() - began


def measure_encoding(thumbnails: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> list[float]:
    """Images per second, host memory to host memory, of the default network, whatever its weights."""
    device = pick_device()
    network = build_network(describe_network(ConvConfig())).to(device.device).eval()
    encode_images(network, thumbnails[:2048], device)  # warm-up
    rates = []
    for _ in range(REPETITIONS):
        began = time.perf_counter()
        encode_images(network, thumbnails, device)
        rates.append(len(thumbnails) / (time.perf_counter() - began))
    return rates


def latencies(search: Callable[[int], object], n_images: int) -> dict[str, float]:
    """Median and 95th percentile of the seconds that one query takes."""
    rows = np.random.default_rng(1).choice(n_images, QUERIES + 10, replace=False).tolist()
    seconds = []
    for row in rows:
        began = time.perf_counter()
        search(row)
        seconds.append(time.perf_counter() - began)
    measured = sorted(seconds[10:])  # the first ones warm up
    return {"p50": statistics.median(measured), "p95": measured[int(0.95 * len(measured))]}


if __name__ == "__main__":
    main()
