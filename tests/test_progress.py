"""Progress of a part of larger work: shares of the whole, and a default text."""

import pytest

from imgsearch.progress import part_of, silent
from tests.support.progress import RecordedProgress


def test_a_part_is_scaled_to_its_share_of_the_whole() -> None:
    whole = RecordedProgress()
    report = part_of(whole, 0.5, 0.75, "encoding")
    for done in (0, 5, 10):
        report(done, 10)
    assert whole.calls == [(0.5, 1, "encoding"), (0.625, 1, "encoding"), (0.75, 1, "encoding")]


def test_the_innermost_text_is_shown() -> None:
    whole = RecordedProgress()
    outer = part_of(whole, 0, 0.5, "outer")
    part_of(outer, 0.5, 1)(1, 2)
    part_of(outer, 0.5, 1, "inner")(1, 2)
    part_of(outer, 0.5, 1, "inner")(1, 2, "own")
    assert whole.calls == [(0.375, 1, "outer"), (0.375, 1, "inner"), (0.375, 1, "own")]


@pytest.mark.parametrize("total", [None, 0])
def test_a_part_of_unknown_length_stays_at_its_beginning(total: float | None) -> None:
    whole = RecordedProgress()
    part_of(whole, 0.25, 0.5)(3, total, "reading")
    assert whole.calls == [(0.25, 1, "reading")]


def test_silence_takes_every_call() -> None:
    silent(1, None)
    part_of(silent, 0, 1)(1, 2, "text")
