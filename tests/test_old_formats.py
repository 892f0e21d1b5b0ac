"""Index directories that earlier versions wrote are opened, searched, upgraded and written to; see data/README.md."""

import json
import sqlite3
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgsearch.corpus.store import Corpus
from imgsearch.paths import IndexPaths
from tests.conftest import REPOSITORY
from tests.support.cli import answer

DEVICE = ("--device", "cpu")
N_INDEX = 48  # rows of index-0.1.0; the last one is removed
# What version 0.1.0 itself answered to row 3: rows and distances.
ANSWERS_OF_0_1_0 = {
    "code": ([7, 5, 4, 1], [0.0075, 0.0185, 0.0252, 0.0719]),
    "pixel": ([7, 0, 4, 1], [5.2188, 8.0240, 8.8555, 9.5105]),
    "binary": ([7, 5, 4, 1], [0.0, 6.0, 9.0, 13.0]),
}


def unpacked(name: str, folder: Path) -> IndexPaths:
    with zipfile.ZipFile(REPOSITORY / "tests" / "data" / f"{name}.zip") as archive:
        archive.extractall(folder)
    return IndexPaths(folder)


def format_of(database: Path) -> int:
    connection = sqlite3.connect(database)
    try:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
    finally:
        connection.close()


@pytest.fixture
def old_index(tmp_path: Path) -> IndexPaths:
    return unpacked("index-0.1.0", tmp_path / "index")


@pytest.fixture
def new_image(tmp_path: Path) -> Path:
    """A file with an image that no old directory holds."""
    path = tmp_path / "new.png"
    Image.fromarray(np.random.default_rng(3).integers(0, 256, (40, 40, 3), np.uint8)).save(path)
    return path


def at(paths: IndexPaths) -> tuple[str, Path]:
    """The option that names the index directory."""
    return "--index", paths.root


def rows(hits: Iterable[dict[str, object]]) -> list[object]:
    return [hit["row"] for hit in hits]


# ---------------------------------------------------------------------------------------------------------------------
# The corpus


@pytest.mark.parametrize(("name", "version"), [("corpus-format-1", 1), ("corpus-format-2", 2), ("index-0.1.0", 3)])
def test_a_corpus_of_an_earlier_format_is_whole(
    name: str, version: int, tmp_path: Path, new_image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = unpacked(name, tmp_path / "index")
    assert format_of(paths.corpus_database) == version
    with Corpus.open(paths) as corpus:
        n = len(corpus)
        assert corpus.verify() == []
        assert corpus.removed_rows().tolist() == [n - 1]
        entry = corpus.entry(1)
        assert (entry.url, entry.alt) == ("https://example.org/green/square-1.png", "green square")
        assert corpus.labels()[:4] == ["red", "green", "blue", "yellow"]
        assert corpus.thumbnails()[1, [8, 30], [8, 30]].tolist() == [[40, 190, 60], [245, 245, 245]]
        assert (corpus.preview(1) or b"").startswith(b"\xff\xd8")
    answer(capsys, "add", new_image, *at(paths))
    with Corpus.open(paths) as corpus:
        assert len(corpus) == n + 1
        assert corpus.verify() == []
        assert corpus.rows_without_hash().tolist() == []  # the old images are compared with new ones, too


def test_provenance_outlives_the_upgrade(tmp_path: Path) -> None:
    with Corpus.open(unpacked("corpus-format-2", tmp_path / "index")) as corpus:
        provenance = corpus.entry(0).provenance
    assert provenance.fetched_at == 1_700_000_000
    assert provenance.licence == "https://creativecommons.org/licenses/by/4.0/"


# ---------------------------------------------------------------------------------------------------------------------
# Model, codes, index, words


@pytest.mark.parametrize("method", ANSWERS_OF_0_1_0)
def test_an_index_of_0_1_0_gives_the_answers_that_0_1_0_gave(
    method: str, old_index: IndexPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    found = json.loads(answer(capsys, "search", "row:3", "-k", "4", "--by", method, "--json", *DEVICE, *at(old_index)))
    found = found[method]
    expected_rows, distances = ANSWERS_OF_0_1_0[method]
    assert rows(found) == expected_rows
    assert [hit["distance"] for hit in found] == pytest.approx(distances, abs=1e-3)


def test_the_grades_of_0_1_0_still_hold(old_index: IndexPaths, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(answer(capsys, "search", "row:3", "-k", "4", "--json", *DEVICE, *at(old_index)))
    assert [hit["grade"] for hit in found["code"]] == ["same", "same", "same", "weak"]


def test_the_words_of_0_1_0_are_searched(old_index: IndexPaths, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(answer(capsys, "search", "--text", "red", "-k", "3", "--json", *DEVICE, *at(old_index)))
    assert rows(found["tfidf"]) == [0, 4, 8]
    assert [hit["distance"] for hit in found["tfidf"]] == pytest.approx([0.1543] * 3, abs=1e-3)
    assert {hit["label"] for hit in found["lsa"]} == {"red"}
    assert [hit["distance"] for hit in found["code"]] == pytest.approx([0.0234] * 3, abs=2e-3)


def test_an_index_of_0_1_0_takes_in_new_images(
    old_index: IndexPaths, new_image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (old_index.codes / "codes.f16").read_bytes()
    answer(capsys, "add", new_image, *at(old_index))
    answer(capsys, "reindex", *DEVICE, *at(old_index))
    assert (old_index.codes / "codes.f16").read_bytes().startswith(before)  # the old codes were not made anew
    found = json.loads(answer(capsys, "search", new_image, "-k", "1", "--json", *DEVICE, *at(old_index)))
    assert rows(found["code"]) == rows(found["pixel"]) == [N_INDEX]
    state = json.loads(answer(capsys, "status", "--json", *at(old_index)))
    assert (state["images"], state["indexed"]) == (N_INDEX, N_INDEX + 1)


def test_a_model_of_0_1_0_is_trained_further_and_evaluated(
    old_index: IndexPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(capsys, "finetune", "--epochs", "1", "--batch-size", "16", "--keep", "new", *DEVICE, *at(old_index))
    answer(capsys, "reindex", *DEVICE, *at(old_index))
    assert "code" in answer(capsys, "evaluate", *DEVICE, *at(old_index))
