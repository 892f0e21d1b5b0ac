"""The pause between two requests to one host, by how fast it answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.fetching.politeness import FACTOR, MOST_SECONDS, gap_seconds, mean_answer_seconds

SECONDS = st.floats(0, 1000)


@pytest.mark.parametrize(
    ("least", "answer_seconds", "gap"), [(0.5, 0, 0.5), (0.5, 0.05, 0.5), (0.5, 1, 5), (0.5, 90, 30), (60, 90, 60)]
)
def test_the_gap_is_five_answers_between_a_least_and_a_most(least: float, answer_seconds: float, gap: float) -> None:
    assert gap_seconds(least, answer_seconds) == pytest.approx(gap)


def test_the_mean_grows_when_a_host_slows_and_shrinks_again() -> None:
    mean = mean_answer_seconds(0.0, 0.1, failed=False)
    assert mean == 0.1
    for slow in (2.0, 2.0, 2.0):
        before, mean = mean, mean_answer_seconds(mean, slow, failed=False)
        assert before < mean < slow
    for _ in range(6):
        before, mean = mean, mean_answer_seconds(mean, 0.1, failed=False)
        assert 0.1 < mean < before
    assert mean < 0.15


def test_one_answer_that_hung_is_forgotten_after_a_few() -> None:
    mean = mean_answer_seconds(0.1, 600.0, failed=True)
    for _ in range(6):
        mean = mean_answer_seconds(mean, 0.1, failed=False)
    assert gap_seconds(0.5, mean) < 1


def test_errors_that_come_at_once_make_no_host_faster() -> None:
    assert mean_answer_seconds(2.0, 0.01, failed=True) == 2.0
    assert mean_answer_seconds(2.0, 5.0, failed=True) > 2.0


@given(st.floats(0.001, 60), st.lists(st.tuples(SECONDS, st.booleans()), max_size=20))
def test_the_gap_stays_between_its_bounds(least: float, answers: list[tuple[float, bool]]) -> None:
    mean = 0.0
    for last, failed in answers:
        mean = mean_answer_seconds(mean, last, failed=failed)
        assert 0 <= mean <= MOST_SECONDS / FACTOR
        assert least <= gap_seconds(least, mean) <= max(least, MOST_SECONDS)
