"""All that one corpus allows to measure."""

from pathlib import Path

import pytest

from imgsearch.corpus.ingest import LabelledImages
from imgsearch.errors import EvaluationError
from imgsearch.retrieval.evaluation.evaluate import evaluate
from imgsearch.retrieval.evaluation.measure import measure
from imgsearch.retrieval.evaluation.methods import EVALUATED
from imgsearch.retrieval.evaluation.quality import read_quality, write_quality
from imgsearch.retrieval.search.searcher import Searcher
from imgsearch.retrieval.search.thresholds import CUTOFF_FILE, Cutoff, Cutoffs, write_cutoff
from tests.support.index import make_index, smooth_thumbnails
from tests.support.progress import RecordedProgress

N = 24
LABELS = ["ant", "bee"] * (N // 2)


def test_what_is_measured_by_labels_is_what_evaluate_says(tmp_path: Path) -> None:
    paths = make_index(tmp_path, smooth_thumbnails(N), LABELS)
    (paths.search / CUTOFF_FILE).unlink()
    seen = RecordedProgress()
    with Searcher.open(paths, device="cpu") as searcher:
        found = measure(searcher, max_queries=10, on_progress=seen)
        assert found.evaluation == evaluate(searcher, max_queries=10)
        assert found.quality.fits(searcher.model, N)
    assert found.why_not == ""
    assert {"code: searching", "distorted copies, code: searching"} <= set(seen.texts)
    assert found.evaluation is not None
    assert found.quality.labelled == found.evaluation.to_json()
    assert found.false_matches is None, "no cutoff is calibrated"
    write_quality(paths, found.quality)
    assert read_quality(paths) == found.quality


def test_without_labels_the_labelled_part_is_missing_and_says_why(tmp_path: Path) -> None:
    paths = make_index(tmp_path, smooth_thumbnails(N))
    with Searcher.open(paths, device="cpu") as searcher:
        found = measure(searcher)
        assert found.evaluation is None
        assert found.quality.labelled is None
        assert "no indexed image has a label" in found.why_not
        assert found.quality.distorted == found.distorted.to_json()
        assert found.distorted.n_rows == N
        assert set(found.distorted.mean) == set(EVALUATED)
        with pytest.raises(EvaluationError, match="no indexed image has a label"):
            measure(searcher, labels_needed=True)
        with pytest.raises(EvaluationError, match="no indexed image has a label"):
            measure(searcher, queries=LabelledImages(smooth_thumbnails(1, seed=3), ["ant"], []))


def test_a_cutoff_is_measured_where_it_belongs_to_this_index(tmp_path: Path) -> None:
    paths = make_index(tmp_path, smooth_thumbnails(N), LABELS)
    with Searcher.open(paths, device="cpu") as searcher:
        everything = {"code": Cutoff("cosine", same=0.0, close=9.0)}
        write_cutoff(paths.search, Cutoffs("another model", N, everything))
        assert measure(searcher).quality.cutoff is None
        write_cutoff(paths.search, Cutoffs(searcher.model, N, everything))
        found = measure(searcher)
    assert found.false_matches is not None
    assert found.false_matches.methods["code"].false_match == 1.0
    assert found.quality.cutoff == found.false_matches.to_json()
