"""What a crawl says of itself at its end."""

import pytest

from crawler.records import OFF_SITE
from crawler.report import CrawlProgress, FirstPage, failed_seeds, find_problem, summarise_reasons

READ = FirstPage("http://a.example/", "read", "")
REFUSED = FirstPage("http://b.example/", "skipped", "robots.txt of b.example does not allow imgsearch here")
WAITING = FirstPage("http://c.example/", "queued", "answered 503")


def test_reasons_are_counted_together_where_only_the_row_differs() -> None:
    counted = [
        ("duplicate", "same bytes as row 1", 1),
        ("duplicate", "same bytes as row 22", 2),
        ("failed", "answered 404 Not Found", 2),
        ("kept", "", 9),
        ("moved", "redirects to http://a.example/", 1),
    ]
    assert list(summarise_reasons(counted).items()) == [("same bytes as another row", 3), ("answered 404 Not Found", 2)]


def test_many_reasons_stay_few() -> None:
    summary = summarise_reasons([("failed", f"reason {chr(65 + i)}", 1) for i in range(26)])
    assert len(summary) == 21
    assert summary["other reasons"] == 6


def test_failed_seeds_are_those_that_were_not_read() -> None:
    assert failed_seeds([READ, REFUSED, WAITING]) == (
        "http://b.example/: robots.txt of b.example does not allow imgsearch here",
        "http://c.example/: answered 503",
    )


@pytest.mark.parametrize(
    ("progress", "pages", "reasons", "problem"),
    [
        (CrawlProgress(kept=1, pages=1), [READ, REFUSED], {}, ""),
        (CrawlProgress(duplicate=1, pages=1), [READ], {}, ""),
        (CrawlProgress(), [REFUSED], {}, failed_seeds([REFUSED])[0]),
        (CrawlProgress(), [REFUSED, WAITING], {}, "; ".join(failed_seeds([REFUSED, WAITING]))),
        (CrawlProgress(pages=2), [READ], {}, "no image was found on 2 pages"),
        (CrawlProgress(pages=1, queued=5), [READ], {}, ""),
        (
            CrawlProgress(pages=1, failed=2, skipped=1),
            [READ],
            {"answered 404 Not Found": 2, OFF_SITE: 1},
            "no image was kept; most often because: answered 404 Not Found (2 of 3).",
        ),
        (
            CrawlProgress(pages=1, skipped=1),
            [READ],
            {OFF_SITE: 1},
            "no image was kept; most often because: on another host (1 of 1)."
            " Use --follow-hosts to take images and pages of other hosts.",
        ),
    ],
)
def test_the_problem_of_a_crawl_that_brought_nothing(
    progress: CrawlProgress, pages: list[FirstPage], reasons: dict[str, int], problem: str
) -> None:
    assert find_problem(progress, pages, reasons) == problem
