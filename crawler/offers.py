"""The images among the results of a batch, as they are offered to `keep` and stored."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from crawler.config import FetchedImage
from crawler.fetching.fetch import AGENT, Fetched
from crawler.fetching.sniff import Kind
from crawler.frontier.frontier import Answered
from crawler.parsing.directives import read_directives
from crawler.parsing.robots import RobotsState
from crawler.reasons import Reason
from crawler.records import Host, Lease, Link
from crawler.workers import Result


@dataclass(frozen=True)
class Offer:
    """An image for `keep`, and the lease that brought it."""

    image: FetchedImage
    lease: Lease
    key: str  # of the image's row in the frontier
    inline: bool  # its bytes are part of the leased page


def images_of(result: Result) -> Iterator[Offer]:
    """Yield the fetched image, or the images that are part of the fetched page."""
    lease, fetched = result.job, result.fetched
    if not isinstance(lease, Lease) or lease.kind == "sitemap" or fetched is None or fetched.location:
        return
    if fetched.kind == Kind.IMAGE and not read_directives(fetched.robots_tags, AGENT).no_images:
        image = fetched_image(lease, fetched, result.ended_at)
        yield Offer(image, lease, lease.key, inline=False)
    licence = result.links.licence if result.links is not None else ""
    for found in result.links.inline if result.links is not None else ():
        digest = sha256(found.data).hexdigest()
        url = f"{lease.url}#inline-{digest[:12]}"
        image = FetchedImage(url, lease.url, found.alt, found.data, fetched_at=result.ended_at, licence=licence)
        yield Offer(image, lease, f"inline:{digest}", inline=True)


def fetched_image(lease: Lease, fetched: Fetched, fetched_at: float) -> FetchedImage:
    """Return an answer as `keep` takes it, except for the permission of robots.txt."""
    stated = fetched.content_type.strip()[:100]
    return FetchedImage(
        lease.url,
        lease.parent,
        lease.alt,
        fetched.body,
        stated if stated.isprintable() else "",
        fetched_at=fetched_at,
        etag=fetched.etag,
        last_modified=fetched.last_modified,
        licence=lease.licence,
    )


def robots_permission(host: Host) -> str:
    """Return why a URL of `host` could be fetched, as a phrase."""
    return "robots.txt allows it" if host.robots_state == RobotsState.RULES else "there is no robots.txt"


def answered(number: int, image: FetchedImage) -> Answered:
    """Return the answer that brought `image`, for the row `number`."""
    return Answered(number, image.fetched_at, image.content_type, image.etag, image.last_modified, image.robots)


def inline_link(offer: Offer, outcome: str, reason: Reason | None) -> Link:
    """Return an offered inline image as a link, which is stored with its outcome."""
    image, lease = offer.image, offer.lease
    return Link(
        image.url,
        "image",
        lease.seed,
        image.page_url,
        image.alt,
        lease.depth,
        outcome=outcome,
        reason=reason,
        key=offer.key,
        licence=image.licence,
    )
