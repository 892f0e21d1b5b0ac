"""Does a long crawl stay small and quick? 100,000 image URLs on loopback, named by 1,000 pages, politeness off.

Every 10,000 URLs: the memory of the process (resident), and the time that the frontier needs for one URL to be claimed
and to be settled, in the mean over those since the last line. Writes results/long_crawl.json.
Run: python benchmarks/long_crawl.py [N_URLS]
"""

import io
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import numpy as np
from machine import write_result
from PIL import Image
from served import Served

from crawler.config import CrawlConfig
from crawler.crawl import crawl
from crawler.frontier.frontier import Frontier
from crawler.report import CrawlProgress
from imgsearch.corpus.ingest import Intake
from imgsearch.corpus.store import Corpus
from imgsearch.paths import IndexPaths

EVERY = 10_000


class Stopwatch:
    """Adds up the seconds that a method takes, and the URLs that it was given or gave."""

    def __init__(self) -> None:
        self.seconds, self.urls = 0.0, 0

    def around(self, method: Callable[..., Any], count: Callable[[Any, Any], int]) -> Callable[..., Any]:
        @wraps(method)
        def timed(*arguments: Any, **options: Any) -> Any:
            started = time.perf_counter()
            answer = method(*arguments, **options)
            self.seconds += time.perf_counter() - started
            self.urls += count(arguments, answer)
            return answer

        return timed

    def milliseconds(self) -> float:
        """A URL in the mean since the last call."""
        mean = 1e3 * self.seconds / max(self.urls, 1)
        self.seconds, self.urls = 0.0, 0
        return mean


def main() -> None:
    n_urls = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with Served(small_pictures(n_urls)) as site:
        answers, end = multiprocessing.get_context("spawn").Pipe(duplex=False)
        # In a process of its own, which has never held the pictures.
        process = multiprocessing.get_context("spawn").Process(target=crawl_watched, args=(site, n_urls, end))
        process.start()
        lines = answers.recv()
        process.join()
    first, last = lines[0], lines[-1]
    figures = {
        "repetitions": 1,
        "urls": n_urls,
        "lines": lines,
        "memory_growth": last["resident_mb"] / first["resident_mb"] - 1,
    }
    print(write_result("long_crawl", figures))


def crawl_watched(site: str, n_urls: int, told: Any) -> None:
    """Crawl; tell memory and times as lines, a dict for each `EVERY` URLs."""
    claiming, settling = Stopwatch(), Stopwatch()
    Frontier.claim = claiming.around(Frontier.claim, lambda _, answer: len(answer[0]))  # type: ignore[method-assign]  # measured from outside
    Frontier.settle = settling.around(Frontier.settle, lambda arguments, _: len(list(arguments[1])))  # type: ignore[method-assign]  # as above
    lines: list[dict[str, float]] = []
    started = time.perf_counter()

    def watch(progress: CrawlProgress) -> None:
        done = progress.kept + progress.duplicate + progress.skipped + progress.failed
        if done >= (len(lines) + 1) * EVERY:
            lines.append(
                {
                    "urls": done,
                    "seconds": time.perf_counter() - started,
                    "resident_mb": resident_bytes() / 1e6,
                    "claim_ms": claiming.milliseconds(),
                    "settle_ms": settling.milliseconds(),
                }
            )
            print(lines[-1], flush=True)

    with tempfile.TemporaryDirectory() as folder:
        paths = IndexPaths(Path(folder))
        config = CrawlConfig(seeds=(f"{site}/",), delay_seconds=0, allow_private=True)
        with Corpus.open_for_writing(paths) as corpus:
            crawl(config, paths.crawl_database, Intake(corpus).keep, on_progress=watch)
    told.send(lines)


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


def small_pictures(n: int) -> Sequence[bytes]:
    """n different PNGs of 32 by 32: the number's bits as squares."""
    pictures = []
    for number in range(n):
        bits = (number >> np.arange(64)) & 1
        pixels = (bits.reshape(8, 8).repeat(4, 0).repeat(4, 1) * 200).astype(np.uint8)
        encoded = io.BytesIO()
        Image.fromarray(pixels).save(encoded, "PNG", compress_level=1)
        pictures.append(encoded.getvalue())
    return pictures


if __name__ == "__main__":
    main()
