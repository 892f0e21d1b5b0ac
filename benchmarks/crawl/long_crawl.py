"""Memory and speed of a long crawl: 100,000 image URLs on loopback, linked from 1,000 pages, without delays.

After every 10,000 URLs it records the resident memory of the process, and the mean time in which the frontier claimed
and settled one URL since the last record. Writes results/long_crawl.json.
Run: python -m benchmarks.crawl.long_crawl [N_URLS]
"""

import io
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import wraps
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.crawl.served import Served
from benchmarks.machine import write_result
from crawler.config import CrawlConfig
from crawler.crawl import crawl
from crawler.frontier.leases import Leases
from crawler.report import CrawlProgress
from imgsearch.corpus.ingest import Intake
from imgsearch.corpus.store import Corpus
from imgsearch.paths import IndexPaths
from imgsearch.workflows.crawled_images import keep_in

EVERY = 10_000


class Stopwatch:
    """Adds up the seconds that a method takes, and the URLs it handled."""

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
        """Return the mean milliseconds per URL since the last call."""
        mean = 1e3 * self.seconds / max(self.urls, 1)
        self.seconds, self.urls = 0.0, 0
        return mean


def main() -> None:
    print(write_result("long_crawl", run(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)))


def run(n_urls: int) -> dict[str, Any]:
    """Crawl n URLs in a fresh process; return a record for every 10,000 of them."""
    with Served(small_pictures(n_urls)) as site:
        answers, end = multiprocessing.get_context("spawn").Pipe(duplex=False)
        # A spawned process, whose memory never held the pictures.
        process = multiprocessing.get_context("spawn").Process(target=crawl_watched, args=(site, n_urls, end))
        process.start()
        lines = answers.recv()
        process.join()
    first, last = lines[0], lines[-1]
    return {
        "repetitions": 1,
        "urls": n_urls,
        "lines": lines,
        "memory_growth": last["resident_mb"] / first["resident_mb"] - 1,
    }


def crawl_watched(site: str, n_urls: int, records: Connection) -> None:
    """Crawl and send a list of records (memory and times), one for each `EVERY` URLs."""
    claiming, settling = Stopwatch(), Stopwatch()
    Leases.claim = claiming.around(Leases.claim, lambda _, answer: len(answer[0]))  # type: ignore[method-assign]  # measured from outside
    Leases.settle = settling.around(Leases.settle, lambda arguments, _: len(list(arguments[1])))  # type: ignore[method-assign]  # as above
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
            crawl(config, paths.crawl_database, keep_in(Intake(corpus)), on_progress=watch)
    records.send(lines)


def resident_bytes() -> int:
    """Return the resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


def small_pictures(n: int) -> Sequence[bytes]:
    """Return n different PNGs of 32 by 32 pixels that show the bits of their number as squares."""
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
