"""Speed of adding, encoding and searching 50,000 CIFAR-10 images.

A search takes one query whose vector is ready and returns its ten nearest; HOG and principal components are searched by
the index of the codes. Writes results/speed.json. Needs ../shared/data. Run: python -m benchmarks.retrieval.speed
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.machine import write_result
from benchmarks.protocol import CIFAR10
from imgsearch.autoencoder.encode import encode_images
from imgsearch.autoencoder.networks.config import ConvConfig
from imgsearch.autoencoder.networks.registry import build_network, describe_network
from imgsearch.corpus.ingest import Intake, add_paths
from imgsearch.corpus.store import Corpus
from imgsearch.device import pick_device
from imgsearch.paths import IndexPaths
from imgsearch.retrieval.evaluation.methods import hog_vectors
from imgsearch.retrieval.explore.principal import PrincipalComponents
from imgsearch.retrieval.index.binary import BinaryIndex
from imgsearch.retrieval.index.code import CodeIndex
from imgsearch.retrieval.index.pixel import PixelIndex

REPETITIONS = 5
QUERIES = 200
COMPONENTS_FROM = 10_000  # images that the principal components are fitted on, as in `imgsearch evaluate`


def main() -> None:
    print(write_result("speed", run()))


def run() -> dict[str, Any]:
    """Return images per second of adding and encoding, and seconds per query of each method."""
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
    components = PrincipalComponents.of(thumbnails[:COMPONENTS_FROM]).project(thumbnails)  # (n, 256)
    gradients = hog_vectors(thumbnails)  # (n, 576)
    pca_index = CodeIndex.build(components, "l2", "0" * 64)
    hog_index = CodeIndex.build(gradients, "cosine", "0" * 64)
    return {
        "images": n_images,
        "repetitions": REPETITIONS,
        "queries": QUERIES,
        "torch_threads": torch.get_num_threads(),
        "add_images_per_second": [n_images / seconds for seconds in adding],
        "encode_images_per_second": encoding,
        "code_search_seconds": latencies(lambda row: code_index.search(codes[row : row + 1], 10), n_images),
        "binary_search_seconds": latencies(lambda row: binary_index.search(bits[row : row + 1], 10), n_images),
        "pixel_search_seconds": latencies(lambda row: pixel_index.search(thumbnails[row : row + 1], 10), n_images),
        "pca_search_seconds": latencies(lambda row: pca_index.search(components[row : row + 1], 10), n_images),
        "hog_search_seconds": latencies(lambda row: hog_index.search(gradients[row : row + 1], 10), n_images),
    }


def measure_add(paths: IndexPaths) -> float:
    """Return the seconds to add the whole archive to a corpus."""
    began = time.perf_counter()
    with Corpus.open_for_writing(paths) as corpus:
        report = add_paths(Intake(corpus), [CIFAR10])
    assert report.counts["kept"] + report.counts["duplicate"] == 50_000, report
    return time.perf_counter() - began


def measure_encoding(thumbnails: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> list[float]:
    """Return images per second of the default network with random weights, from host memory to host memory."""
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
    """Return the median and the 95th percentile of the seconds per query."""
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
