"""A crawl that is killed with SIGKILL again and again still gives every image exactly one outcome."""

import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from loopback_site import Answer, Site, serving

from crawler.frontier import Frontier

N_IMAGES = 300
N_PAGES = 15
N_MISSING = 10
N_COPIES = 20
KILLS = 5

# Keeps images in SQLite as a corpus would: durable when it returns, "kept" again for a URL that it has kept.
CRAWL = """
import sqlite3, sys
from pathlib import Path
from crawler.crawl import CrawlConfig, crawl

class Verdict:
    def __init__(self, verdict, reason=""):
        self.verdict, self.reason = verdict, reason

kept = sqlite3.connect(sys.argv[2], isolation_level=None)
kept.execute("PRAGMA journal_mode = WAL")
kept.execute("CREATE TABLE IF NOT EXISTS kept (data BLOB PRIMARY KEY, url TEXT)")

def keep(images):
    kept.execute("BEGIN IMMEDIATE")
    verdicts = []
    for image in images:
        (known,) = kept.execute("SELECT url FROM kept WHERE data = ?", (image.data,)).fetchone() or (None,)
        if known is None:
            kept.execute("INSERT INTO kept VALUES (?, ?)", (image.data, image.url))
        verdicts.append(Verdict("kept") if known in (None, image.url) else Verdict("duplicate", "same bytes"))
    kept.execute("COMMIT")
    return verdicts

config = CrawlConfig((sys.argv[3],), delay_seconds=0, allow_private=True, depth=100, threads=4)
report = crawl(config, Path(sys.argv[1]), keep)
print(report.kept, report.duplicate, report.failed, report.queued)
"""


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        for page in range(N_PAGES):
            numbers = range(page * N_IMAGES // N_PAGES, (page + 1) * N_IMAGES // N_PAGES)
            html = "".join(f"<img src=/{i}.jpg>" for i in numbers) + f"<a href=/{page + 1}>next</a>"
            site.page(f"/{page}" if page else "/", html)
            for i in numbers:
                # The last images are copies of the first, and some are missing.
                body = b"\xff\xd8\xff" + str(i if i < N_IMAGES - N_COPIES else i - N_IMAGES + N_COPIES).encode()
                site.answer(f"/{i}.jpg", Answer(status=404) if N_COPIES <= i < N_COPIES + N_MISSING else Answer(body))
        site.page(f"/{N_PAGES}", "<html>the end")
        yield site


def test_every_image_has_one_outcome_after_five_kills(site: Site, tmp_path: Path) -> None:
    frontier_path, kept_path = tmp_path / "crawl.sqlite", tmp_path / "kept.sqlite"
    command = [sys.executable, "-c", CRAWL, str(frontier_path), str(kept_path), site.url]
    chance = random.Random(11)
    n_killed = 0
    site.answer_seconds = 0.01  # slow enough that every run is killed at work
    for _ in range(KILLS):
        before = len(site.requests)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while len(site.requests) == before and process.poll() is None:
            time.sleep(0.005)
        time.sleep(chance.uniform(0.0, 0.25))
        n_killed += process.poll() is None
        process.kill()
        process.wait()
    assert n_killed == KILLS
    site.answer_seconds = 0.0
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    n_kept = N_IMAGES - N_MISSING - N_COPIES
    assert finished.stdout.split() == [str(n_kept), str(N_COPIES), str(N_MISSING), "0"], finished.stderr
    with sqlite3.connect(kept_path) as kept:
        assert kept.execute("SELECT COUNT(*), COUNT(DISTINCT url) FROM kept").fetchone() == (n_kept, n_kept)
    kept.close()
    with Frontier.open(frontier_path) as frontier:
        assert sum(frontier.counts().values()) == N_IMAGES
        assert frontier.tally("page")["read"] == N_PAGES + 1
