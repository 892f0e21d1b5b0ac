"""The frontier with given times: due URLs, leases, outcomes."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from crawler.errors import FrontierError
from crawler.frontier.frontier import Frontier
from crawler.frontier.leases import LEASE_SECONDS, Selection
from crawler.parsing.robots import RobotsState
from crawler.reasons import Reason, ReasonCode
from crawler.records import Host, Lease, Link, Settled

SEED = "http://a.example/"
SEEDS = [SEED]
ALL = Selection(SEEDS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "crawl.sqlite"


@pytest.fixture
def frontier(path: Path) -> Iterator[Frontier]:
    with Frontier.open(path) as frontier:
        frontier.start_seed(SEED, "a.example")
        yield frontier


def open_hosts(frontier: Frontier, *hosts: str, delay: float = 0.0) -> None:
    """Answer robots.txt of `hosts`: everything is allowed."""
    for host in hosts:
        frontier.hosts.set_robots(host, RobotsState.ALLOWED, 1e9, delay=delay)


def add_images(frontier: Frontier, n: int, host: str = "http://a.example", seed: str = SEED) -> None:
    frontier.add(Link(f"{host}/{i}.jpg", "image", seed, parent=SEED, alt=f"image {i}") for i in range(n))


def claim(
    frontier: Frontier,
    now: float,
    limit: int = 100,
    *,
    per_host: int = 1,
    delay: float = 0.0,
    images_only: bool = False,
    retries_only: bool = False,
) -> list[Lease]:
    selection = Selection(SEEDS, images_only=images_only, retries_only=retries_only)
    leases, _ = frontier.leases.claim(now, limit, selection, per_host=per_host, delay=delay)
    return leases


def test_a_host_gives_nothing_before_its_robots_txt_is_known(frontier: Frontier) -> None:
    add_images(frontier, 3)
    leases, hosts = frontier.leases.claim(0, 10, ALL)
    assert not leases
    assert [host.host for host in hosts] == ["http://a.example"]
    # Exactly one holder fetches it, however often the host is due meanwhile.
    assert frontier.leases.claim(1, 10, ALL) == ([], [])
    open_hosts(frontier, "http://a.example")
    assert claim(frontier, 2)


def test_robots_txt_is_asked_for_again_when_stale(frontier: Frontier) -> None:
    frontier.hosts.set_robots("http://a.example", RobotsState.ALLOWED, until=100.0)
    assert len(claim(frontier, 99)) == 1
    frontier.leases.release()
    leases, hosts = frontier.leases.claim(100, 10, ALL)
    assert (len(leases), len(hosts)) == (0, 1)


def test_images_come_before_pages_and_near_pages_before_far_ones(frontier: Frontier) -> None:
    open_hosts(frontier, "http://a.example")
    frontier.add(
        [Link("http://a.example/far", "page", SEED, depth=2), Link("http://a.example/near", "page", SEED, depth=1)]
    )
    add_images(frontier, 1)
    paths = [lease.url.rpartition("/")[2] for lease in claim(frontier, 0, per_host=10)]
    assert paths == ["0.jpg", "", "near", "far"]


def test_one_request_in_flight_for_each_host(frontier: Frontier) -> None:
    open_hosts(frontier, "http://a.example", "http://b.example")
    add_images(frontier, 3)
    add_images(frontier, 3, "http://b.example")
    open_hosts(frontier, "http://a.example", "http://b.example")
    first = claim(frontier, 0)
    assert sorted(lease.host for lease in first) == ["http://a.example", "http://b.example"]
    assert claim(frontier, 1) == []
    frontier.leases.settle([Settled(first[0], "kept")])
    assert [lease.host for lease in claim(frontier, 1)] == [first[0].host]


@pytest.mark.parametrize(("delay", "crawl_delay", "gap"), [(0.5, 0, 0.5), (0.5, 2, 2), (3, 2, 3)])
def test_the_larger_delay_counts(frontier: Frontier, delay: float, crawl_delay: float, gap: float) -> None:
    add_images(frontier, 2)
    open_hosts(frontier, "http://a.example", delay=crawl_delay)
    (lease,) = claim(frontier, 10, delay=delay)
    frontier.leases.settle([Settled(lease, "kept")])
    assert claim(frontier, 10 + gap - 0.01, delay=delay) == []
    assert frontier.leases.next_due(10, ALL) == pytest.approx(10 + gap)
    assert len(claim(frontier, 10 + gap, delay=delay)) == 1


def test_a_pace_is_never_made_shorter(frontier: Frontier) -> None:
    frontier.hosts.pace("http://a.example", 50)
    frontier.hosts.pace("http://a.example", 20)
    assert frontier.hosts.get("http://a.example").next_at == 50


def test_a_url_is_tried_again_when_its_time_has_come(frontier: Frontier) -> None:
    open_hosts(frontier, "http://a.example")
    (lease,) = claim(frontier, 0)
    frontier.leases.retry(lease, 30.0, Reason(ReasonCode.HTTP_STATUS, "503"))
    assert claim(frontier, 29) == []
    assert frontier.leases.next_due(0, ALL) == 30
    (again,) = claim(frontier, 30)
    assert (again.url, again.tries) == (lease.url, 1)


def test_nothing_is_due_when_nothing_waits(frontier: Frontier) -> None:
    open_hosts(frontier, "http://a.example")
    claim(frontier, 0)
    assert frontier.leases.next_due(0, ALL) is None


def test_images_only(frontier: Frontier) -> None:
    open_hosts(frontier, "http://a.example")
    assert claim(frontier, 0, images_only=True) == []
    assert frontier.leases.next_due(0, Selection(SEEDS, images_only=True)) is None
    add_images(frontier, 1)
    assert [lease.kind for lease in claim(frontier, 0, images_only=True, per_host=5)] == ["image"]


def test_a_refused_url_is_skipped_with_its_reason_and_costs_no_slot(frontier: Frontier) -> None:
    open_hosts(frontier, "http://a.example")
    add_images(frontier, 5)

    forbidden = Reason(ReasonCode.ROBOTS, "a.example imgsearch")

    def refuse(host: Host, url: str) -> Reason | None:
        return forbidden if url.endswith(("0.jpg", "1.jpg")) else None

    leases, _ = frontier.leases.claim(0, 10, ALL, refuse=refuse)
    assert [lease.url for lease in leases] == ["http://a.example/2.jpg"]
    assert frontier.counts()["skipped"] == 2
    assert frontier.reasons("image", SEEDS) == [("skipped", forbidden, 2)]


def test_the_same_url_is_written_down_once(frontier: Frontier) -> None:
    frontier.add([Link("http://a.example/x.jpg?b=1&a=2", "image", SEED, alt="first")])
    frontier.add([Link("http://A.example/x.jpg?a=2&b=1&utm_source=y", "image", SEED, alt="second")])
    open_hosts(frontier, "http://a.example")
    assert [lease.alt for lease in claim(frontier, 0, per_host=10) if lease.kind == "image"] == ["first"]


def test_an_outcome_is_written_once(frontier: Frontier) -> None:
    open_hosts(frontier, "http://a.example")
    add_images(frontier, 2)
    leases = claim(frontier, 0, per_host=10, images_only=True)
    frontier.leases.settle(
        [Settled(leases[0], "kept"), Settled(leases[1], "failed", Reason(ReasonCode.HTTP_STATUS, "404"))]
    )
    frontier.leases.settle([Settled(leases[0], "failed", Reason(ReasonCode.TOO_SLOW, "60"))])
    assert frontier.counts() == {"kept": 1, "duplicate": 0, "skipped": 0, "failed": 1, "queued": 0}


def test_a_lease_past_its_time_is_queued_again_and_its_old_holder_is_too_late(path: Path, frontier: Frontier) -> None:
    open_hosts(frontier, "http://a.example")
    (old,) = claim(frontier, 0)
    with Frontier.open(path) as other:
        assert claim(other, LEASE_SECONDS - 1) == []
        (new,) = claim(other, LEASE_SECONDS)
        assert new.number == old.number
        frontier.leases.settle([Settled(old, "failed")])
        assert other.tally("page") == {"queued": 1}
        other.leases.settle([Settled(new, "read")])
    assert {k: n for k, n in frontier.tally("page").items() if n} == {"read": 1}


def test_closing_gives_leases_back(path: Path, frontier: Frontier) -> None:
    with Frontier.open(path) as other:
        open_hosts(other, "http://a.example")
        assert len(claim(other, 0)) == 1
        assert claim(frontier, 0) == []
    assert len(claim(frontier, 0)) == 1


def test_what_is_done_in_a_broken_transaction_is_not_done(frontier: Frontier) -> None:
    def add_and_break() -> None:
        with frontier.transaction():
            add_images(frontier, 3)
            raise KeyError

    with pytest.raises(KeyError):
        add_and_break()
    assert frontier.counts()["queued"] == 0


_CLAIM_AND_DIE = """
import os, sys
from pathlib import Path
from crawler.frontier.frontier import Frontier
from crawler.frontier.leases import Selection
frontier = Frontier.open(Path(sys.argv[1]))
leases, _ = frontier.leases.claim(0, 2, Selection(["http://a.example/"]), per_host=2)
print(len(leases), flush=True)
os._exit(9)
"""


def test_leases_of_a_dead_process_are_taken_back_at_once(path: Path, frontier: Frontier) -> None:
    open_hosts(frontier, "http://a.example")
    add_images(frontier, 4)
    died = subprocess.run(
        [sys.executable, "-c", _CLAIM_AND_DIE, str(path)], capture_output=True, text=True, check=False
    )
    assert died.stdout.strip() == "2", died.stderr
    assert len(claim(frontier, 0, per_host=10)) == 3
    assert frontier.leases.reclaim() == 2
    assert len(claim(frontier, 0, per_host=10)) == 2


def test_another_seed_reads_pages_anew_and_takes_over_what_waits(frontier: Frontier) -> None:
    other = "http://a.example/section/"
    open_hosts(frontier, "http://a.example")
    frontier.add([Link(other, "page", SEED, depth=1)])
    add_images(frontier, 2)
    done = claim(frontier, 0, per_host=1)
    frontier.leases.settle([Settled(done[0], "kept")])
    frontier.start_seed(other, "a.example")
    add_images(frontier, 2, seed=other)
    assert frontier.counts([SEED])["kept"] == 1
    assert frontier.counts([other]) == {"kept": 0, "duplicate": 0, "skipped": 0, "failed": 0, "queued": 1}
    leases, _ = frontier.leases.claim(0, 10, Selection([other]), per_host=10)
    assert [lease.url for lease in leases] == ["http://a.example/1.jpg", other]


def test_what_was_out_of_scope_can_be_opened_again(frontier: Frontier) -> None:
    off = Link("http://cdn.example/a.jpg", "image", SEED, outcome="skipped", reason=Reason(ReasonCode.OFF_SITE))
    frontier.add([off])
    assert frontier.counts()["skipped"] == 1
    frontier.reopen(SEEDS, ReasonCode.OFF_SITE)
    assert frontier.counts()["queued"] == 1


def test_a_failed_seed_is_tried_again_and_one_that_was_read_is_not(frontier: Frontier) -> None:
    open_hosts(frontier, "http://a.example")
    frontier.leases.settle([Settled(claim(frontier, 0)[0], "failed", Reason(ReasonCode.HTTP_STATUS, "404"))])
    frontier.start_seed(SEED, "a.example")
    assert [host.host for host in frontier.leases.claim(0, 9, ALL)[1]] == ["http://a.example"]  # robots.txt anew
    open_hosts(frontier, "http://a.example")
    (lease,) = claim(frontier, 0)
    frontier.leases.settle([Settled(lease, "read")])
    frontier.start_seed(SEED, "a.example")
    assert claim(frontier, 0) == []
    assert frontier.first_page(SEED) == (SEED, "read", None)


def test_a_page_that_turns_out_to_be_a_known_image_is_not_counted_twice(frontier: Frontier) -> None:
    open_hosts(frontier, "http://a.example")
    frontier.add([Link("http://a.example/x", "image", SEED), Link("http://a.example/x", "page", SEED, depth=1)])
    leases = claim(frontier, 0, per_host=10)
    frontier.leases.settle([Settled(lease, "kept", kind="image") for lease in leases if lease.url.endswith("x")])
    assert frontier.counts()["kept"] == 1


def test_a_host_that_is_beyond_reach_takes_its_urls_with_it(frontier: Frontier) -> None:
    add_images(frontier, 2)
    frontier.hosts.settle("http://a.example", "failed", Reason(ReasonCode.PRIVATE_ADDRESS, "a.example"))
    assert frontier.counts()["failed"] == 2
    assert frontier.leases.next_due(0, ALL) is None


def test_troubles_in_a_row_are_counted_and_forgotten(frontier: Frontier) -> None:
    silence = Reason(ReasonCode.UNREACHABLE, "a.example no answer in time")
    assert [frontier.hosts.note_trouble("http://a.example", silence) for _ in range(2)] == [1, 2]
    assert frontier.hosts.get("http://a.example").trouble == silence
    assert frontier.hosts.note_trouble("http://a.example", None) == 0
    assert frontier.hosts.get("http://a.example").trouble is None


def test_a_page_budget_for_each_host(frontier: Frontier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.frontier.insert.PAGES_PER_HOST", 5)
    for i in range(10):
        frontier.add([Link(f"http://a.example/{i}", "page", SEED, depth=1)])
    assert frontier.tally("page") == {"queued": 5, "skipped": 6}


def test_texts_of_any_kind_come_back_as_they_went_in(frontier: Frontier) -> None:
    alt = 'naïve 猫 "quoted" \\ \' \x1f; DROP TABLE url'
    frontier.add([Link("http://a.example/x.jpg", "image", SEED, alt=alt)])
    open_hosts(frontier, "http://a.example")
    assert claim(frontier, 0, images_only=True)[0].alt == alt


def test_a_file_that_is_no_frontier(tmp_path: Path) -> None:
    path = tmp_path / "crawl.sqlite"
    path.write_bytes(b"no database at all, but long enough to be read as the head of one" * 20)
    with pytest.raises(FrontierError, match=r"crawl\.sqlite"):
        Frontier.open(path)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FrontierError, match="cannot use"):
        Frontier.open(tmp_path / "file" / "crawl.sqlite")


def test_a_frontier_of_another_version(path: Path, frontier: Frontier) -> None:
    frontier._database.run("PRAGMA user_version = 99")
    with pytest.raises(FrontierError, match="another version"):
        Frontier.open(path)
