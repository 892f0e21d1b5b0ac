"""The index of codes against brute force, and its files on disk against damage."""

import json
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from imgsearch.errors import Hint, IndexDirectoryError, IndexMissingError
from imgsearch.retrieval.index import candidates
from imgsearch.retrieval.index import code as code_index
from imgsearch.retrieval.index.code import CodeIndex
from imgsearch.retrieval.index.exact import Neighbours
from imgsearch.retrieval.index.index_info import read_index_info
from tests.support.hints import raises_with_hint
from tests.support.progress import RecordedProgress

MODEL = "ab12" * 16


def some_codes(n: int, d: int = 8, seed: int = 1338) -> NDArray[np.float16]:
    """Codes as they are stored, a few of them twice."""
    codes = np.random.default_rng(seed).standard_normal((n, d)).astype(np.float16)
    codes[n // 2 : n // 2 + n // 4] = codes[: n // 4]
    return codes


def true_code_distances(query: NDArray[np.float16], codes: NDArray[np.float16], metric: str) -> NDArray[np.float64]:
    """(n,) from the definitions, in float64."""
    query64, codes64 = query.astype(np.float64), codes.astype(np.float64)
    if metric == "l2":
        distances: NDArray[np.float64] = np.linalg.norm(codes64 - query64, axis=1)
        return distances
    cosines: NDArray[np.float64] = codes64 @ query64 / (np.linalg.norm(codes64, axis=1) * np.linalg.norm(query64))
    return 1 - cosines


def ordered(found: Neighbours) -> bool:
    """Whether the neighbours are by distance, and by row where distances are equal."""
    keys = list(zip(found.distances.tolist(), found.rows.tolist(), strict=True))
    return keys == sorted(keys)


@pytest.mark.parametrize("metric", ["cosine", "l2"])
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_codes_are_found_as_brute_force_finds_them(metric: str, data: st.DataObject) -> None:
    n, k = data.draw(st.integers(1, 120)), data.draw(st.integers(1, 130))
    codes = some_codes(n, seed=data.draw(st.integers(0, 2**32 - 1)))
    rng = np.random.default_rng(n)
    exclude = np.flatnonzero(rng.random(n) < data.draw(st.sampled_from([0.0, 0.4, 1.0])))
    self_rows = rng.integers(-1, n, 5)
    queries = codes[rng.integers(0, n, 5)]
    answers = CodeIndex.build(codes, metric).search(queries, k, exclude=exclude, self_rows=self_rows)
    for query, own, found in zip(queries, self_rows, answers, strict=True):
        truth = true_code_distances(query, codes, metric)
        allowed = np.setdiff1d(np.arange(n), [*exclude, own])
        assert len(found.rows) == min(k, len(allowed)) == len(set(found.rows.tolist()))
        assert set(found.rows.tolist()) <= set(allowed.tolist())
        assert ordered(found)
        # By distance: which of two equal codes comes first is tested apart from rounding below.
        assert found.distances == pytest.approx(np.sort(truth[allowed])[:k], abs=2e-3 if metric == "l2" else 2e-6)


@pytest.mark.parametrize("metric", ["cosine", "l2"])
def test_a_code_finds_itself_at_zero_and_equal_codes_in_order_of_rows(metric: str) -> None:
    codes = some_codes(64)
    codes[[50, 9, 31, 41]] = codes[9]
    found = CodeIndex.build(codes, metric).search(codes[9:10], 4)[0]
    assert found.rows.tolist() == [9, 31, 41, 50]
    assert found.distances.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("metric", ["cosine", "l2"])
def test_an_indexed_code_is_the_same_query_as_the_original_code(metric: str) -> None:
    codes = some_codes(64)
    index = CodeIndex.build(codes, metric)
    for row, found in enumerate(index.search(index.codes(np.arange(64)), 9)):
        plain = index.search(codes[row : row + 1], 9)[0]
        assert found.rows.tolist() == plain.rows.tolist()
        assert found.distances.tolist() == plain.distances.tolist()


def test_more_equal_codes_than_are_fetched_still_come_in_order_of_their_rows() -> None:
    codes = np.tile(some_codes(1), (200, 1))
    codes[::2] = -codes[0]
    found = CodeIndex.build(codes, "cosine").search(codes[1:2], 5, exclude=np.array([1, 5]))[0]
    assert found.rows.tolist() == [3, 7, 9, 11, 13]


def test_candidates_are_not_trusted_where_equal_codes_may_lie_beyond_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def last_rows(flat: object, queries: NDArray[np.float32], k: int, _: object) -> candidates.Candidates:
        return np.zeros((len(queries), k + 5), np.float32), np.arange(100 - k - 5, 100)[None]

    monkeypatch.setattr(code_index, "propose", last_rows)  # faiss promises no order among equal distances
    codes = np.ones((100, 8), np.float16)
    assert CodeIndex.build(codes, "l2").search(codes[:1], 3)[0].rows.tolist() == [0, 1, 2]


def test_cosine_ignores_length_and_l2_does_not() -> None:
    codes = np.array([[1, 0], [10, 0], [0.9, 0.1]])
    query = np.array([[1, 0]])
    assert CodeIndex.build(codes, "cosine").search(query, 2)[0].rows.tolist() == [0, 1]
    assert CodeIndex.build(codes, "l2").search(query, 2)[0].rows.tolist() == [0, 2]


def test_opposite_and_empty_codes() -> None:
    found = CodeIndex.build(np.array([[1.0, 0], [-1, 0], [0, 0]]), "cosine").search(np.array([[2.0, 0]]), 3)[0]
    assert found.rows.tolist() == [0, 2, 1]
    assert found.distances.tolist() == [0, 0.5, 2]


def test_a_metric_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="hamming"):
        CodeIndex.build(some_codes(3), "hamming")


def test_few_rows_left_out_and_many_give_the_same_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    codes, exclude = some_codes(300), np.arange(0, 300, 3)
    index = CodeIndex.build(codes, "cosine")
    by_fetching_more = index.search(codes[:20], 10, exclude=exclude)
    monkeypatch.setattr(candidates, "MOST_FETCHED", 50)
    by_selecting = index.search(codes[:20], 10, exclude=exclude)
    for one, other in zip(by_fetching_more, by_selecting, strict=True):
        assert one.rows.tolist() == other.rows.tolist()
        assert one.distances.tolist() == other.distances.tolist()


def test_blocks_of_queries_give_the_same_result_and_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = some_codes(100)
    index = CodeIndex.build(codes, "cosine")
    whole = index.search(codes, 5, self_rows=np.arange(100))
    monkeypatch.setattr(code_index, "QUERY_BLOCK", 30)
    seen = RecordedProgress()
    parts = index.search(codes, 5, self_rows=np.arange(100), on_progress=seen)
    assert [found.rows.tolist() for found in parts] == [found.rows.tolist() for found in whole]
    assert seen.steps == [(30, 100), (60, 100), (90, 100), (100, 100)]


def test_threads_may_share_an_index() -> None:
    codes = some_codes(500)
    index = CodeIndex.build(codes, "cosine")
    expected = [found.rows.tolist() for found in index.search(codes[:40], 7)]
    answers: dict[int, list[int]] = {}

    def ask(number: int) -> None:
        answers[number] = index.search(codes[number : number + 1], 7)[0].rows.tolist()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answers[number] for number in range(40)] == expected


def test_an_empty_index_finds_nothing() -> None:
    codes = CodeIndex.build(some_codes(0), "cosine")
    for found in codes.search(some_codes(2), 5):
        assert found.rows.tolist() == []
        assert found.distances.tolist() == []
    assert codes.search(some_codes(0), 5) == []


# -------------------------------------------------------------------------------------------------------- on disk


@pytest.mark.parametrize("metric", ["cosine", "l2"])
@pytest.mark.parametrize("n", [0, 40])
def test_an_index_comes_back_from_disk_as_it_went(tmp_path: Path, metric: str, n: int) -> None:
    codes = some_codes(n)
    saved = CodeIndex.build(codes, metric, MODEL)
    info = saved.save(tmp_path)
    loaded = CodeIndex.load(tmp_path)
    assert loaded.info == info == read_index_info(tmp_path)
    assert (loaded.model, loaded.rows, loaded.metric) == (MODEL, n, metric)
    for one, other in zip(saved.search(codes, 5), loaded.search(codes, 5), strict=True):
        assert one.rows.tolist() == other.rows.tolist()
        assert one.distances.tolist() == other.distances.tolist()


def test_the_file_names_model_and_rows(tmp_path: Path) -> None:
    CodeIndex.build(some_codes(12), "cosine", MODEL).save(tmp_path)
    assert [path.name for path in tmp_path.glob("*.faiss")] == [f"code-{MODEL[:12]}-12.faiss"]
    assert json.loads((tmp_path / "search.json").read_text())["rows"] == 12


def test_a_reader_that_a_build_overtakes_tries_once_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = CodeIndex.build(some_codes(10), "cosine", MODEL).save(tmp_path)
    new = CodeIndex.build(some_codes(12), "cosine", MODEL).save(tmp_path)
    (tmp_path / old.file).unlink()
    answers = iter([old, new])  # the description before the build, and after it
    monkeypatch.setattr(code_index, "read_index_info", lambda folder: next(answers))
    assert CodeIndex.load(tmp_path).rows == 12


def test_a_missing_index_is_an_error_with_a_hint(tmp_path: Path) -> None:
    with raises_with_hint(IndexMissingError, Hint.REINDEX, match="nothing is indexed"):
        CodeIndex.load(tmp_path)


def test_a_missing_faiss_file(tmp_path: Path) -> None:
    info = CodeIndex.build(some_codes(10), "cosine", MODEL).save(tmp_path)
    (tmp_path / info.file).unlink()
    with raises_with_hint(IndexMissingError, Hint.REINDEX, match=r"faiss is missing"):
        CodeIndex.load(tmp_path)


@pytest.mark.parametrize("kept", [0, 3, 30, 60, 200])
def test_a_faiss_file_cut_short(tmp_path: Path, kept: int) -> None:
    path = tmp_path / CodeIndex.build(some_codes(10), "cosine", MODEL).save(tmp_path).file
    path.write_bytes(path.read_bytes()[:kept])
    with raises_with_hint(IndexMissingError, Hint.REINDEX, match=r"is damaged: "):
        CodeIndex.load(tmp_path)


@given(damage=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 255)), min_size=1, max_size=8))
@settings(max_examples=25, deadline=None)
def test_a_damaged_header_is_refused_or_harmless(
    damage: list[tuple[int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("search")
    path = folder / CodeIndex.build(some_codes(10), "cosine", MODEL).save(folder).file
    content = bytearray(path.read_bytes())
    for place, value in damage:
        content[place] = value
    path.write_bytes(content)
    with suppress(IndexMissingError):  # anything else, or a crash, fails
        index = CodeIndex.load(folder)
        assert index.rows == 10
        assert len(index.search(some_codes(1), 10)) == 1


def test_an_index_with_another_number_of_rows_than_described(tmp_path: Path) -> None:
    info = CodeIndex.build(some_codes(10), "cosine", MODEL).save(tmp_path)
    (tmp_path / "search.json").write_text(json.dumps(vars(replace(info, rows=9))))
    with pytest.raises(IndexMissingError, match="not the index"):
        CodeIndex.load(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"model": "x"}',
        '{"model": "x", "rows": "3", "metric": "l2", "kind": "exact", "file": "a.faiss", "made_at": ""}',
        '{"model": "x", "rows": -3, "metric": "l2", "kind": "exact", "file": "a.faiss", "made_at": ""}',
        '{"model": "x", "rows": 3, "metric": "l2", "kind": "exact", "file": "../a.faiss", "made_at": ""}',
        '{"model": "x", "rows": 3, "metric": "l2", "kind": "exact", "file": "", "made_at": ""}',
        '{"model": "x", "rows": 3, "metric": "l2", "kind": "exact", "file": 3, "made_at": ""}',
        '{"model": "x", "rows": 3, "metric": "hamming", "kind": "exact", "file": "a.faiss", "made_at": ""}',
        '{"model": 3, "rows": 3, "metric": "l2", "kind": "exact", "file": "a.faiss", "made_at": ""}',
    ],
)
def test_a_damaged_description(tmp_path: Path, text: str) -> None:
    (tmp_path / "search.json").write_text(text)
    with raises_with_hint(IndexMissingError, Hint.REINDEX, match=r"is damaged: "):
        CodeIndex.load(tmp_path)


def test_a_description_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "search.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(IndexMissingError, match=r"search\.json is damaged: "):
        CodeIndex.load(tmp_path)


def test_a_write_that_faiss_cannot_finish_leaves_the_old_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = CodeIndex.build(some_codes(10), "cosine", MODEL).save(tmp_path)

    def refuse(flat: object, path: str) -> None:
        Path(path).write_bytes(b"half")
        raise RuntimeError(
            "Error in virtual size_t faiss::FileIOWriter::operator() at io.cpp:102: No space left on device"
        )

    monkeypatch.setattr("faiss.write_index", refuse)
    with raises_with_hint(IndexDirectoryError, Hint.FREE_SPACE, match=r"cannot write the index .*: No space left"):
        CodeIndex.build(some_codes(12), "cosine", MODEL).save(tmp_path)
    assert CodeIndex.load(tmp_path).info == old
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["search.json", old.file])
