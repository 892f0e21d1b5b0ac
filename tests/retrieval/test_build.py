"""The index that is built of the codes on disk, and opening it."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from imgsearch.autoencoder.codes import CodesInfo
from imgsearch.errors import Hint, IndexDirectoryError, IndexMismatchError, IndexMissingError
from imgsearch.paths import IndexPaths, exclusive
from imgsearch.retrieval import build as index_module
from imgsearch.retrieval.build import build_index, open_index
from imgsearch.retrieval.index.code import CodeIndex
from imgsearch.retrieval.index.index_info import INFO_FILE
from tests.support.hints import raises_with_hint
from tests.support.progress import RecordedProgress

MODEL = "ab12" * 16
CODES = np.random.default_rng(1338).standard_normal((40, 8)).astype(np.float16)


def pretend(monkeypatch: pytest.MonkeyPatch, n: int = 40, model: str = MODEL) -> None:
    """Provide n codes of one model on disk, and `model` as the current one."""
    monkeypatch.setattr(index_module, "open_codes", lambda folder: (CODES[:n], CodesInfo(MODEL, n)))
    monkeypatch.setattr(index_module, "read_card", lambda folder: SimpleNamespace(digest=model, metric="l2"))


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> IndexPaths:
    pretend(monkeypatch)
    return IndexPaths(tmp_path)


def test_the_index_of_the_codes_on_disk(paths: IndexPaths) -> None:
    seen = RecordedProgress()
    info = build_index(paths, on_progress=seen)
    assert (info.model, info.rows, info.metric, info.kind) == (MODEL, 40, "l2", "exact")
    assert seen.steps == [(40, 40)]
    index = open_index(paths.search)
    assert index.codes.search(CODES[3:4], 1)[0].rows.tolist() == [3]
    assert np.array_equal(index.bits.codes(np.arange(40)), index.coder.encode(CODES))


def test_codes_of_another_model(paths: IndexPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, model="cd34" * 16)
    with raises_with_hint(
        IndexMismatchError, Hint.REINDEX, match=r"made by model ab12ab12…, the current model is cd34cd34…"
    ):
        build_index(paths)


def test_two_builds_at_once(paths: IndexPaths) -> None:
    with (
        exclusive(paths.search, "building the index"),
        pytest.raises(IndexDirectoryError, match="another process is"),
    ):
        build_index(paths)


def test_a_new_index_takes_the_old_files_away(paths: IndexPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    build_index(paths)
    pretend(monkeypatch, 30)
    info = build_index(paths)
    assert info.rows == 30
    expected = [".lock", info.binary_file, info.file, INFO_FILE]
    assert sorted(path.name for path in paths.search.iterdir()) == sorted(expected)


def test_no_codes_at_all(paths: IndexPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, 0)
    build_index(paths)
    index = open_index(paths.search)
    assert (index.codes.rows, index.bits.rows) == (0, 0)
    assert index.coder.encode(CODES).shape == (40, 32)


@pytest.mark.parametrize("damage", ["cut short", "no zip", "of other rows"])
def test_damaged_binary_codes_are_refused_with_a_hint(paths: IndexPaths, damage: str) -> None:
    info = build_index(paths)
    path = paths.search / info.binary_file
    if damage == "of other rows":
        (paths.search / INFO_FILE).write_text(json.dumps({**vars(info), "rows": 39}))
        path.rename(paths.search / replace(info, rows=39).binary_file)
        flat = CodeIndex.build(CODES[:39], "l2", MODEL).save(paths.search / "other")
        (paths.search / "other" / flat.file).rename(paths.search / info.file)
    else:
        path.write_bytes(path.read_bytes()[:700] if damage == "cut short" else b"no zip at all")
    with raises_with_hint(IndexMissingError, Hint.REINDEX, match=r"binary-ab12.*\.safetensors is damaged: "):
        open_index(paths.search)


def test_binary_codes_that_are_gone(paths: IndexPaths) -> None:
    info = build_index(paths)
    (paths.search / info.binary_file).unlink()
    with raises_with_hint(IndexMissingError, Hint.REINDEX, match=r"safetensors is missing\."):
        open_index(paths.search)


def test_a_reader_between_two_builds_opens_the_new_one(paths: IndexPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    build_index(paths)
    load = CodeIndex.load

    def load_and_build(folder: Path, *, gpu: int | None = None) -> CodeIndex:
        index = load(folder, gpu=gpu)
        if index.rows == 40:  # another process builds while this one reads
            pretend(monkeypatch, 30)
            build_index(paths)
        return index

    monkeypatch.setattr(CodeIndex, "load", load_and_build)
    index = open_index(paths.search)
    assert (index.codes.rows, index.bits.rows) == (30, 30)
