"""Defaults of `imgsearch crawl`, stated beside its options because the crawler's settings are slow to import."""

from crawler.config import CrawlConfig
from imgsearch.cli.commands.crawl import DELAY_SECONDS, DEPTH


def test_the_defaults_of_the_options_are_those_of_the_crawler() -> None:
    config = CrawlConfig(seeds=())
    assert (config.depth, config.delay_seconds) == (DEPTH, DELAY_SECONDS)
