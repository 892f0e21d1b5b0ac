"""Figures as tables and sentences."""

from dataclasses import replace

import pytest

from imgsearch.findings import findings_json, say_measurement
from imgsearch.retrieval.evaluate import FIGURES, Curve, Evaluation
from imgsearch.retrieval.measure import Measurement
from imgsearch.retrieval.quality import Quality

FIGURES_OF = {"pixel": dict.fromkeys(FIGURES, 0.25), "code": dict.fromkeys(FIGURES, 0.5)}
EVALUATION = Evaluation(
    n_database=900,
    n_labelled=900,
    n_queries=80,
    n_twins=0,
    n_near_twins=0,
    ap_formula="AP is so and so",
    titles={"pixel": "raw pixels", "code": "code"},
    methods=FIGURES_OF,
    without_near_twins=FIGURES_OF,
    curve=Curve((1, 899), 80, {"pixel": (0.2, 0.1), "code": (0.5, 0.1)}),
)


def printed(capsys: pytest.CaptureFixture[str], evaluation: Evaluation | None, why_not: str = "") -> list[str]:
    labelled = evaluation.to_json() if evaluation else None
    say_measurement(Measurement(Quality("abc", 900, "now", labelled), evaluation, why_not))
    return capsys.readouterr().out.splitlines()


def test_the_table_has_a_line_for_each_method(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, EVALUATION)
    assert lines[0].split("\t") == ["method", *FIGURES, "nearest by"]
    assert lines[1].split("\t") == ["pixel", *["0.250"] * 5, "raw pixels"]
    assert lines[2].split("\t") == ["code", *["0.500"] * 5, "code"]
    assert lines[3] == "80 queries over 900 images. AP is so and so."
    assert "random order with a fixed seed" in lines[4]
    assert len(lines) == 5


def test_samples_and_twins_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, replace(EVALUATION, n_labelled=60_000, n_twins=3, n_near_twins=7))
    assert lines[3].startswith("80 queries over 900 images (drawn from 60,000).")
    assert lines[5] == "not asked, because the same thumbnail is in the database: 3"
    assert lines[6].endswith("in the database: 7; p@10 of the others alone: pixel 0.250, code 0.500")
    all_near = replace(EVALUATION, n_near_twins=80, without_near_twins=None)
    assert printed(capsys, all_near)[5].endswith("in the database: 80, that is all of them")


def test_what_could_not_be_measured_is_said_beside_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    say_measurement(Measurement(Quality("abc", 900, "now"), None, "there are no labels"))
    assert capsys.readouterr().err == "nothing measured by labels: there are no labels\n"


def test_json_has_the_labelled_figures_at_the_top() -> None:
    quality = Quality("abc", 900, "now", EVALUATION.to_json())
    told = findings_json(Measurement(quality, EVALUATION, ""))
    assert told["methods"]["code"]["p@10"] == 0.5
    assert (told["model"], told["rows"], told["distorted"]) == ("abc", 900, None)
    unlabelled = findings_json(Measurement(Quality("abc", 900, "now"), None, "no labels"))
    assert set(unlabelled) == {"model", "rows", "made_at", "distorted", "cutoff"}
