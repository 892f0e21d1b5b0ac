"""The output of `evaluate`: tables, sentences and JSON."""

from dataclasses import replace

import pytest

from imgsearch.cli.evaluation_output import findings_json, say_measurement
from imgsearch.errors import EvaluationError, Hint
from imgsearch.retrieval.evaluation.evaluate import SCORE_NAMES, Curve, Evaluation
from imgsearch.retrieval.evaluation.false_matches import FalseMatches, MatchRates
from imgsearch.retrieval.evaluation.report import Measurement, Quality
from imgsearch.retrieval.evaluation.robustness import DistortedRecall, Recall

SCORES = {"pixel": dict.fromkeys(SCORE_NAMES, 0.25), "code": dict.fromkeys(SCORE_NAMES, 0.5)}
EVALUATION = Evaluation(
    n_database=900,
    n_labelled=900,
    n_possible_queries=80,
    n_queries=80,
    n_duplicates=0,
    n_near_duplicates=0,
    ap_formula="AP is so and so",
    titles={"pixel": "raw pixels", "code": "code"},
    methods=SCORES,
    without_near_duplicates=SCORES,
    curve=Curve((1, 899), 80, {"pixel": (0.2, 0.1), "code": (0.5, 0.1)}),
)


DISTORTED = DistortedRecall(
    n_rows=70,
    n_database=1_900,
    distortions=("crop", "text"),
    recall={"code": {"crop": Recall(0.875, 0.9), "text": Recall(0.625, 0.8)}},
    mean={"code": Recall(0.75, 0.85)},
)
RATES = MatchRates(
    same=0.1, close=0.3, match=0.81, false_match=0.125, false_same=0.01, right_if_good=0.8, right_if_weak=0.3
)


def measured(
    evaluation: Evaluation | None, why_not: EvaluationError | None = None, false_matches: FalseMatches | None = None
) -> Measurement:
    labelled = evaluation.to_json() if evaluation else None
    quality = Quality("abc", 900, "now", labelled, DISTORTED.to_json())
    return Measurement(quality, DISTORTED, evaluation, false_matches, why_not)


def printed(capsys: pytest.CaptureFixture[str], evaluation: Evaluation) -> list[str]:
    """The lines on the evaluation; those on the copies come after them."""
    say_measurement(measured(evaluation))
    lines = capsys.readouterr().out.splitlines()
    return lines[: next(number for number, line in enumerate(lines) if line.startswith("method\tcrop"))]


def test_the_table_has_a_line_for_each_method(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, EVALUATION)
    assert lines[0].split("\t") == ["method", *SCORE_NAMES, "nearest by"]
    assert lines[1].split("\t") == ["pixel", *["0.250"] * 5, "raw pixels"]
    assert lines[2].split("\t") == ["code", *["0.500"] * 5, "code"]
    assert lines[3] == "80 queries over 900 images. AP is so and so."
    assert "random order with a fixed seed" in lines[4]
    assert len(lines) == 5


def test_samples_and_duplicates_are_reported(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(
        capsys, replace(EVALUATION, n_labelled=60_000, n_possible_queries=90, n_duplicates=3, n_near_duplicates=7)
    )
    assert lines[3].startswith("80 queries (drawn from 90) over 900 images (drawn from 60,000).")
    assert lines[5] == "not used as queries, because the same thumbnail is in the database: 3"
    assert lines[6].endswith("in the database: 7; p@10 of the others alone: pixel 0.250, code 0.500")
    all_near = replace(EVALUATION, n_near_duplicates=80, without_near_duplicates=None)
    assert printed(capsys, all_near)[5].endswith("in the database: 80, which are all of them")


def test_the_reason_why_nothing_was_measured_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    say_measurement(measured(None, EvaluationError("There are no labels.", hint=Hint.INDEX_LABELLED_IMAGES)))
    said = capsys.readouterr()
    assert said.err.startswith("nothing measured by labels: There are no labels. Label images by their folders")
    assert said.out.startswith("method\tcrop")


def test_copies_have_a_table_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    say_measurement(measured(None))
    table, line, sentence = capsys.readouterr().out.splitlines()
    assert table.split("\t") == ["method", "crop", "text", "mean", "mean top 10"]
    assert line.split("\t") == ["code", "0.875", "0.625", "0.750", "0.850"]
    assert sentence.startswith(
        "70 images, each distorted in 2 ways, as queries among 1,900: how often the original came first"
    )


def test_the_cutoff_is_reported_with_its_false_matches(capsys: pytest.CaptureFixture[str]) -> None:
    say_measurement(measured(EVALUATION, false_matches=FalseMatches(80, 900, 10, {"code": RATES})))
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("good match by code")]
    assert "81.0% of 80 queries whose label is in the database" in line
    assert "12.5% of the same queries when their label is left out" in line


def test_json_has_the_labelled_figures_at_the_top() -> None:
    told = findings_json(measured(EVALUATION))
    assert told["methods"]["code"]["p@10"] == 0.5
    assert (told["model"], told["rows"], told["distorted"]["mean"]["code"]["top1"]) == ("abc", 900, 0.75)
    unlabelled = findings_json(measured(None, EvaluationError("no labels")))
    assert set(unlabelled) == {"model", "rows", "made_at", "distorted", "cutoff"}
