"""The report at the end of a crawl."""

import pytest

from crawler.errors import Hint
from crawler.reasons import Reason, ReasonCode
from crawler.report import CrawlProgress, FirstPage, failed_seeds, find_hints, find_problem, summarise_reasons

READ = FirstPage("http://a.example/", "read", None)
REFUSED = FirstPage("http://b.example/", "skipped", Reason(ReasonCode.ROBOTS, "b.example imgsearch"))
WAITING = FirstPage("http://c.example/", "queued", Reason(ReasonCode.HTTP_STATUS, "503"))
PRIVATE = FirstPage("http://d.example/", "failed", Reason(ReasonCode.PRIVATE_ADDRESS, "d.example (10.0.0.1)"))
NOT_FOUND, OFF_SITE = Reason(ReasonCode.HTTP_STATUS, "404 Not Found"), Reason(ReasonCode.OFF_SITE)


def test_reasons_are_counted_together_where_only_the_row_differs() -> None:
    counted = [
        ("duplicate", Reason(ReasonCode.SAME_BYTES, "1"), 1),
        ("duplicate", Reason(ReasonCode.SAME_BYTES, "22"), 2),
        ("failed", NOT_FOUND, 2),
        ("moved", Reason(ReasonCode.REDIRECTED, "http://a.example/"), 1),
    ]
    assert list(summarise_reasons(counted).items()) == [("same bytes as another row", 3), ("answered 404 Not Found", 2)]


def test_many_reasons_stay_few() -> None:
    summary = summarise_reasons([("failed", Reason(ReasonCode.HTTP_STATUS, f"{400 + i}"), 1) for i in range(26)])
    assert len(summary) == 21
    assert summary["other reasons"] == 6


def test_failed_seeds_are_those_that_were_not_read() -> None:
    assert failed_seeds([READ, REFUSED, WAITING]) == (
        "http://b.example/: robots.txt of b.example does not allow imgsearch here",
        "http://c.example/: answered 503",
    )


@pytest.mark.parametrize(
    ("progress", "pages", "counted", "problem"),
    [
        (CrawlProgress(kept=1, pages=1), [READ, REFUSED], [], ""),
        (CrawlProgress(duplicate=1, pages=1), [READ], [], ""),
        (CrawlProgress(), [REFUSED], [], failed_seeds([REFUSED])[0]),
        (CrawlProgress(), [REFUSED, WAITING], [], "; ".join(failed_seeds([REFUSED, WAITING]))),
        (CrawlProgress(pages=2), [READ], [], "no image was found on 2 pages"),
        (CrawlProgress(pages=1, queued=5), [READ], [], ""),
        (
            CrawlProgress(pages=1, failed=2, skipped=1),
            [READ],
            [("failed", NOT_FOUND, 2), ("skipped", OFF_SITE, 1)],
            "no image was kept; most often because: answered 404 Not Found (2 of 3).",
        ),
        (
            CrawlProgress(pages=1, skipped=1),
            [READ],
            [("skipped", OFF_SITE, 1)],
            "no image was kept; most often because: on another host (1 of 1).",
        ),
    ],
)
def test_the_problem_of_a_crawl_that_brought_nothing(
    progress: CrawlProgress, pages: list[FirstPage], counted: list[tuple[str, Reason, int]], problem: str
) -> None:
    assert find_problem(progress, pages, counted) == problem


@pytest.mark.parametrize(
    ("progress", "pages", "counted", "hints"),
    [
        (CrawlProgress(skipped=1), [READ], [("skipped", OFF_SITE, 1)], (Hint.FOLLOW_HOSTS,)),
        (CrawlProgress(kept=1, skipped=1), [READ], [("skipped", OFF_SITE, 1)], ()),
        (CrawlProgress(), [PRIVATE], [], (Hint.ALLOW_PRIVATE,)),
        (CrawlProgress(kept=1, failed=1), [READ], [("failed", PRIVATE.reason, 1)], (Hint.ALLOW_PRIVATE,)),
        (CrawlProgress(failed=2), [READ], [("failed", NOT_FOUND, 2)], ()),
    ],
)
def test_hints_name_what_would_bring_in_more(
    progress: CrawlProgress, pages: list[FirstPage], counted: list[tuple[str, Reason, int]], hints: tuple[Hint, ...]
) -> None:
    assert find_hints(progress, pages, counted) == hints
