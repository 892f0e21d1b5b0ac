"""How fast the crawler brings images in, side by side with img2dataset on the same server, cores and resize.

10,000 CIFAR-10 JPEGs of 32 by 32, and 2,000 JPEGs of 1000 by 800 (photographs enlarged, with a grain), from one server
on loopback; politeness is off on both sides. Ours reads pages that name the images and obeys robots.txt; img2dataset is
given the list of URLs. Both leave 32 by 32 thumbnails; ours also provenance, digests and perceptual hashes, and, unless
told otherwise, previews of at most 256 pixels. They take turns, each with a fresh output folder.

Writes results/crawl_throughput.json. Needs ../shared/data, and an environment of its own with img2dataset:
    python benchmarks/crawl_throughput.py path/to/that/bin/img2dataset
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

import numpy as np
from machine import write_result
from PIL import Image
from protocol import CIFAR10, PHOTOGRAPHS
from served import Served

from imgsearch.corpus.store import Corpus
from imgsearch.paths import IndexPaths

N_SMALL, N_LARGE = 10_000, 2_000
LARGE = (1000, 800)
THEIR_THREADS = 16  # of each of its processes; ours has its own default
REPETITIONS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("img2dataset", type=Path, help="its command")
    img2dataset = parser.parse_args().img2dataset
    figures: dict[str, object] = {"repetitions": REPETITIONS, "img2dataset": version(img2dataset)}
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
    print(write_result("crawl_throughput", figures))


# ----------------------------------------------------------------------------------------------------------------------
# what is served


def small_images() -> list[bytes]:
    with zipfile.ZipFile(CIFAR10) as archive:
        names = [name for name in archive.namelist() if name.endswith(".jpg")]
        return [archive.read(name) for name in names[:: len(names) // N_SMALL][:N_SMALL]]


def large_images() -> list[bytes]:
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
# who fetches


def crawl(site: str, n_images: int, options: Sequence[str] = ()) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        words = ["crawl", f"{site}/", "--allow-private", "--delay", "0", "--index", folder, *options]
        figures = timed([sys.executable, "-m", "imgsearch", *words])
        with Corpus.open(IndexPaths(Path(folder))) as corpus:
            return rates(figures, len(corpus.live_rows()), n_images)


def version(img2dataset: Path) -> str:
    asked = "from importlib.metadata import version; print(version('img2dataset'))"
    answer = subprocess.run([img2dataset.parent / "python", "-c", asked], capture_output=True, text=True, check=True)
    return answer.stdout.strip()


def download(site: str, n_images: int, img2dataset: Path) -> dict[str, float]:
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
            "thread_count": THEIR_THREADS,
            "number_sample_per_shard": max(n_images // 4, 1),
        }
        figures = timed([str(img2dataset), *(f"--{name}={value}" for name, value in options.items())])
        kept = sum(json.loads(path.read_text())["successes"] for path in output.glob("*_stats.json"))
        return rates(figures, kept, n_images)


def timed(command: Sequence[str]) -> tuple[float, float]:
    """Seconds on the clock, and of the processor, that a command takes, its own children included."""
    before, started = os.times(), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds, after = time.perf_counter() - started, os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return seconds, used


def rates(figures: tuple[float, float], kept: int, asked: int) -> dict[str, float]:
    """Duplicates are kept once by us, so a few fewer than were asked for may be there."""
    assert kept > 0.98 * asked, f"{kept} of {asked} images were kept"
    seconds, used = figures
    return {"kept": kept, "seconds": seconds, "images_per_second": kept / seconds, "cpu_seconds_per_image": used / kept}


if __name__ == "__main__":
    main()
