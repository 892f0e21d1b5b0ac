"""Cases 19 and 20 as a property: whatever several crawls do, a frontier neither loses nor doubles a URL.

Two crawls add, lease, settle, put back, prolong, stop and die at the will of hypothesis, beside a model of what each
URL's state must be.
"""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from crawler.frontier.frontier import Frontier
from crawler.frontier.leases import LEASE_SECONDS, Selection
from crawler.parsing.robots import RobotsState
from crawler.reasons import Reason, ReasonCode
from crawler.records import Lease, Link, Settled

SEED = "http://a.example/"
HOSTS = ("http://a.example", "http://b.example")
URLS = [f"{host}/{number}.jpg" for host in HOSTS for number in range(2)]
N_CRAWLS = 2

crawls = st.integers(0, N_CRAWLS - 1)


@dataclass
class State:
    """Expected state of one URL."""

    held_by: str = ""  # the owner of its lease
    until: float = 0.0  # when that runs out
    not_before: float = 0.0
    outcome: str = "queued"


class SharedFrontier(RuleBasedStateMachine):
    """The frontier's file, the crawls that share it, and the model."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.path = self.folder / "crawl.sqlite"
        self.now = 1000.0
        self.dead: set[str] = set()
        self.model: dict[str, State] = {}
        self.given: dict[str, list[Lease]] = {}  # owner -> every lease it ever had
        self.is_dead = mock.patch("crawler.frontier.leases.is_dead", self.dead.__contains__)
        self.is_dead.start()
        self.crawls = [Frontier.open(self.path) for _ in range(N_CRAWLS)]

    def teardown(self) -> None:
        try:
            self._everything_can_be_finished()
        finally:
            for crawl in self.crawls:
                crawl.close()
            self.is_dead.stop()
            shutil.rmtree(self.folder)

    def _everything_can_be_finished(self) -> None:
        self.now += 10 * LEASE_SECONDS
        finisher = self.crawls[0]
        for _ in range(len(URLS) + 1):
            leases, _ = finisher.leases.claim(self.now, 100, Selection([SEED]), per_host=100)
            self._expect_free(leases)
            for lease in leases:
                self.model[lease.url] = State(outcome="kept")
            finisher.leases.settle([Settled(lease, "kept") for lease in leases])
            self.now += 1
        assert finisher.counts()["queued"] == 0
        self.nothing_is_lost_or_doubled()
        assert all(state.outcome != "queued" for state in self.model.values())

    def _expect_free(self, leases: list[Lease]) -> None:
        assert len({lease.number for lease in leases}) == len(leases)
        for lease in leases:
            state = self.model[lease.url]
            assert state.outcome == "queued", f"{lease.url} was {state.outcome} and is leased again"
            assert not state.held_by or state.until <= self.now, f"{lease.url} is leased twice"
            assert state.not_before <= self.now

    # ------------------------------------------------------------------------------------------------------------------
    # what crawls do

    @initialize()
    def start(self) -> None:
        self.add(0, URLS[1:])

    @rule(who=crawls, urls=st.lists(st.sampled_from(URLS), min_size=1, max_size=8))
    def add(self, who: int, urls: list[str]) -> None:
        self.crawls[who].add(Link(url, "image", SEED) for url in urls)
        for host in HOSTS:
            self.crawls[who].hosts.set_robots(host, RobotsState.ALLOWED, 1e9)
        for url in urls:
            self.model.setdefault(url, State())

    @rule(who=crawls, limit=st.integers(1, 6), per_host=st.integers(1, 6))
    def claim(self, who: int, limit: int, per_host: int) -> None:
        crawl = self.crawls[who]
        leases, _ = crawl.leases.claim(self.now, limit, Selection([SEED]), per_host=per_host)
        self._expect_free(leases)
        assert len(leases) <= limit
        for lease in leases:
            self.model[lease.url] = State(held_by=crawl.leases.owner, until=self.now + LEASE_SECONDS)
        self.given.setdefault(crawl.leases.owner, []).extend(leases)

    @precondition(lambda self: any(self.given.get(crawl.leases.owner) for crawl in self.crawls))
    @rule(data=st.data(), way=st.sampled_from(["settle", "retry", "redirect"]))
    def bring_back(self, data: st.DataObject, way: str) -> None:
        """End any lease, even an old one that ran out and may have another holder by now."""
        crawl = data.draw(st.sampled_from([crawl for crawl in self.crawls if self.given.get(crawl.leases.owner)]))
        lease = data.draw(st.sampled_from(self.given[crawl.leases.owner]))
        is_held = self._is_held(lease.url, crawl.leases.owner)
        if way == "settle":
            crawl.leases.settle([Settled(lease, "failed", Reason(ReasonCode.HTTP_STATUS, "404"))])
            done = State(outcome="failed")
        elif way == "retry":
            crawl.leases.retry(lease, self.now + 60, Reason(ReasonCode.HTTP_STATUS, "500"))
            done = State(not_before=self.now + 60)
        else:
            crawl.leases.redirect_in_place(lease, lease.url)
            done = State()
        if is_held:  # else it has another holder or none, and nothing may have changed: see the invariant
            self.model[lease.url] = done

    @rule(who=crawls)
    def renew(self, who: int) -> None:
        crawl = self.crawls[who]
        crawl.leases.renew(self.now)
        for url, state in self.model.items():
            if state.held_by == crawl.leases.owner and self._is_held(url, crawl.leases.owner):
                state.until = self._until(url)
                assert state.until >= self.now + LEASE_SECONDS - 30

    @rule(who=crawls)
    def stop(self, who: int) -> None:
        self.crawls[who].leases.release()
        self._let_go(self.crawls[who].leases.owner)

    @rule(who=crawls, by=crawls)
    def die(self, who: int, by: int) -> None:
        """Kill one crawl and start it again; the next start of any crawl takes its leases back."""
        killed = self.crawls[who]
        self.dead.add(killed.leases.owner)
        killed._database.close()
        self.crawls[who] = Frontier.open(self.path)
        held = sum(self._is_held(url, killed.leases.owner) for url in self.model)
        assert self.crawls[by].leases.reclaim() == held
        self._let_go(killed.leases.owner)

    @rule(seconds=st.sampled_from([1.0, 61.0, LEASE_SECONDS]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    # ------------------------------------------------------------------------------------------------------------------
    # what must hold

    @invariant()
    def nothing_is_lost_or_doubled(self) -> None:
        rows = self.crawls[0]._database.rows("SELECT url, outcome, owner FROM url")
        assert sorted(url for url, _, _ in rows) == sorted(self.model)
        assert sum(self.crawls[0].counts().values()) == len(self.model)
        for url, outcome, owner in rows:
            state = self.model[url]
            assert outcome == state.outcome
            if state.held_by and state.until > self.now:
                assert owner == state.held_by
            else:
                assert owner in ("", state.held_by)  # a lease that ran out is cleared by the next claim

    def _let_go(self, owner: str) -> None:
        for state in self.model.values():
            if state.held_by == owner:
                state.held_by = ""

    def _is_held(self, url: str, owner: str) -> bool:
        return bool(self.crawls[0]._database.rows("SELECT 1 FROM url WHERE url = ? AND owner = ?", url, owner))

    def _until(self, url: str) -> float:
        ((until,),) = self.crawls[0]._database.rows("SELECT lease_until FROM url WHERE url = ?", url)
        return float(until)


@pytest.mark.slow
def test_case_20_in_whatever_order_no_url_is_lost_or_leased_twice() -> None:
    effort = settings(max_examples=80, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(SharedFrontier, settings=effort)
