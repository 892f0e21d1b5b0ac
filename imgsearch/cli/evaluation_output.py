"""Output of the command `evaluate`: tables and sentences."""

from typing import Any

from imgsearch.cli.advice import with_advice
from imgsearch.cli.output import note, say, say_table
from imgsearch.retrieval.evaluation.evaluate import SCORE_NAMES, Evaluation
from imgsearch.retrieval.evaluation.false_matches import FalseMatches
from imgsearch.retrieval.evaluation.report import Measurement
from imgsearch.retrieval.evaluation.robustness import MOST_ROWS, DistortedRecall


def findings_json(measurement: Measurement) -> dict[str, Any]:
    """Return all figures; those measured by labels, if any, are at the top level."""
    whole = measurement.quality.to_json()
    return (whole.pop("labelled") or {}) | whole


def say_measurement(measurement: Measurement) -> None:
    """Print every part that was measured, or the reason why it was not."""
    if measurement.why_not is not None:
        note(f"nothing measured by labels: {with_advice(measurement.why_not)}")
    if measurement.evaluation is not None:
        _say_evaluation(measurement.evaluation)
    if measurement.false_matches is not None:
        _say_false_matches(measurement.false_matches)
    _say_distorted(measurement.distorted, measurement.quality.rows)


def _say_evaluation(evaluation: Evaluation) -> None:
    lines = [
        (name, *(f"{figures[figure]:.3f}" for figure in SCORE_NAMES), evaluation.titles[name])
        for name, figures in evaluation.methods.items()
    ]
    say_table(("method", *SCORE_NAMES, "nearest by"), lines)
    n_drawn = evaluation.n_queries + evaluation.n_duplicates
    queries = f"{evaluation.n_queries:,} queries{_drawn(n_drawn, evaluation.n_possible_queries)}"
    images = f"{evaluation.n_database:,} images{_drawn(evaluation.n_database, evaluation.n_labelled)}"
    say(f"{queries} over {images}. {evaluation.ap_formula}.")
    say("Equal Hamming distances are in random order with a fixed seed, all others in order of their rows.")
    if evaluation.n_duplicates:
        say(f"not used as queries, because the same thumbnail is in the database: {evaluation.n_duplicates:,}")
    if evaluation.n_near_duplicates:
        near = f"{evaluation.n_near_duplicates:,}{_without(evaluation)}"
        say(f"queries with a near-duplicate in the database: {near}")


def _drawn(n: int, available: int) -> str:
    return f" (drawn from {available:,})" if available > n else ""


def _without(evaluation: Evaluation) -> str:
    if evaluation.without_near_duplicates is None:
        return ", which are all of them"
    p10 = ", ".join(f"{name} {figures['p@10']:.3f}" for name, figures in evaluation.without_near_duplicates.items())
    return f"; p@10 of the others alone: {p10}"


def _say_false_matches(found: FalseMatches) -> None:
    for name, rates in found.methods.items():
        say(
            f"good match by {name}: {rates.match:.1%} of {found.n_queries:,} queries whose label is in the database, "
            f"and {rates.false_match:.1%} of the same queries when their label is left out"
        )


def _say_distorted(found: DistortedRecall, rows: int) -> None:
    lines = [
        (
            name,
            *(f"{found.recall[name][distortion].top1:.3f}" for distortion in found.distortions),
            f"{mean.top1:.3f}",
            f"{mean.top10:.3f}",
        )
        for name, mean in found.mean.items()
    ]
    say_table(("method", *found.distortions, "mean", "mean top 10"), lines)
    say(
        f"{found.n_rows:,} images, each distorted in {len(found.distortions)} ways, as queries among "
        f"{found.n_database:,}{_drawn(found.n_database, rows) if found.n_database == MOST_ROWS else ''}: "
        "how often the original came first. Ties count as often as the original would win them on average."
    )
