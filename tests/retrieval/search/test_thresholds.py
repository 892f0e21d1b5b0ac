"""Grades, and `cutoff.json`: written whole, read back as it was, ignored where it is stale or damaged."""

import doctest
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from imgsearch.errors import IndexDirectoryError
from imgsearch.retrieval.search import thresholds as cutoff_module
from imgsearch.retrieval.search.thresholds import CUTOFF_FILE, Cutoff, Cutoffs, grade, read_cutoff, write_cutoff

CUTOFFS = Cutoffs("abc", 40, {"code": Cutoff("cosine", 0.1, 0.3), "binary": Cutoff("hamming", 19.0, 40.5)})


def test_grades() -> None:
    bits = CUTOFFS.methods["binary"]
    assert [grade(distance, bits) for distance in (0, 19, 20, 40, 41)] == ["same", "same", "close", "close", "weak"]
    nothing_is_close = Cutoff("cosine", 0.0, 0.0)
    assert [grade(distance, nothing_is_close) for distance in (0.0, 1e-9)] == ["same", "weak"]
    assert doctest.testmod(cutoff_module).failed == 0


def test_cutoffs_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    folder = tmp_path / "search"
    assert read_cutoff(folder, model="abc", rows=40) is None
    write_cutoff(folder, CUTOFFS)
    assert read_cutoff(folder, model="abc", rows=40) == CUTOFFS
    assert [path.name for path in folder.iterdir()] == [CUTOFF_FILE]
    assert json.loads((folder / CUTOFF_FILE).read_text())["methods"]["code"] == {
        "metric": "cosine",
        "same": 0.1,
        "close": 0.3,
    }


def test_cutoffs_of_another_index_are_ignored(tmp_path: Path) -> None:
    write_cutoff(tmp_path, CUTOFFS)
    assert read_cutoff(tmp_path, model="def", rows=40) is None
    assert read_cutoff(tmp_path, model="abc", rows=41) is None


def damaged(**changes: Any) -> str:
    return json.dumps(asdict(CUTOFFS) | changes)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        damaged(model=None),
        damaged(methods=[]),
        damaged(methods={"code": {}}),
        damaged(methods={"code": {"metric": "cosine", "same": "0.1", "close": 0.3}}),
        damaged(methods={"code": {"metric": "cosine", "same": 0.4, "close": 0.3}}),
        damaged(methods={"code": {"metric": "cosine", "same": float("nan"), "close": 0.3}}),
        damaged(methods={"code": {"metric": "cosine", "same": 0.1, "close": float("inf")}}),
        damaged(methods={"code": {"metric": "cosine", "same": -0.1, "close": 0.3}}),
    ],
)
def test_a_damaged_file_counts_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / CUTOFF_FILE).write_text(text)
    assert read_cutoff(tmp_path, model="abc", rows=40) is None


def test_unknown_fields_of_a_later_version_are_ignored(tmp_path: Path) -> None:
    (tmp_path / CUTOFF_FILE).write_text(damaged(more=1))
    assert read_cutoff(tmp_path, model="abc", rows=40) == CUTOFFS


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / CUTOFF_FILE).mkdir()
    with pytest.raises(IndexDirectoryError, match="cannot use"):
        read_cutoff(tmp_path, model="abc", rows=40)


def test_importing_loads_no_heavy_package() -> None:
    program = "import sys; import imgsearch.retrieval.search.thresholds; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"torch", "faiss", "numpy"} & set(found.stdout.split())
