"""End to end with real commands: a crawl that is killed again and again, and the demo from an empty directory."""

import json
import random
import signal
import subprocess
import sys
import zipfile
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest

from crawler.frontier.frontier import Frontier
from imgsearch.cli.main import run
from imgsearch.corpus.store import Corpus
from imgsearch.errors import CorpusError
from imgsearch.paths import index_paths
from tests.conftest import REPOSITORY
from tests.support.loopback_site import Answer, Site, gif, serving
from tests.support.waiting import wait_until

KILLS = 5
PER_PAGE = 100


@pytest.fixture(scope="module")
def many_images() -> list[bytes]:
    """5,000 CIFAR-10 JPEGs where ../shared/data has them, else 1,000 tiny GIFs; all different."""
    archive = REPOSITORY.parent / "shared" / "data" / "cifar10-train-jpeg.zip"
    if not archive.exists():
        return [gif(number) for number in range(1000)]
    with zipfile.ZipFile(archive) as members:
        names = [name for name in members.namelist() if name.endswith(".jpg")]
        distinct = {sha256(data).digest(): data for data in map(members.read, names[::9])}
    return list(distinct.values())[:5000]


def publish(site: Site, images: list[bytes]) -> None:
    """Pages of 100 images each, every page linked from the one before and from the first."""
    n_pages = -(-len(images) // PER_PAGE)
    for page in range(n_pages):
        numbers = range(page * PER_PAGE, min((page + 1) * PER_PAGE, len(images)))
        pictures = "".join(f'<img src="/images/{number}.jpg" alt="number {number}">' for number in numbers)
        links = "".join(f'<a href="/{other}.html">{other}</a>' for other in range(page + 1, min(page + 4, n_pages)))
        site.page("/" if page == 0 else f"/{page}.html", f"<html><body>{pictures}{links}</body></html>")
    for number, data in enumerate(images):
        site.answer(f"/images/{number}.jpg", Answer(data, headers={"Content-Type": "image/jpeg"}))


def has_stored(root: Path, enough: float) -> bool:
    """Whether the corpus holds more than `enough` images."""
    try:
        with Corpus.open(index_paths(root)) as corpus:
            return len(corpus) > enough
    except CorpusError:  # not made yet
        return False


@pytest.mark.slow
def test_a_crawl_that_is_killed_five_times_keeps_each_image_once(many_images: list[bytes], tmp_path: Path) -> None:
    root = tmp_path / "index"
    randomly = random.Random(11)
    with serving() as site:
        publish(site, many_images)
        line = [sys.executable, "-m", "imgsearch", "crawl", f"{site.url}/", "--allow-private", "--delay", "0"]
        line += ["--depth", "1000", "--index", str(root)]
        for kill in range(KILLS):
            enough = (kill + randomly.random()) * len(many_images) / (KILLS + 1)
            with subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as crawl:
                wait_until(partial(has_stored, root, enough), process=crawl, seconds=120)
                crawl.send_signal(signal.SIGKILL)
        finished = subprocess.run([*line, "--json"], capture_output=True, text=True, check=True)
    report = json.loads(finished.stdout)
    assert (report["kept"], report["duplicate"], report["skipped"], report["failed"], report["queued"]) == (
        len(many_images), 0, 0, 0, 0,
    )  # fmt: skip
    with Frontier.open(index_paths(root).crawl_database) as frontier:
        assert frontier.counts()["kept"] == len(many_images)
    with Corpus.open(index_paths(root)) as corpus:
        assert corpus.verify() == []
        assert len(corpus) == len(many_images)
        entries = corpus.entries(range(len(corpus)))
    assert {entry.digest for entry in entries} == {sha256(data).hexdigest() for data in many_images}
    assert {entry.alt for entry in entries} == {f"number {number}" for number in range(len(many_images))}


@pytest.mark.slow
def test_the_demo_from_an_empty_directory_to_a_better_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "index"
    assert run(["demo", "--no-app", "--minutes", "0.1", "--index", str(root), "--device", "cpu"]) == 0
    printed = capsys.readouterr()
    for command in ("crawl", "train", "reindex", "evaluate"):
        assert f"$ imgsearch {command}" in printed.err
    assert "pixel\t" in printed.out
    assert "code\t" in printed.out
    assert run(["status", "--json", "--index", str(root)]) == 0
    state = json.loads(capsys.readouterr().out)
    assert state["images"] == state["indexed"] >= 3000
    crawl = state["crawl"]
    assert min(crawl["duplicate"], crawl["skipped"], crawl["failed"]) > 0  # the gallery shows what a crawl does
    assert crawl["queued"] == 0


def test_the_demo_refuses_a_directory_with_other_images(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "--no-app", "--index", str(index)]) == 1
    assert "other images" in capsys.readouterr().err
