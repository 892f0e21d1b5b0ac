"""The outcome of each result (kept, skipped, failed, tried again) and the links that it adds to the frontier.

Here are the rules of scope, depth, redirects and retries.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from crawler.config import CrawlConfig, Keep
from crawler.errors import FetchFailed
from crawler.fetching.fetch import AGENT, MAX_REDIRECTS, Fetched, type_refusal
from crawler.fetching.politeness import gap_seconds, mean_answer_seconds
from crawler.fetching.sniff import Kind
from crawler.frontier.frontier import Answered, Frontier
from crawler.offers import Offer, answered, images_of, inline_link, robots_permission
from crawler.parsing.directives import read_directives
from crawler.parsing.links import PageLinks
from crawler.parsing.robots import (
    ASK_AGAIN_SECONDS,
    FRESH_SECONDS,
    MAX_CRAWL_DELAY_SECONDS,
    RobotsRules,
    RobotsState,
    delay_refusal,
)
from crawler.parsing.sitemaps import Sitemap
from crawler.parsing.urls import MAX_URL_LENGTH, absolute_url, in_scope, site, trap, url_key
from crawler.reasons import Reason, ReasonCode, sentence
from crawler.records import Host, Lease, Link, Settled
from crawler.takedown import refusal_of
from crawler.workers import Result

MAX_BACKOFF_SECONDS = 300.0
HOST_TRIES = 8  # failures to reach a host in a row (the later ones 5 minutes apart) before its URLs fail


Judged = dict[str, tuple[Offer, str, Reason | None]]  # key of an image -> its offer, outcome and reason


@dataclass
class BatchWrites:
    """The links and outcomes of one batch, for two statements."""

    links: list[Link] = field(default_factory=list)
    settled: list[Settled] = field(default_factory=list)

    def settle(self, lease: Lease, outcome: str, reason: Reason | None = None, kind: str = "") -> None:
        self.settled.append(Settled(lease, outcome, reason, kind))


class Outcomes:
    """Settles results, batch by batch. `notes` collects sentences for the user, in order and each once."""

    def __init__(self, frontier: Frontier, config: CrawlConfig, seeds: Sequence[str], keep: Keep) -> None:
        self._frontier = frontier
        self._config = config
        self._seeds = seeds
        self._keep = keep
        self._sites = frontier.sites(seeds)
        self._takedowns = frontier.takedowns.all()
        self._in_trouble: set[str] = set()
        self._kept_before = frontier.counts(seeds)["kept"]
        self.kept_now = 0
        self.notes: dict[str, None] = {}  # an ordered set

    @property
    def room(self) -> int | None:
        """Number of images that may still be kept; None where there is no limit."""
        limit = self._config.max_images
        return None if limit is None else max(0, limit - self._kept_before - self.kept_now)

    def settle(self, results: Sequence[Result], now: float) -> None:
        """Pass the images among `results` to `keep`, then store all outcomes and links in one transaction.

        Images beyond the limit stay leased until all leases are given back at the end.

        Raises:
            FrontierError: nothing was stored.
            Exception: whatever `keep` raises.
        """
        self._takedowns = self._frontier.takedowns.all()  # another process may have added one
        offers = list(self._offers(results))
        verdicts = self._keep_while_room(offers)
        left_over = {offer.lease for offer in offers[len(verdicts) :]}
        judged = {offer.key: (offer, *verdict) for offer, verdict in zip(offers, verdicts, strict=False)}
        with self._frontier.transaction():
            written = BatchWrites([inline_link(*answer) for answer in judged.values() if answer[0].inline])
            for result in results:
                if isinstance(result.job, Host):
                    self._write_robots(result, result.job, now)
                elif result.job not in left_over:
                    self._write(written, result, result.job, judged, now)
            self._frontier.add(written.links)
            self._frontier.leases.settle(written.settled)
            self._frontier.note_answers(self._answers(offers[: len(verdicts)]))
            self._frontier.note_history(now, written.settled)
            self._write_pace(results)

    # ------------------------------------------------------------------------
    # images for keep

    def _offers(self, results: Iterable[Result]) -> Iterator[Offer]:
        offered: set[str] = set()
        permissions: dict[str, str] = {}  # host -> what its robots.txt allows, as a phrase
        for result in results:
            for offer in images_of(result):
                is_new = offer.key not in offered
                if is_new and not (offer.inline and self._frontier.knows_image(offer.key)):
                    offered.add(offer.key)
                    host = offer.lease.host
                    if host not in permissions:  # read once per batch: the row holds the whole robots.txt
                        permissions[host] = robots_permission(self._frontier.hosts.get(host))
                    yield replace(offer, image=replace(offer.image, robots=permissions[host]))

    def _answers(self, offers: Iterable[Offer]) -> list[Answered]:
        """The headers to store of the answers that brought images."""
        return [answered(offer.lease.number, offer.image) for offer in offers if not offer.inline]

    def _keep_while_room(self, offers: Sequence[Offer]) -> list[tuple[str, Reason | None]]:
        """(outcome, reason) of the first offers, until no more may be kept."""
        verdicts: list[tuple[str, Reason | None]] = []
        while len(verdicts) < len(offers):
            room = self.room
            if room == 0:
                break
            batch = offers[len(verdicts) :][:room]
            answers = self._keep([offer.image for offer in batch])
            verdicts += [(str(a.verdict), a.reason) for _, a in zip(batch, answers, strict=True)]
            self.kept_now += sum(answer.verdict == "kept" for answer in answers)
        return verdicts

    # ------------------------------------------------------------------------
    # one result

    def _write_pace(self, results: Iterable[Result]) -> None:
        # With a pause between requests, a host has one in flight, and so one result in a batch.
        for host, result in {result.host: result for result in results}.items():
            if gap := self._gap(self._frontier.hosts.get(host), result):
                self._frontier.hosts.pace(host, result.ended_at + gap)

    def _gap(self, host: Host, result: Result) -> float:
        """Seconds to pause for `host` after `result`; without a configured delay, its Crawl-delay alone."""
        if not self._config.delay_seconds:
            return host.delay
        answer_seconds = host.answer_seconds
        failure = result.failure
        if isinstance(result.job, Lease) and (failure is None or failure.again):
            answer_seconds = mean_answer_seconds(answer_seconds, result.answer_seconds, failed=failure is not None)
            self._frontier.hosts.set_answer_seconds(host.host, answer_seconds)
        return gap_seconds(max(self._config.delay_seconds, host.delay), answer_seconds)

    def _write(self, written: BatchWrites, result: Result, lease: Lease, judged: Judged, now: float) -> None:
        if result.failure is not None:
            self._write_failure(written, lease, result.failure, now)
            return
        self._note_reached(result.host)
        fetched = result.fetched
        assert fetched is not None
        if fetched.location:
            self._write_redirect(written, lease, fetched.location)
        elif result.sitemap is not None:
            links = list(self._links_of_sitemap(lease, result.sitemap))
            written.links += links
            if links:
                written.settle(lease, "read", result.sitemap.trouble)
            else:
                written.settle(lease, "skipped", result.sitemap.trouble or Reason(ReasonCode.SITEMAP_EMPTY))
        elif result.links is not None:
            written.links += self._links_of(lease, result.links)
            written.settle(lease, "read", Reason.left_out(result.links.dropped))
        elif fetched.kind == Kind.IMAGE:
            _write_image(written, lease, fetched, judged)
        elif fetched.kind == Kind.PAGE:
            written.settle(lease, "skipped", Reason(ReasonCode.A_PAGE))
        else:
            written.settle(lease, "skipped", type_refusal(fetched.content_type))

    def _links_of(self, lease: Lease, found: PageLinks) -> Iterator[Link]:
        for url, (kind, reason) in found.refused.items():
            depth = lease.depth + (kind == "page")
            yield _in_part(Link(url, kind, lease.seed, lease.url, depth=depth, outcome="skipped", reason=reason))
        if lease.depth == 0 and self._config.sitemaps:
            yield from self._sitemaps_of(lease)
        for image in found.images:
            yield self._judged(
                Link(image.url, "image", lease.seed, lease.url, image.alt, lease.depth, licence=found.licence)
            )
        for url in found.pages:
            yield self._judged(Link(url, "page", lease.seed, lease.url, depth=lease.depth + 1))

    def _sitemaps_of(self, lease: Lease) -> Iterator[Link]:
        """The sitemaps of the host of a seed: those listed in robots.txt, and the usual place."""
        rules = RobotsRules(self._frontier.hosts.get(lease.host).robots, AGENT)
        robots_url = f"{lease.host}/robots.txt"
        for reference in (*rules.sitemaps, "/sitemap.xml"):
            url = absolute_url(robots_url, reference)
            if url is not None:
                yield self._judged(Link(url, "sitemap", lease.seed, robots_url, depth=1))

    def _links_of_sitemap(self, lease: Lease, found: Sitemap) -> Iterator[Link]:
        """Links of a sitemap: one link away from the seed, as if the seed itself had them."""
        seed = lease.seed
        for image in found.images:
            yield self._judged(Link(image.url, "image", seed, image.page_url, image.alt, 1, licence=image.licence))
        for url in found.pages:
            yield self._judged(Link(url, "page", seed, lease.url, depth=1))
        for url in found.sitemaps:
            link = self._judged(Link(url, "sitemap", seed, lease.url, depth=1, hops=lease.hops + 1))
            if link.hops > MAX_REDIRECTS and link.outcome == "queued":
                link = replace(link, outcome="skipped", reason=Reason(ReasonCode.SITEMAP_TOO_DEEP, str(MAX_REDIRECTS)))
            yield link

    def _judged(self, link: Link) -> Link:
        """`link`, skipped where a takedown, scope, depth or its shape forbids it."""
        reason = trap(link.url) or refusal_of(self._takedowns, link.url)
        if not reason and not (self._config.follow_hosts or in_scope(link.url, self._sites)):
            reason = Reason(ReasonCode.OFF_SITE)
        if not reason and link.depth > self._config.depth:
            reason = Reason(ReasonCode.TOO_DEEP)
        return _in_part(replace(link, outcome="skipped", reason=reason)) if reason else link

    def _write_redirect(self, written: BatchWrites, lease: Lease, location: str) -> None:
        if lease.hops >= MAX_REDIRECTS:
            written.settle(lease, "failed", Reason(ReasonCode.REDIRECTS_TOO_OFTEN, str(MAX_REDIRECTS)))
        elif location == lease.url:
            written.settle(lease, "failed", Reason(ReasonCode.REDIRECTS_TO_ITSELF))
        elif url_key(location) == lease.key:
            self._frontier.leases.redirect_in_place(lease, location)
        else:
            if lease.kind == "page" and lease.depth == 0:
                # The seed may have moved to another host: example.org to www.example.net.
                self._frontier.widen_scope(lease.seed, site(location))
                self._sites.add(site(location))
            target = Link(location, lease.kind, lease.seed, lease.parent, lease.alt, lease.depth, lease.hops + 1)
            if self._leads_back(target, lease):
                written.settle(lease, "failed", Reason(ReasonCode.REDIRECTS_IN_A_CIRCLE))
                return
            written.links.append(self._judged(replace(target, licence=lease.licence)))
            # At once, not with the batch: the other half of a circle may be in the same batch.
            self._frontier.leases.settle([Settled(lease, "moved", Reason(ReasonCode.REDIRECTED, location))])

    def _leads_back(self, target: Link, lease: Lease) -> bool:
        """Whether known redirects lead from `target` to the URL of `lease`."""
        for _ in range(MAX_REDIRECTS):
            if (target.key or url_key(target.url)) == lease.key:
                return True
            location = self._frontier.redirect_target(target)
            if not location:
                return False
            target = replace(target, url=location, key="")
        return False

    def _write_failure(self, written: BatchWrites, lease: Lease, failure: FetchFailed, now: float) -> None:
        if failure.status is None and not failure.again:  # a private address: nothing of this host can be fetched
            written.settle(lease, "failed", failure.reason)
            self._frontier.hosts.settle(lease.host, "failed", failure.reason)
            return
        wait = failure.wait_seconds
        if failure.status is None:
            fails = self._note_trouble(lease.host, failure.reason)
            self._frontier.hosts.pace(lease.host, now + self._backoff(fails))
        elif failure.status in (429, 503):  # about the host, not this URL alone
            self._frontier.hosts.pace(lease.host, now + (self._backoff(1) if wait is None else wait))
        if failure.again and lease.tries + 1 < self._config.tries:
            wait = max(wait or 0.0, self._backoff(lease.tries + 1))  # also after "Retry-After: 0"
            self._frontier.leases.retry(lease, now + wait, failure.reason)
        else:
            written.settle(lease, "failed", failure.reason)

    # ------------------------------------------------------------------------
    # hosts

    def _write_robots(self, result: Result, host: Host, now: float) -> None:
        answer, failure = result.robots, result.failure
        if answer is not None and answer.state != RobotsState.UNAVAILABLE:
            self._note_reached(host.host)
            delay = RobotsRules(answer.text, AGENT).crawl_delay_seconds
            if delay > MAX_CRAWL_DELAY_SECONDS:
                self._note(f"{sentence(delay_refusal(host.host, delay))}: nothing of it is fetched")
                delay = 0.0  # there is nothing to wait for
            self._frontier.hosts.set_robots(host.host, answer.state, now + FRESH_SECONDS, text=answer.text, delay=delay)
            self._frontier.hosts.pace(host.host, result.ended_at + delay)
            return
        reason = failure.reason if failure is not None else answer.reason if answer is not None else None
        fails = self._note_trouble(host.host, reason)
        if fails >= HOST_TRIES or (failure is not None and not failure.again):
            self._frontier.hosts.set_robots(host.host, RobotsState.UNKNOWN, 0.0)
            self._frontier.hosts.settle(host.host, "failed", reason)
            return
        # After silence another try follows soon, twice; an error status is an answer (RFC 9309 2.3.1.4).
        soon = failure is not None and fails < self._config.tries - 1
        wait = self._backoff(fails) if soon else ASK_AGAIN_SECONDS
        self._frontier.hosts.set_robots(host.host, RobotsState.UNAVAILABLE, now + wait)
        self._frontier.hosts.pace(host.host, now + wait)

    def _note_trouble(self, host: str, reason: Reason | None) -> int:
        self._in_trouble.add(host)
        return self._frontier.hosts.note_trouble(host, reason)

    def _note_reached(self, host: str) -> None:
        if host in self._in_trouble:
            self._in_trouble.discard(host)
            self._frontier.hosts.note_trouble(host, None)

    def _note(self, sentence: str) -> None:
        self.notes[sentence] = None

    def _backoff(self, tries: int) -> float:
        """Seconds to wait after this many failures: doubled each time, capped, with jitter."""
        return min(self._config.backoff_seconds * 2.0 ** (tries - 1), MAX_BACKOFF_SECONDS) * random.uniform(0.75, 1.25)


def _write_image(written: BatchWrites, lease: Lease, fetched: Fetched, judged: Judged) -> None:
    if refused := read_directives(fetched.robots_tags, AGENT).no_images:
        written.settle(lease, "skipped", Reason(ReasonCode.HEADER_DIRECTIVE, refused), kind="image")
        return
    if lease.key not in judged:
        return  # the same image as one beyond the limit: both stay leased
    offer, outcome, reason = judged[lease.key]
    if lease.kind == "image" or offer.lease == lease:
        written.settle(lease, outcome, reason, kind="image")
    else:
        written.settle(lease, "moved", Reason(ReasonCode.KNOWN_AS_IMAGE))


def _in_part(link: Link) -> Link:
    """`link` as it is stored: an overlong URL is cut, under the key of the whole URL."""
    if len(link.url) <= MAX_URL_LENGTH:
        return link
    return replace(link, url=link.url[:MAX_URL_LENGTH], key=url_key(link.url))
