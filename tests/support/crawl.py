"""A gallery that keeps images, a crawler with a frontier, and a clock that can be advanced."""

import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from crawler.crawl import CrawlConfig, CrawlReport, FetchedImage, crawl
from crawler.reasons import Reason, ReasonCode, from_stored, sentence
from tests.support.loopback_site import Kept, Site


class Gallery:
    """Keeps images in a list: each URL once, the same bytes once."""

    def __init__(self) -> None:
        self.images: list[FetchedImage] = []

    def __call__(self, images: Sequence[FetchedImage]) -> list[Kept]:
        return [self._keep(image) for image in images]

    def _keep(self, image: FetchedImage) -> Kept:
        for number, known in enumerate(self.images):
            if known.data == image.data:
                return Kept() if known.url == image.url else Kept("duplicate", same_bytes(number))
        self.images.append(image)
        return Kept()

    @property
    def paths(self) -> list[str]:
        return sorted("/" + image.url.split("/", 3)[3] for image in self.images)


def same_bytes(number: int) -> Reason:
    """The reason of an image with the bytes of row `number`."""
    return Reason(ReasonCode.SAME_BYTES, str(number))


class SteppingClock:
    """A clock that advances by a step in each round of a crawl (with `stop=clock.step`)."""

    def __init__(self, step_seconds: float) -> None:
        self.now = 1_800_000_000.0
        self.step_seconds = step_seconds

    def __call__(self) -> float:
        return self.now

    def step(self) -> bool:
        """Advance the clock; return False, so that the crawl goes on."""
        self.now += self.step_seconds
        return False


class Crawler:
    """Crawls with the same frontier and gallery again and again."""

    def __init__(self, folder: Path, *, allow_private: bool = True) -> None:
        self.path = folder / "crawl.sqlite"
        self.allow_private = allow_private
        self.gallery = Gallery()

    def outcomes(self, kind: str) -> dict[str, tuple[str, str]]:
        """Path and query of each URL of `kind` -> (outcome, sentence of its reason)."""
        reasons = self.reasons(kind)
        return {path: (outcome, sentence(reason)) for path, (outcome, reason) in reasons.items()}

    def reasons(self, kind: str) -> dict[str, tuple[str, Reason | None]]:
        """Path and query of each URL of `kind` -> (outcome, reason), as the frontier has them."""
        statement = "SELECT url, outcome, reason_code, reason_detail FROM url WHERE kind = ?"
        with sqlite3.connect(self.path) as connection:
            rows = connection.execute(statement, (kind,)).fetchall()
        connection.close()
        return {"/" + url.split("/", 3)[3]: (outcome, from_stored(*how)) for url, outcome, *how in rows}

    def __call__(
        self,
        *seeds: str,
        stop: Callable[[], bool] | None = None,
        clock: Callable[[], float] = time.time,
        **options: Any,
    ) -> CrawlReport:
        # Without sitemaps, so that tests can count requests exactly.
        defaults = {"sitemaps": False, "delay_seconds": 0, "backoff_seconds": 0.02, "patience_seconds": 5}
        options = defaults | {"allow_private": self.allow_private} | options
        return crawl(CrawlConfig(seeds=seeds, **options), self.path, self.gallery, stop=stop, clock=clock)


def add_gallery(site: Site, n: int, *, pages: int = 1, first: int = 0) -> None:
    """`n` images on `pages` pages that are linked one to the next, the first at `/`."""
    for page in range(pages):
        numbers = range(first + page * n // pages, first + (page + 1) * n // pages)
        images = "".join(f'<img src="/{i}.gif" alt="image {i}">' for i in numbers)
        site.page(f"/page{page}" if page else "/", f'{images}<a href="/page{page + 1}">next</a><a href="/">home</a>')
        for i in numbers:
            site.image(f"/{i}.gif", i)
