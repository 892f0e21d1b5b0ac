"""What `imgsearch reindex` builds of the codes on disk."""

from pathlib import Path

import numpy as np
import pytest

from imgsearch.errors import IndexMismatchError
from imgsearch.paths import IndexPaths
from imgsearch.retrieval import index as index_module
from imgsearch.retrieval.code_index import CodeIndex
from imgsearch.retrieval.index import build_index
from imgsearch.retrieval.info import IndexInfo

MODEL = "ab12" * 16


def test_the_index_of_the_codes_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = IndexPaths(tmp_path)
    codes = np.random.default_rng(1338).standard_normal((10, 8)).astype(np.float16)
    made_by = IndexInfo(MODEL, 10, "", "", "", "")  # stands for CodesInfo: model and rows
    card = IndexInfo("", 0, "l2", "", "", "")  # stands for ModelCard: digest and metric
    object.__setattr__(card, "digest", MODEL)
    monkeypatch.setattr(index_module, "open_codes", lambda folder: (codes, made_by))
    monkeypatch.setattr(index_module, "read_card", lambda folder: card)
    told: list[tuple[int, int]] = []
    info = build_index(paths, on_progress=lambda *done: told.append(done))
    assert (info.model, info.rows, info.metric, info.kind) == (MODEL, 10, "l2", "exact")
    assert told == [(10, 10)]
    assert CodeIndex.load(paths.search).search(codes[3:4], 1)[0].rows.tolist() == [3]

    object.__setattr__(card, "digest", "cd34" * 16)
    with pytest.raises(IndexMismatchError, match=r"made by model ab12ab12…, the current model is cd34cd34…"):
        build_index(paths)
