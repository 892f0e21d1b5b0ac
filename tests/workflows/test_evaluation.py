"""Evaluating called as a library function."""

import json
from pathlib import Path

import pytest

from imgsearch.errors import EvaluationError
from imgsearch.paths import IndexPaths
from imgsearch.workflows.evaluation import draw_curve, evaluate, save_quality
from tests.support.index import make_index, smooth_thumbnails

N = 16


@pytest.fixture
def labelled(tmp_path: Path) -> IndexPaths:
    return make_index(tmp_path / "index", smooth_thumbnails(N), ["even", "odd"] * (N // 2))


def test_the_figures_are_kept_beside_the_index_unless_declined(labelled: IndexPaths) -> None:
    measurement = evaluate(labelled, save=False, device="cpu")
    assert not labelled.quality.exists()
    save_quality(measurement, labelled.root)
    kept = json.loads(labelled.quality.read_text(encoding="utf-8"))
    assert kept["rows"] == N
    labelled.quality.unlink()
    evaluate(labelled, max_queries=4, device="cpu")
    assert json.loads(labelled.quality.read_text(encoding="utf-8"))["labelled"]["n_queries"] == 4


def test_queries_come_from_a_folder_named_by_label(labelled: IndexPaths, photographs: Path) -> None:
    with pytest.raises(EvaluationError):  # its labels are colours, which the corpus does not have
        evaluate(labelled, queries=photographs, device="cpu")


def test_without_labels_only_what_needs_them_fails(tmp_path: Path) -> None:
    paths = make_index(tmp_path / "index", smooth_thumbnails(N))
    measurement = evaluate(paths, device="cpu")
    assert measurement.evaluation is None
    assert measurement.distorted.mean["pixel"].top1 > 0
    with pytest.raises(EvaluationError, match="no indexed image has a label"):
        draw_curve(measurement, tmp_path / "curve.png")
    assert not (tmp_path / "curve.png").exists()
    with pytest.raises(EvaluationError):
        evaluate(paths, labels_needed=True, device="cpu")


def test_the_curve_is_drawn_into_a_file(labelled: IndexPaths, tmp_path: Path) -> None:
    draw_curve(evaluate(labelled, device="cpu"), tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
