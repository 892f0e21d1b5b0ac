"""A gallery to crawl and a crawler with a memory, for the tests of whole crawls."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from loopback_site import Kept, Site

from crawler.crawl import CrawlConfig, CrawlReport, FetchedImage, crawl


class Gallery:
    """Keeps images in a list: each URL once, the same bytes once."""

    def __init__(self) -> None:
        self.images: list[FetchedImage] = []

    def __call__(self, images: Sequence[FetchedImage]) -> list[Kept]:
        return [self._keep(image) for image in images]

    def _keep(self, image: FetchedImage) -> Kept:
        for number, known in enumerate(self.images):
            if known.data == image.data:
                return Kept() if known.url == image.url else Kept("duplicate", f"same bytes as row {number}")
        self.images.append(image)
        return Kept()

    @property
    def paths(self) -> list[str]:
        return sorted("/" + image.url.split("/", 3)[3] for image in self.images)


class Crawler:
    """Crawls with the same frontier and gallery again and again."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "crawl.sqlite"
        self.gallery = Gallery()

    def __call__(
        self,
        *seeds: str,
        stop: Callable[[], bool] | None = None,
        clock: Callable[[], float] = time.time,
        **options: Any,
    ) -> CrawlReport:
        # Without sitemaps: tests that count requests count those that they mean.
        options = {
            "sitemaps": False,
            "delay_seconds": 0,
            "allow_private": True,
            "backoff_seconds": 0.02,
            "patience_seconds": 5,
        } | options
        return crawl(CrawlConfig(seeds=seeds, **options), self.path, self.gallery, stop=stop, clock=clock)


def add_gallery(site: Site, n: int, *, pages: int = 1, first: int = 0) -> None:
    """`n` images on `pages` pages that are linked one to the next, the first at `/`."""
    for page in range(pages):
        numbers = range(first + page * n // pages, first + (page + 1) * n // pages)
        images = "".join(f'<img src="/{i}.gif" alt="image {i}">' for i in numbers)
        site.page(f"/page{page}" if page else "/", f'{images}<a href="/page{page + 1}">next</a><a href="/">home</a>')
        for i in numbers:
            site.image(f"/{i}.gif", i)
