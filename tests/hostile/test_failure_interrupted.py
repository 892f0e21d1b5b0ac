"""Cases 19 to 22: killed, stopped and concurrent crawls, and crawls on a full disk, lose nothing."""

import json
import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import BinaryIO

import pytest

from crawler.errors import FrontierError
from crawler.frontier.database import FrontierDatabase
from crawler.frontier.frontier import Frontier
from crawler.frontier.leases import LEASE_SECONDS, Selection
from imgsearch.corpus.store import Corpus
from imgsearch.errors import CorpusError
from imgsearch.paths import IndexPaths, index_paths
from tests.support.crawl import Crawler, SteppingClock
from tests.support.loopback_site import Answer, Site, gif, serving
from tests.support.small_disk import remount, small_file_system
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

GRACE_SECONDS = 0.5  # instead of the default


def publish(site: Site, n_images: int, n_pages: int) -> None:
    """Distinct images on pages that are linked one to the next."""
    for page in range(n_pages):
        numbers = range(page * n_images // n_pages, (page + 1) * n_images // n_pages)
        images = "".join(f"<img src=/{i}.gif>" for i in numbers)
        site.page(f"/page{page}" if page else "/", f"<html>{images}<a href=/page{page + 1}>next</a>")
        for i in numbers:
            site.image(f"/{i}.gif", i)
    site.page(f"/page{n_pages}", "<html>the end")


def crawl_command(site: Site, index: Path, *, before: str = "") -> list[str]:
    """The command line that crawls `site` into `index`; `before` is Python that runs first in its process."""
    program = f"import sys; {before}\nfrom imgsearch.cli.main import main\nmain(sys.argv[1:])"
    line = ["crawl", f"{site.url}/", "--allow-private", "--delay", "0", "--depth", "1000", "--json"]
    return [sys.executable, "-c", program, *line, "--index", str(index)]


def finished(command: list[str]) -> dict[str, int]:
    """The report of a crawl that runs to its end."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report: dict[str, int] = json.loads(done.stdout)
    return report


def leases(paths: IndexPaths) -> int:
    """Number of leased URLs and hosts, read from the file."""
    with closing(sqlite3.connect(paths.crawl_database)) as frontier:
        held = "SELECT COUNT(*) FROM {} WHERE owner <> ''"
        return sum(int(frontier.execute(held.format(table)).fetchone()[0]) for table in ("url", "host"))


# ----------------------------------------------------------------------------------------------------------------------
# 19: kill -9

KILLS = 25
N_IMAGES, N_PAGES = 900, 30


def has_asked(site: Site, before: int) -> bool:
    """Whether the site got more requests than `before`."""
    return len(site.requests) > before


def stored_problems(paths: IndexPaths) -> list[str]:
    try:
        with Corpus.open(paths) as corpus:
            return corpus.verify()
    except CorpusError:  # killed before there was one
        return []


def test_case_19_after_25_kills_every_url_is_done_once_and_the_store_verifies(site: Site, tmp_path: Path) -> None:
    publish(site, N_IMAGES, N_PAGES)
    for number in range(20):  # some are missing, some are copies of others
        site.answers.pop(f"/{number}.gif")
        site.image(f"/{N_IMAGES - 1 - number}.gif", 100 + number)
    paths = index_paths(tmp_path)
    command = crawl_command(site, tmp_path)
    chance = random.Random(19)
    site.answer_seconds = 0.04  # slow enough that every run is killed at work
    killed_at_work = 0
    for kill in range(KILLS):
        before = len(site.requests)
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
            if kill % 5:  # at work; else anywhere, while it loads or opens its files
                wait_until(partial(has_asked, site, before), process=process)
            time.sleep(chance.uniform(0.0, 0.3))
            assert process.poll() is None
            killed_at_work += len(site.requests) > before
            process.kill()
        assert stored_problems(paths) == []
    assert killed_at_work >= KILLS * 0.8
    site.answer_seconds = 0.0
    report = finished(command)
    counts = {outcome: report[outcome] for outcome in ("kept", "duplicate", "failed", "skipped", "queued")}
    assert counts == {"kept": N_IMAGES - 40, "duplicate": 20, "failed": 20, "skipped": 0, "queued": 0}
    assert leases(paths) == 0
    with Frontier.open(paths.crawl_database) as frontier:
        assert frontier.tally("page")["read"] == N_PAGES + 1
        assert sum(frontier.counts().values()) == N_IMAGES
    with Corpus.open(paths) as corpus:
        assert corpus.verify() == []
        assert len({entry.url for entry in corpus.entries(range(len(corpus)))}) == len(corpus) == N_IMAGES - 40
    # A kill undoes only the batch in flight: 4 jobs for each of 8 threads, and as many to be stored.
    again = sum(n - 1 for path, n in Counter(site.paths()).items() if path != "/robots.txt")
    assert again <= KILLS * 64


# ----------------------------------------------------------------------------------------------------------------------
# 20: two processes

# Keeps images in SQLite as a corpus would, which only one process may write.
CRAWL = """
import sqlite3, sys
from pathlib import Path
from crawler.crawl import CrawlConfig, crawl

class Verdict:
    verdict, reason = "kept", None

kept = sqlite3.connect(sys.argv[2], timeout=30)
kept.execute("CREATE TABLE IF NOT EXISTS kept (url TEXT)")

def keep(images):
    with kept:
        kept.executemany("INSERT INTO kept VALUES (?)", [(image.url,) for image in images])
    return [Verdict() for _ in images]

seeds = tuple(sys.argv[4:])
config = CrawlConfig(seeds, delay_seconds=float(sys.argv[3]), allow_private=True, sitemaps=False, depth=100, threads=2)
print(crawl(config, Path(sys.argv[1]), keep).kept_now)
"""


@pytest.mark.parametrize(("delay", "n_images"), [(0, 60), (0.01, 12)])
def test_case_20_two_processes_on_one_frontier_fetch_no_url_twice(tmp_path: Path, delay: float, n_images: int) -> None:
    kept_path, frontier_path = tmp_path / "kept.sqlite", tmp_path / "crawl.sqlite"
    with serving() as one, serving("127.0.0.2") as two, serving("127.0.0.3") as three:
        sites = (one, two, three)
        for site in sites:
            publish(site, n_images, 5)
            site.answer_seconds = 0.02
        seeds = [site.url for site in sites]
        command = [sys.executable, "-c", CRAWL, str(frontier_path), str(kept_path), str(delay), *seeds]
        pipe = subprocess.PIPE
        processes = [subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) for _ in range(2)]
        answers = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], answers
    kept_by_each = [int(out) for out, _ in answers]
    assert sum(kept_by_each) == 3 * n_images
    assert min(kept_by_each) > 0  # both were at work
    for site in sites:
        assert {path: n for path, n in Counter(site.paths()).items() if n > 1} == {}  # robots.txt neither
        assert len(site.paths()) == n_images + 7
        if delay:
            assert site.most_in_flight == 1  # the pace is per host, whichever process fetches
    with closing(sqlite3.connect(kept_path)) as kept:
        assert kept.execute("SELECT COUNT(*), COUNT(DISTINCT url) FROM kept").fetchone() == (3 * n_images, n_images * 3)
    with Frontier.open(frontier_path) as frontier:
        assert {outcome: n for outcome, n in frontier.counts().items() if n} == {"kept": 3 * n_images}


def test_case_20_a_url_that_waits_long_for_its_answer_stays_with_the_crawl_that_lives(
    site: Site, crawler: Crawler
) -> None:
    clock = SteppingClock(LEASE_SECONDS / 4)
    go_on = threading.Event()

    def wait_and_answer(times: int) -> Answer:
        go_on.wait(20)
        return Answer(gif(1))

    site.page("/", "<img src=/slow.gif>")
    site.answer("/slow.gif", wait_and_answer)
    rounds = 0

    def hours_pass() -> bool:
        nonlocal rounds
        if "/slow.gif" in site.paths() and not go_on.is_set():
            rounds += 1
            with Frontier.open(crawler.path) as other:
                assert other.leases.claim(clock(), 10, Selection([f"{site.url}/"])) == ([], [])
            if rounds > 12:
                go_on.set()
            return clock.step()
        return False

    try:
        report = crawler(site.url, clock=clock, stop=hours_pass)
    finally:
        go_on.set()
    assert report.kept == 1
    assert clock() - SteppingClock(1).now > 2 * LEASE_SECONDS
    assert site.paths().count("/slow.gif") == 1


def test_case_20_what_another_holds_is_not_taken_for_done(site: Site, crawler: Crawler) -> None:
    # A restarted container cannot know that its predecessor is dead: the lease must run out.
    site.page("/", "<img src=/a.gif><img src=/b.gif>")
    site.image("/a.gif", 1)
    site.image("/b.gif", 2)
    clock = SteppingClock(1.0)
    crawler(site.url, clock=clock, max_pages=1, stop=lambda: "/" in site.paths())
    assert site.paths() == ["/robots.txt", "/"]
    with Frontier.open(crawler.path) as other:
        other.leases.owner = "another machine/1/1/token"
        held, _ = other.leases.claim(clock(), 1, Selection([f"{site.url}/"]))
        report = crawler(site.url, clock=clock, stop=clock.step)
        assert (report.kept, report.queued) == (1, 1)
        assert report.finished_because.startswith("what is left is leased by another process")
        assert report.finished_because.endswith("crawl the same URLs again in 3 min")
        other.leases.owner = "nobody"  # so that closing gives nothing back
    assert len(held) == 1
    clock.now += LEASE_SECONDS
    assert crawler(site.url, clock=clock).kept == 2


def test_case_20_two_processes_that_make_the_frontier_at_once_wait_for_each_other(tmp_path: Path) -> None:
    # The other process is creating the file; SQLite alone would refuse the switch to WAL at once.
    path = tmp_path / "crawl.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("CREATE TABLE half_made (x)")
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(0.2, other.execute, ["ROLLBACK"]).start()
        started = time.monotonic()
        Frontier.open(path).close()
        assert time.monotonic() - started >= 0.15


# ----------------------------------------------------------------------------------------------------------------------
# 21: SIGTERM and Ctrl-C


@pytest.fixture
def stuck_site(site: Site) -> Iterator[Site]:
    """Some images are answered, the others keep every thread waiting."""
    publish(site, 40, 1)
    let_go = threading.Event()

    def never(file: BinaryIO) -> None:
        let_go.wait(20)

    for number in range(10, 40):
        site.answer(f"/{number}.gif", Answer(write=never, content_length=100))
    yield site
    let_go.set()


PATIENT = f"import crawler.crawl; crawler.crawl.STOP_GRACE_SECONDS = {GRACE_SECONDS}"


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_case_21_a_stopped_crawl_returns_its_leases_and_exits_0_within_the_grace_time(
    stuck_site: Site, tmp_path: Path, ending: signal.Signals
) -> None:
    paths = index_paths(tmp_path)
    command = crawl_command(stuck_site, tmp_path, before=PATIENT)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_until(lambda: len(stuck_site.requests) >= 2 + 10 + 8, process=process)  # every thread waits
        assert leases(paths) > 0
        process.send_signal(ending)
        started = time.monotonic()
        out, errors = process.communicate(timeout=20)
        assert time.monotonic() - started < GRACE_SECONDS + 2
    assert process.returncode == 0, errors
    assert "stopping" in errors
    assert "Traceback" not in errors
    report = json.loads(out)
    assert (report["kept"], report["queued"]) == (10, 30)
    assert report["finished_because"] == "stopped; crawl the same URLs again to continue"
    assert leases(paths) == 0
    for number in range(10, 40):
        stuck_site.image(f"/{number}.gif", number)
    assert finished(command)["kept"] == 40
    assert {stuck_site.paths().count(f"/{number}.gif") for number in range(10)} == {1}
    with Corpus.open(paths) as corpus:
        assert corpus.verify() == []


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_case_21_a_crawl_that_is_stopped_before_it_has_anything_exits_0_too(
    stuck_site: Site, tmp_path: Path, ending: signal.Signals
) -> None:
    for number in range(40):
        stuck_site.answers[f"/{number}.gif"] = stuck_site.answers["/39.gif"] if number else Answer(status=404)
    command = crawl_command(stuck_site, tmp_path, before=PATIENT)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_until(lambda: len(stuck_site.requests) >= 2 + 1 + 8, process=process)
        process.send_signal(ending)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors
    assert leases(index_paths(tmp_path)) == 0


def test_case_21_a_second_ctrl_c_ends_at_once_and_returns_the_leases_too(stuck_site: Site, tmp_path: Path) -> None:
    command = crawl_command(stuck_site, tmp_path)  # with the whole grace time
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_until(lambda: len(stuck_site.requests) >= 2 + 10 + 8, process=process)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert "stopping" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        started = time.monotonic()
        _, errors = process.communicate(timeout=20)
        assert time.monotonic() - started < 2
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert leases(index_paths(tmp_path)) == 0


# ----------------------------------------------------------------------------------------------------------------------
# 22: no disk


def complaint(command: list[str], **options: int) -> str:
    """The single line of a crawl that fails with exit code 1."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload] # options are those of Popen
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("imgsearch: ")]
    assert len(lines) == 1, done.stderr
    return str(lines[0])


def expect_whole(site: Site, paths: IndexPaths, n_images: int) -> None:
    """Expect the same command to keep every image, once there is space again."""
    report = finished(crawl_command(site, paths.root))
    assert (report["kept"], report["duplicate"], report["failed"], report["queued"]) == (n_images, 0, 0, 0)
    assert leases(paths) == 0
    with Corpus.open(paths) as corpus:
        assert corpus.verify() == []
        assert len(corpus) == n_images


# Each limit is met by another file: the frontier, the corpus's database, its thumbnails.
@pytest.mark.parametrize("limit", [2_000, 70_000, 300_000])
def test_case_22_a_file_that_may_not_grow_is_a_clean_error_and_the_crawl_resumes(
    site: Site, tmp_path: Path, limit: int
) -> None:
    publish(site, 300, 3)
    before = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))"
    assert "cannot use" in complaint(crawl_command(site, tmp_path, before=before))
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    expect_whole(site, index_paths(tmp_path), 300)


def test_case_22_a_device_without_space_is_a_clean_error_and_the_crawl_resumes(site: Site, tmp_path: Path) -> None:
    publish(site, 30, 1)
    paths = index_paths(tmp_path)
    paths.corpus.mkdir(parents=True)
    paths.thumbnails.symlink_to("/dev/full")
    line = complaint(crawl_command(site, tmp_path))
    reason = "No space left on device. Free space, or name another index directory: --index DIR"
    assert line == f"imgsearch: cannot use {paths.thumbnails}: {reason}"
    paths.thumbnails.unlink()
    expect_whole(site, paths, 30)


def test_case_22_a_frontier_without_space_is_a_clean_error_and_the_crawl_resumes(
    site: Site, crawler: Crawler, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(site, 300, 3)
    prepare = FrontierDatabase._prepare

    def prepare_small(database: FrontierDatabase) -> None:
        prepare(database)
        database.run("PRAGMA max_page_count = 30")  # SQLite then reports a full disk

    monkeypatch.setattr(FrontierDatabase, "_prepare", prepare_small)
    with pytest.raises(FrontierError, match="database or disk is full"):
        crawler(site.url)
    monkeypatch.setattr(FrontierDatabase, "_prepare", prepare)
    assert crawler(site.url).kept == 300
    assert len(crawler.gallery.images) == 300


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_file_system(tmp_path / "disk", "600k") as place:
        yield place


@pytest.mark.root
def test_case_22_a_full_disk_is_a_clean_error_and_the_crawl_resumes(site: Site, disk: Path) -> None:
    publish(site, 300, 3)
    root = disk / "index"
    line = complaint(crawl_command(site, root))
    assert "No space left" in line or "disk is full" in line
    remount(disk, "size=50m")
    expect_whole(site, index_paths(root), 300)


@pytest.mark.root
def test_case_22_a_disk_that_turns_read_only_is_a_clean_error_and_the_crawl_resumes(site: Site, disk: Path) -> None:
    publish(site, 20, 1)
    root = disk / "index"
    site.answers.pop("/19.gif")
    remount(disk, "size=50m")
    finished(crawl_command(site, root))
    site.page("/more", "".join(f"<img src=/more{i}.gif>" for i in range(5)))
    for i in range(5):
        site.image(f"/more{i}.gif", 1000 + i)
    more = [word.replace(f"{site.url}/", f"{site.url}/more") for word in crawl_command(site, root)]
    remount(disk, "ro")
    assert "read-only" in complaint(more).lower()
    remount(disk, "rw")
    assert finished(more)["kept"] == 5
    with Corpus.open(index_paths(root)) as corpus:
        assert (len(corpus), corpus.verify()) == (24, [])


def test_case_22_a_directory_that_may_not_be_written_is_a_clean_error(
    site: Site, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    publish(site, 5, 1)
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere; the test before this one is root's")
    tmp_path.chmod(0o555)
    try:
        assert "Permission denied" in complaint(crawl_command(site, tmp_path / "index"))
    finally:
        tmp_path.chmod(0o755)
    expect_whole(site, index_paths(tmp_path / "index"), 5)
