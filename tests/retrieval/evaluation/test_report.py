"""Measurements of an index: what they hold, and `quality.json`, written whole and read back as it was."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from imgsearch.corpus.ingest import LabelledImages
from imgsearch.errors import EvaluationError, Hint, IndexDirectoryError
from imgsearch.paths import IndexPaths
from imgsearch.retrieval.evaluation.evaluate import evaluate
from imgsearch.retrieval.evaluation.methods import EVALUATED
from imgsearch.retrieval.evaluation.report import Quality, measure, quality_now, read_quality, write_quality
from imgsearch.retrieval.search.searcher import Searcher
from imgsearch.retrieval.search.thresholds import CUTOFF_FILE, Cutoff, Cutoffs, write_cutoff
from tests.support.index import make_index, smooth_thumbnails
from tests.support.progress import RecordedProgress

N = 24
LABELS = ["ant", "bee"] * (N // 2)


def test_the_part_by_labels_is_the_result_of_evaluate(tmp_path: Path) -> None:
    paths = make_index(tmp_path, smooth_thumbnails(N), LABELS)
    (paths.search / CUTOFF_FILE).unlink()
    seen = RecordedProgress()
    with Searcher.open(paths, device="cpu") as searcher:
        found = measure(searcher, max_queries=10, on_progress=seen)
        assert found.evaluation == evaluate(searcher, max_queries=10)
        assert found.quality.fits(searcher.model, N)
    assert found.why_not is None
    assert {"code: searching", "distorted copies, code: searching"} <= set(seen.texts)
    assert found.evaluation is not None
    assert found.quality.labelled == found.evaluation.to_json()
    assert found.false_matches is None, "no cutoff is calibrated"
    write_quality(paths, found.quality)
    assert read_quality(paths) == found.quality


def test_without_labels_that_part_is_missing_and_the_reason_is_given(tmp_path: Path) -> None:
    paths = make_index(tmp_path, smooth_thumbnails(N))
    with Searcher.open(paths, device="cpu") as searcher:
        found = measure(searcher)
        assert found.evaluation is None
        assert found.quality.labelled is None
        assert found.why_not is not None
        assert "no indexed image has a label" in str(found.why_not)
        assert found.why_not.hint is Hint.INDEX_LABELLED_IMAGES
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


# ----------------------------------------------------------------------------------------------------------------------
# quality.json


SCORES = {"title": "Raw pixels", "p@1": 0.5, "p@10": 0.4, "p@100": 0.3, "map@1000": 0.2, "knn20": 0.45}
LABELLED: dict[str, Any] = {
    "n_database": 40,
    "n_queries": 40,
    "n_twins": 0,
    "n_near_twins": 1,
    "ap_formula": "a formula",
    "methods": {"pixel": SCORES},
    "curve": {"n": [1, 10, 40], "n_queries": 40, "share": {"pixel": [0.5, 0.4, 0.25]}},
}
DISTORTED: dict[str, Any] = {
    "n_rows": 40,
    "n_database": 40,
    "distortions": ["crop"],
    "recall": {"pixel": {"crop": {"top1": 0.1, "top10": 0.2}}},
    "mean": {"pixel": {"top1": 0.1, "top10": 0.2}},
}


def test_measurements_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    paths = IndexPaths(tmp_path / "index")
    assert read_quality(paths) is None
    quality = quality_now("abc", 40, labelled=LABELLED, distorted=DISTORTED, cutoff={"close": 0.3})
    write_quality(paths, quality)
    assert read_quality(paths) == quality
    assert list(paths.root.iterdir()) == [paths.quality]
    assert list(json.loads(paths.quality.read_text())) == [
        "model",
        "rows",
        "made_at",
        "labelled",
        "distorted",
        "cutoff",
    ]


def test_parts_that_were_not_measured_are_none(tmp_path: Path) -> None:
    paths = IndexPaths(tmp_path)
    write_quality(paths, quality_now("abc", 40))
    found = read_quality(paths)
    assert found is not None
    assert (found.labelled, found.distorted, found.cutoff) == (None, None, None)


def test_measurements_fit_one_model_and_one_number_of_rows() -> None:
    quality = quality_now("abc", 40)
    assert quality.fits("abc", 40)
    assert not quality.fits("abc", 41)
    assert not quality.fits("other", 40)


def damaged(**changes: Any) -> str:
    return json.dumps(Quality("abc", 40, "now", LABELLED, DISTORTED).to_json() | changes)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "no json",
        damaged(rows="40"),
        damaged(labelled=[1]),
        damaged(labelled=LABELLED | {"curve": {}}),
        damaged(labelled={"n_database": 40}),
        damaged(distorted=DISTORTED | {"mean": None}),
        damaged(cutoff=3),
    ],
)
def test_a_damaged_file_counts_as_none(text: str, tmp_path: Path) -> None:
    paths = IndexPaths(tmp_path)
    paths.quality.write_text(text)
    assert read_quality(paths) is None


def test_unknown_fields_of_a_later_version_are_ignored(tmp_path: Path) -> None:
    paths = IndexPaths(tmp_path)
    paths.quality.write_text(damaged(more=1))
    assert read_quality(paths) == Quality("abc", 40, "now", LABELLED, DISTORTED)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    paths = IndexPaths(tmp_path)
    paths.quality.mkdir()
    with pytest.raises(IndexDirectoryError, match=r"cannot use .*quality\.json"):
        read_quality(paths)


def test_reading_imports_no_heavy_package() -> None:
    program = "import sys, imgsearch.retrieval.evaluation.report; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"torch", "faiss", "skimage", "matplotlib", "streamlit"} & set(found.stdout.split())
