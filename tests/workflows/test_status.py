"""Status: what an index directory holds, and what of it is of the current model."""

import json
import shutil
from pathlib import Path

import pytest

from imgsearch.autoencoder.card import SHIPPED
from imgsearch.autoencoder.codes import INFO_NAME
from imgsearch.paths import IndexPaths
from imgsearch.retrieval.index.index_info import INFO_FILE
from imgsearch.workflows.status import read_status
from tests.conftest import COLOURS, IMAGES_PER_LABEL

N_IMAGES = len(COLOURS) * IMAGES_PER_LABEL


@pytest.fixture
def paths(index: Path) -> IndexPaths:
    return IndexPaths(index)


def pretend_another_model(record: Path) -> None:
    """Write the digest of another model into a record of codes or of an index."""
    values = json.loads(record.read_text())
    assert "model" in values
    record.write_text(json.dumps(values | {"model": "0" * 64}))


def test_a_directory_that_is_not_there_is_empty(tmp_path: Path) -> None:
    state = read_status(IndexPaths(tmp_path / "nowhere"))
    assert (state.images, state.removed, state.coded, state.indexed, state.index_bytes) == (0, 0, 0, 0, 0)
    assert state.shipped
    assert set(state.crawl.values()) == {0}


def test_rows_with_codes_of_the_current_model_are_counted(paths: IndexPaths) -> None:
    state = read_status(paths)
    assert (state.images, state.coded, state.indexed) == (N_IMAGES, N_IMAGES, N_IMAGES)
    assert not state.shipped


def test_codes_of_another_model_do_not_count(paths: IndexPaths) -> None:
    pretend_another_model(paths.codes / INFO_NAME)
    state = read_status(paths)
    assert (state.coded, state.indexed) == (0, N_IMAGES)


def test_an_index_of_another_model_does_not_count(paths: IndexPaths) -> None:
    pretend_another_model(paths.search / INFO_FILE)
    state = read_status(paths)
    assert (state.coded, state.indexed) == (N_IMAGES, 0)


def test_without_a_model_of_its_own_nothing_is_coded_by_the_shipped_one(paths: IndexPaths) -> None:
    shutil.rmtree(paths.model)
    state = read_status(paths)
    assert (state.shipped, state.coded, state.indexed) == (True, 0, 0)
    assert state.model == json.loads((SHIPPED / "model.json").read_text())["digest"]


def test_the_bytes_are_those_of_all_files(paths: IndexPaths) -> None:
    before = read_status(paths).index_bytes
    (paths.root / "notes.txt").write_bytes(b"x" * 1000)
    assert read_status(paths).index_bytes == before + 1000
