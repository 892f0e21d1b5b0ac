"""Every failure that a crawl can end in, as one tree. Knows nothing of the rest of the package.

CrawlerError
├── SeedError          a first URL that cannot be crawled
├── FrontierError      the frontier's file cannot be read or written
└── FetchFailed        one URL could not be fetched; says whether another try may help
    ├── AddressRefused the host has a private address
    └── RobotsRefused  robots.txt does not allow it

The message says what was wrong; it is printed as it stands. Outside errors are mapped where they arise.
"""


class CrawlerError(Exception):
    """Base of every failure of the crawler."""


class SeedError(CrawlerError):
    """A first URL that cannot be crawled."""


class FrontierError(CrawlerError):
    """The frontier's file cannot be read or written."""


class FetchFailed(CrawlerError):  # noqa: N818 -- named for what happened to the URL, as its callers read it
    """One URL could not be fetched.

    Args:
        reason: the sentence that becomes the URL's reason.
        again: another try may help (network trouble, 5xx, 429).
        wait_seconds: how long the server asked us to wait (Retry-After), None where it did not.
        status: the HTTP status, None where no answer came: then the whole host is in trouble, not this URL alone.
    """

    def __init__(
        self, reason: str, *, again: bool = False, wait_seconds: float | None = None, status: int | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.again = again
        self.wait_seconds = wait_seconds
        self.status = status


class AddressRefused(FetchFailed):
    """The host has a private address, and private addresses are not allowed."""


class RobotsRefused(FetchFailed):
    """robots.txt does not allow the URL, or could not be read."""
