"""The exceptions of the crawler, as one tree.

CrawlerError
├── SeedError          a first URL that cannot be crawled
├── FrontierError      the frontier's file cannot be read or written
└── FetchFailed        one URL could not be fetched; another try may help or not
    ├── AddressRefused the host has a private address
    └── RobotsRefused  robots.txt does not allow it

A message says what was wrong and names no command and no option; what would mend it is a `Hint`, which a user interface
turns into advice of its own. Exceptions of other libraries are mapped where they arise, with `raise ... from`.
"""

from enum import StrEnum

from crawler.reasons import Reason, sentence


class Hint(StrEnum):
    """A change that would resolve a failure, or bring in more images."""

    ALLOW_PRIVATE = "allow_private"  # `CrawlConfig.allow_private`
    FOLLOW_HOSTS = "follow_hosts"  # `CrawlConfig.follow_hosts`
    INSTALL_PARQUET = "install_parquet"  # the optional dependency pyarrow


class CrawlerError(Exception):
    """Base of every failure of the crawler.

    Args:
        message: what was wrong, to be printed as it stands.
        hint: what would mend it, where one thing would.
    """

    def __init__(self, message: str, *, hint: Hint | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class SeedError(CrawlerError):
    """A first URL that cannot be crawled."""


class FrontierError(CrawlerError):
    """The frontier's file cannot be read or written."""


class FetchFailed(CrawlerError):  # noqa: N818 -- named for what happened to the URL, as its callers read it
    """One URL could not be fetched.

    Args:
        reason: the reason of the URL's outcome.
        message: for readers who do not see the URL beside it; the sentence of the reason where empty.
        again: another try may help (network trouble, 5xx, 429).
        wait_seconds: how long the server asked us to wait (Retry-After), None where it did not.
        status: the HTTP status, None where no answer came: then the whole host is in trouble, not this URL alone.
        hint: what would mend it.
    """

    def __init__(
        self,
        reason: Reason,
        message: str = "",
        *,
        again: bool = False,
        wait_seconds: float | None = None,
        status: int | None = None,
        hint: Hint | None = None,
    ) -> None:
        super().__init__(message or sentence(reason), hint=hint)
        self.reason = reason
        self.again = again
        self.wait_seconds = wait_seconds
        self.status = status


class AddressRefused(FetchFailed):
    """The host has a private address, and private addresses are not allowed."""


class RobotsRefused(FetchFailed):
    """robots.txt does not allow the URL, or could not be read."""
