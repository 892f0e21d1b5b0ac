"""Throughput of the crawler beside img2dataset, on the same server, processor cores and thumbnail size.

The images are 10,000 CIFAR-10 JPEGs of 32 by 32, and 2,000 JPEGs of 1000 by 800 (photographs enlarged, with added
grain), from one server on loopback; neither side waits between requests. imgsearch reads pages that link to the images
and obeys robots.txt; img2dataset gets the list of URLs. Both write 32 by 32 thumbnails; imgsearch also provenance,
digests, perceptual hashes and, by default, previews of at most 256 pixels. The programs alternate, each with a fresh
output folder.

Writes results/crawl_throughput.json. Needs ../shared/data, and img2dataset installed in a separate environment:
    python -m benchmarks.crawl.throughput path/to/other/venv/bin/img2dataset
"""

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.crawl.served import Served
from benchmarks.machine import write_result
from benchmarks.protocol import CIFAR10, PHOTOGRAPHS
from imgsearch.corpus.store import Corpus
from imgsearch.paths import IndexPaths

N_SMALL, N_LARGE = 10_000, 2_000
LARGE = (1000, 800)
IMG2DATASET_THREADS = 16  # per process
REPETITIONS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("img2dataset", type=Path, help="path of its command")
    print(write_result("crawl_throughput", run(parser.parse_args().img2dataset)))


def run(img2dataset: Path) -> dict[str, Any]:
    """Let both programs fetch both sets of images; return the figures of every repetition."""
    figures: dict[str, Any] = {"repetitions": REPETITIONS, "img2dataset": version(img2dataset)}
    for name, images in (("small", small_images()), ("large", large_images())):
        ways: dict[str, Callable[[str, int], dict[str, float]]] = {
            "imgsearch": crawl,
            "imgsearch_without_previews": partial(crawl, options=("--no-previews",)),
            "img2dataset": partial(download, img2dataset=img2dataset),
        }
        runs: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
        with Served(images) as site:
            for _ in range(REPETITIONS):
                for way, fetch in ways.items():
                    runs[way].append(fetch(site, len(images)))
        rates = {way: statistics.median(run["images_per_second"] for run in runs[way]) for way in ways}
        ratios = {way: rate / rates["img2dataset"] for way, rate in rates.items()}
        figures[name] = {"images": len(images), **runs, "ratios": ratios}
        print(json.dumps({name: figures[name]}, indent=2), flush=True)
    return figures


# ----------------------------------------------------------------------------------------------------------------------
# the images


def small_images() -> list[bytes]:
    """Return CIFAR-10 JPEGs of 32 by 32 pixels."""
    with zipfile.ZipFile(CIFAR10) as archive:
        names = [name for name in archive.namelist() if name.endswith(".jpg")]
        return [archive.read(name) for name in names[:: len(names) // N_SMALL][:N_SMALL]]


def large_images() -> list[bytes]:
    """Return photographs enlarged to 1000 by 800 pixels, with grain, as JPEGs."""
    rng = np.random.default_rng(0)
    grain = rng.integers(-6, 7, (LARGE[1], LARGE[0], 1), dtype=np.int16)
    images = []
    with zipfile.ZipFile(PHOTOGRAPHS[0]) as archive:
        names = [name for name in archive.namelist() if name.endswith(".webp")]
        for name in names[:N_LARGE]:
            enlarged = Image.open(io.BytesIO(archive.read(name))).convert("RGB").resize(LARGE, Image.Resampling.BICUBIC)
            grained = (np.asarray(enlarged, np.int16) + grain).clip(0, 255).astype(np.uint8)
            encoded = io.BytesIO()
            Image.fromarray(grained).save(encoded, "JPEG", quality=85)
            images.append(encoded.getvalue())
    return images


# ----------------------------------------------------------------------------------------------------------------------
# the programs


def crawl(site: str, n_images: int, options: Sequence[str] = ()) -> dict[str, float]:
    """Crawl the site with imgsearch into a temporary index directory."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["crawl", f"{site}/", "--allow-private", "--delay", "0", "--index", folder, *options]
        figures = timed([sys.executable, "-m", "imgsearch", *words])
        with Corpus.open(IndexPaths(Path(folder))) as corpus:
            return rates(figures, len(corpus.live_rows()), n_images)


def version(img2dataset: Path) -> str:
    """Return the version of img2dataset in the environment of its command."""
    asked = "from importlib.metadata import version; print(version('img2dataset'))"
    answer = subprocess.run([img2dataset.parent / "python", "-c", asked], capture_output=True, text=True, check=True)
    return answer.stdout.strip()


def download(site: str, n_images: int, img2dataset: Path) -> dict[str, float]:
    """Download the URLs with img2dataset into a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        urls, output = Path(folder) / "urls.txt", Path(folder) / "out"
        urls.write_text("".join(f"{site}/{number}.jpg\n" for number in range(n_images)))
        options = {
            "url_list": urls,
            "output_folder": output,
            "output_format": "webdataset",
            "image_size": 32,
            "resize_mode": "center_crop",
            "processes_count": os.cpu_count(),
            "thread_count": IMG2DATASET_THREADS,
            "number_sample_per_shard": max(n_images // 4, 1),
        }
        figures = timed([str(img2dataset), *(f"--{name}={value}" for name, value in options.items())])
        kept = sum(json.loads(path.read_text())["successes"] for path in output.glob("*_stats.json"))
        return rates(figures, kept, n_images)


def timed(command: Sequence[str]) -> tuple[float, float]:
    """Return the wall-clock seconds and the processor seconds of a command, its child processes included."""
    before, started = os.times(), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds, after = time.perf_counter() - started, os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return seconds, used


def rates(figures: tuple[float, float], kept: int, asked: int) -> dict[str, float]:
    """Return rates per image. imgsearch keeps duplicates once, so `kept` may be a little below `asked`."""
    assert kept > 0.98 * asked, f"{kept} of {asked} images were kept"
    seconds, used = figures
    return {"kept": kept, "seconds": seconds, "images_per_second": kept / seconds, "cpu_seconds_per_image": used / kept}


if __name__ == "__main__":
    main()
