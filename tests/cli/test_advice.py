"""Advice: every hint of the library has a sentence with the command to type."""

import re

import pytest

from imgsearch.cli.advice import ADVICE, with_advice
from imgsearch.errors import CorpusError, Hint, ImgSearchError
from tests.support.cli import parse


@pytest.mark.parametrize("hint", Hint)
def test_every_hint_has_advice_that_follows_the_message(hint: Hint) -> None:
    assert with_advice(ImgSearchError("It failed.", hint=hint)) == f"It failed. {ADVICE[hint]}"


@pytest.mark.parametrize("hint", Hint)
def test_the_commands_of_the_advice_parse(hint: Hint) -> None:
    for line in re.findall(r"imgsearch ([^,()]+)", ADVICE[hint]):
        parse(line.split())


def test_a_failure_without_a_hint_stays_as_it_is() -> None:
    assert with_advice(CorpusError("It failed.")) == "It failed."
