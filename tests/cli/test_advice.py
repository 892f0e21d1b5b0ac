"""Advice: every hint of the library and of the crawler has a sentence with the command to type."""

import re

import pytest

from crawler.errors import CrawlerError
from crawler.errors import Hint as CrawlerHint
from crawler.reasons import Reason as CrawlReason
from crawler.reasons import ReasonCode as CrawlCode
from imgsearch.cli.advice import ADVICE, reason_with_advice, with_advice
from imgsearch.corpus.reasons import Reason, ReasonCode
from imgsearch.errors import CorpusError, Hint, ImgSearchError
from tests.support.cli import parse


@pytest.mark.parametrize("hint", Hint)
def test_every_hint_has_advice_that_follows_the_message(hint: Hint) -> None:
    assert with_advice(ImgSearchError("It failed.", hint=hint)) == f"It failed. {ADVICE[hint]}"


@pytest.mark.parametrize("hint", CrawlerHint)
def test_every_hint_of_the_crawler_has_advice(hint: CrawlerHint) -> None:
    assert with_advice(CrawlerError("It failed.", hint=hint)) == f"It failed. {ADVICE[hint]}"


def test_an_image_that_was_removed_earlier_comes_with_the_way_to_restore_it() -> None:
    advised = "removed earlier (row 3); imgsearch remove --undo row:3 brings it back"
    assert reason_with_advice(Reason(ReasonCode.REMOVED_EARLIER, "3")) == advised
    assert reason_with_advice(CrawlReason(CrawlCode.REMOVED_EARLIER, "3")) == advised
    assert reason_with_advice(Reason(ReasonCode.EMPTY)) == "empty: there are no bytes"


@pytest.mark.parametrize("hint", Hint)
def test_the_commands_of_the_advice_parse(hint: Hint) -> None:
    for line in re.findall(r"imgsearch ([^,()]+)", ADVICE[hint]):
        parse(line.split())


def test_a_failure_without_a_hint_stays_as_it_is() -> None:
    assert with_advice(CorpusError("It failed.")) == "It failed."
