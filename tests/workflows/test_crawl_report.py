"""The crawl report: untrusted text is escaped, long crawls stay readable, and a report needs a crawl."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawler.frontier.inspection import ReasonCount
from crawler.reasons import Reason, ReasonCode
from imgsearch.errors import FetchError
from imgsearch.workflows.crawl_report import MAX_BARS, CrawlFacts, draw_crawl_page, write_crawl_page
from imgsearch.workflows.ingest import crawl
from tests.support.html import Elements
from tests.support.loopback_site import Site
from tests.workflows.test_ingest import LOCAL, picture


def test_untrusted_text_is_escaped_in_the_report() -> None:
    evil = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
    facts = CrawlFacts(
        {"kept": 1},
        [ReasonCount("image", "failed", Reason(ReasonCode.BROKEN_OFF, evil), 3, f"http://example.org/{evil}")],
        [(f"http://{evil}", {"kept": 1})],
        [(0, "kept", 1)],
        [(b"\x89PNG", evil)],
        datetime(2026, 1, 1, tzinfo=UTC),
    )
    page = Elements(draw_crawl_page(facts))
    assert "script" not in page.tags
    assert page.handlers == []
    assert page.tags.count("img") == 1


def test_the_chart_has_few_bars_however_long_the_crawl() -> None:
    history = [(minute, "kept", 1) for minute in range(0, 10_000, 3)]
    facts = CrawlFacts({}, [], [], history, [], datetime(2026, 1, 1, tzinfo=UTC))
    html = draw_crawl_page(facts)
    assert 100 <= html.count("<rect") <= MAX_BARS
    heights = [float(text) for text in re.findall(r' height="([\d.]+)" fill', html)]
    assert max(heights) == 160


def test_a_report_is_written_after_a_crawl_only(site: Site, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    with pytest.raises(FetchError, match="nothing was crawled"):
        write_crawl_page(report, tmp_path)
    assert not report.exists()
    picture(site, "/cat.png", 1)
    crawl(site.page("/", '<img src="/cat.png" alt="a cat">'), tmp_path, config=LOCAL)
    write_crawl_page(report, tmp_path)
    html = report.read_text(encoding="utf-8")
    assert "Images: 1 kept" in html
    assert 'alt="a cat"' in html
