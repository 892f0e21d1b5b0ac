"""`quality.json`: written whole, read back as it was, and never a reason for the page to fall over."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from imgsearch.errors import IndexDirectoryError
from imgsearch.paths import IndexPaths
from imgsearch.retrieval.evaluation.quality import Quality, quality_now, read_quality, write_quality

FIGURES = {"title": "Raw pixels", "p@1": 0.5, "p@10": 0.4, "p@100": 0.3, "map@1000": 0.2, "knn20": 0.45}
LABELLED: dict[str, Any] = {
    "n_database": 40,
    "n_queries": 40,
    "n_twins": 0,
    "n_near_twins": 1,
    "ap_formula": "a formula",
    "methods": {"pixel": FIGURES},
    "curve": {"n": [1, 10, 40], "n_queries": 40, "share": {"pixel": [0.5, 0.4, 0.25]}},
}
DISTORTED: dict[str, Any] = {
    "n_rows": 40,
    "n_database": 40,
    "distortions": ["crop"],
    "recall": {"pixel": {"crop": {"top1": 0.1, "top10": 0.2}}},
    "mean": {"pixel": {"top1": 0.1, "top10": 0.2}},
}


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
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


def test_it_belongs_to_one_model_and_one_number_of_rows() -> None:
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
def test_a_damaged_file_is_as_good_as_none(text: str, tmp_path: Path) -> None:
    paths = IndexPaths(tmp_path)
    paths.quality.write_text(text)
    assert read_quality(paths) is None


def test_a_file_of_a_later_version_is_read_as_far_as_it_is_known(tmp_path: Path) -> None:
    paths = IndexPaths(tmp_path)
    paths.quality.write_text(damaged(more=1))
    assert read_quality(paths) == Quality("abc", 40, "now", LABELLED, DISTORTED)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    paths = IndexPaths(tmp_path)
    paths.quality.mkdir()
    with pytest.raises(IndexDirectoryError, match=r"cannot use .*quality\.json"):
        read_quality(paths)


def test_reading_loads_nothing_heavy() -> None:
    program = "import sys, imgsearch.retrieval.evaluation.quality; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"torch", "faiss", "skimage", "matplotlib", "streamlit"} & set(found.stdout.split())
