"""Advice on the page: every hint of the library has a sentence, followed by its commands."""

import pytest

from imgsearch.errors import CorpusError, Hint, ModelError
from imgsearch.web.advice import ADVICE, advice


@pytest.mark.parametrize("hint", Hint)
def test_every_hint_has_advice(hint: Hint) -> None:
    assert advice(ModelError("It failed.", hint=hint)) is ADVICE[hint]
    assert ADVICE[hint].sentence.endswith((".", ":"))
    assert ADVICE[hint].sentence.endswith(":") == bool(ADVICE[hint].commands)


def test_an_error_without_a_hint_has_no_advice() -> None:
    assert advice(CorpusError("It failed.")) is None
    assert advice(ValueError("It failed.")) is None
