"""Both indexes against brute force, and the index on disk against whoever damages it."""

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

from imgsearch.errors import IndexDirectoryError, IndexMismatchError, IndexMissingError
from imgsearch.paths import IndexPaths, exclusive
from imgsearch.retrieval import index as index_module
from imgsearch.retrieval.exact import Neighbours
from imgsearch.retrieval.index import CodeIndex, PixelIndex, build_index
from imgsearch.retrieval.info import IndexInfo, read_index_info

MODEL = "ab12" * 16


def some_codes(n: int, d: int = 8, seed: int = 1338) -> NDArray[np.float16]:
    """Codes as they are stored, a few of them twice."""
    codes = np.random.default_rng(seed).standard_normal((n, d)).astype(np.float16)
    codes[n // 2 : n // 2 + n // 4] = codes[: n // 4]
    return codes


def some_thumbnails(n: int, seed: int = 1338, values: int = 256) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, values, (n, 32, 32, 3), dtype=np.uint8)


def true_code_distances(query: NDArray[np.float16], codes: NDArray[np.float16], metric: str) -> NDArray[np.float64]:
    """(n,) from the definitions, in float64."""
    query64, codes64 = query.astype(np.float64), codes.astype(np.float64)
    if metric == "l2":
        distances: NDArray[np.float64] = np.linalg.norm(codes64 - query64, axis=1)
        return distances
    cosines: NDArray[np.float64] = codes64 @ query64 / (np.linalg.norm(codes64, axis=1) * np.linalg.norm(query64))
    return 1 - cosines


def true_pixel_squares(query: NDArray[np.uint8], thumbnails: NDArray[np.uint8]) -> NDArray[np.int64]:
    squares: NDArray[np.int64] = np.square(thumbnails.astype(np.int64) - query.astype(np.int64)).sum(axis=(1, 2, 3))
    return squares


def ordered(found: Neighbours) -> bool:
    """Whether the neighbours are by distance, and by row where distances are equal."""
    keys = list(zip(found.distances.tolist(), found.rows.tolist(), strict=True))
    return keys == sorted(keys)


# ---------------------------------------------------------------------------------------------------------- codes


@pytest.mark.parametrize("metric", ["cosine", "l2"])
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_codes_are_found_as_brute_force_finds_them(metric: str, data: st.DataObject) -> None:
    n, k = data.draw(st.integers(1, 120)), data.draw(st.integers(1, 130))
    codes = some_codes(n, seed=data.draw(st.integers(0, 2**32 - 1)))
    rng = np.random.default_rng(n)
    without = np.flatnonzero(rng.random(n) < data.draw(st.sampled_from([0.0, 0.4, 1.0])))
    itself = rng.integers(-1, n, 5)
    queries = codes[rng.integers(0, n, 5)]
    answers = CodeIndex.build(codes, metric).search(queries, k, without=without, itself=itself)
    for query, own, found in zip(queries, itself, answers, strict=True):
        truth = true_code_distances(query, codes, metric)
        allowed = np.setdiff1d(np.arange(n), [*without, own])
        assert len(found.rows) == min(k, len(allowed)) == len(set(found.rows.tolist()))
        assert set(found.rows.tolist()) <= set(allowed.tolist())
        assert ordered(found)
        # By distance: which of two equal codes comes first is tested apart from rounding below.
        assert found.distances == pytest.approx(np.sort(truth[allowed])[:k], abs=2e-3 if metric == "l2" else 2e-6)


@pytest.mark.parametrize("metric", ["cosine", "l2"])
def test_a_code_finds_itself_at_exactly_zero_and_its_twins_in_order_of_their_rows(metric: str) -> None:
    codes = some_codes(64)
    codes[[50, 9, 31, 41]] = codes[9]
    found = CodeIndex.build(codes, metric).search(codes[9:10], 4)[0]
    assert found.rows.tolist() == [9, 31, 41, 50]
    assert found.distances.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("metric", ["cosine", "l2"])
def test_an_indexed_code_asks_as_the_code_that_was_indexed(metric: str) -> None:
    codes = some_codes(64)
    index = CodeIndex.build(codes, metric)
    for row, found in enumerate(index.search(index.codes(np.arange(64)), 9)):
        plain = index.search(codes[row : row + 1], 9)[0]
        assert found.rows.tolist() == plain.rows.tolist()
        assert found.distances.tolist() == plain.distances.tolist()


def test_more_equal_codes_than_are_fetched_still_come_in_order_of_their_rows() -> None:
    codes = np.tile(some_codes(1), (200, 1))
    codes[::2] = -codes[0]
    found = CodeIndex.build(codes, "cosine").search(codes[1:2], 5, without=np.array([1, 5]))[0]
    assert found.rows.tolist() == [3, 7, 9, 11, 13]


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
    codes, without = some_codes(300), np.arange(0, 300, 3)
    index = CodeIndex.build(codes, "cosine")
    by_fetching_more = index.search(codes[:20], 10, without=without)
    monkeypatch.setattr(index_module, "MOST_FETCHED", 50)
    by_selecting = index.search(codes[:20], 10, without=without)
    for one, other in zip(by_fetching_more, by_selecting, strict=True):
        assert one.rows.tolist() == other.rows.tolist()
        assert one.distances.tolist() == other.distances.tolist()


def test_blocks_of_queries_change_no_answer_and_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = some_codes(100)
    index = CodeIndex.build(codes, "cosine")
    whole = index.search(codes, 5, itself=np.arange(100))
    monkeypatch.setattr(index_module, "QUERY_BLOCK", 30)
    told: list[tuple[int, int]] = []
    parts = index.search(codes, 5, itself=np.arange(100), on_progress=lambda *done: told.append(done))
    assert [found.rows.tolist() for found in parts] == [found.rows.tolist() for found in whole]
    assert told == [(30, 100), (60, 100), (90, 100), (100, 100)]


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


# --------------------------------------------------------------------------------------------------------- pixels


@pytest.mark.parametrize("batch_queries", [0, 1000], ids=["products", "scan"])
@given(data=st.data())
@settings(max_examples=12, deadline=None)
def test_pixels_are_found_as_brute_force_finds_them(batch_queries: int, data: st.DataObject) -> None:
    n, k = data.draw(st.integers(1, 60)), data.draw(st.integers(1, 70))
    thumbnails = some_thumbnails(n, data.draw(st.integers(0, 2**32 - 1)), data.draw(st.sampled_from([1, 2, 256])))
    rng = np.random.default_rng(n)
    without = np.flatnonzero(rng.random(n) < data.draw(st.sampled_from([0.0, 0.4, 1.0])))
    itself = rng.integers(-1, n, 3)
    queries = np.concatenate([thumbnails[:1], some_thumbnails(2, n)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index_module, "BATCH_QUERIES", batch_queries)
        answers = PixelIndex.build(thumbnails).search(queries, k, without=without, itself=itself)
    for query, own, found in zip(queries, itself, answers, strict=True):
        squares = true_pixel_squares(query, thumbnails)
        allowed = [row for row in range(n) if row not in without and row != own]
        expected = sorted(allowed, key=lambda row: (squares[row], row))[:k]
        assert found.rows.tolist() == expected
        assert found.distances == pytest.approx(np.sqrt(squares[expected]) / 255, rel=1e-6)


def nearly_equal_distances_from_black(n: int) -> NDArray[np.uint8]:
    """White thumbnails with a few darker pixels: from black their squared distances, some 2 * 10^8, differ by 2.

    Two pixels of 254 take 2 * (255^2 - 254^2) = 1,018 off it, one of 253 takes 1,016; float32 then counts in sixteens.
    """
    thumbnails = np.full((n, 32 * 32 * 3), 255, np.uint8)
    for row, darkest in enumerate(np.random.default_rng(1338).permutation(n)):
        thumbnails[row, :darkest] = 253
        thumbnails[row, darkest : darkest + 2 * (n - darkest)] = 254
    return thumbnails.reshape(n, 32, 32, 3)


@pytest.mark.parametrize("batch_queries", [0, 1000], ids=["products", "scan"])
def test_distances_that_float32_would_merge_are_told_apart(batch_queries: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "BATCH_QUERIES", batch_queries)
    thumbnails, black = nearly_equal_distances_from_black(120), np.zeros((1, 32, 32, 3), np.uint8)
    squares = true_pixel_squares(black[0], thumbnails)
    expected = sorted(range(120), key=lambda row: (squares[row], row))
    assert len(set(squares.astype(np.float32).tolist())) < len(set(squares.tolist()))  # else this tests nothing
    found = PixelIndex.build(thumbnails).search(black, 40)[0]
    assert found.rows.tolist() == expected[:40]


def test_more_equal_thumbnails_than_are_fetched_still_come_in_order_of_their_rows() -> None:
    thumbnails = np.zeros((100, 32, 32, 3), np.uint8)
    thumbnails[::2] = 9
    found = PixelIndex.build(thumbnails).search(thumbnails[1:2], 4, without=np.array([3]), itself=np.array([5]))[0]
    assert found.rows.tolist() == [1, 7, 9, 11]
    assert found.distances.tolist() == [0, 0, 0, 0]


def test_black_and_white_are_as_far_apart_as_can_be() -> None:
    black, white = np.zeros((1, 32, 32, 3), np.uint8), np.full((1, 32, 32, 3), 255, np.uint8)
    assert PixelIndex.build(white).search(black, 1)[0].distances[0] == pytest.approx(np.sqrt(3072))


def test_pixels_straight_from_a_memory_map(tmp_path: Path) -> None:
    thumbnails = some_thumbnails(20)
    thumbnails.tofile(tmp_path / "thumbnails.u8")
    mapped = np.memmap(tmp_path / "thumbnails.u8", np.uint8, "r", shape=thumbnails.shape)
    index = PixelIndex.build(mapped[:15])
    del mapped
    (tmp_path / "thumbnails.u8").unlink()
    assert index.rows == 15
    assert [found.rows[0] for found in index.search(thumbnails[:15], 1)] == list(range(15))


def test_an_empty_index_answers_with_nothing() -> None:
    pixels, codes = PixelIndex.build(some_thumbnails(0)), CodeIndex.build(some_codes(0), "cosine")
    for found in (*pixels.search(some_thumbnails(2), 5), *codes.search(some_codes(2), 5)):
        assert found.rows.tolist() == []
        assert found.distances.tolist() == []
    assert pixels.search(some_thumbnails(0), 5) == codes.search(some_codes(0), 5) == []


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


def test_the_file_names_model_and_rows_and_the_old_one_goes(tmp_path: Path) -> None:
    CodeIndex.build(some_codes(10), "cosine", MODEL).save(tmp_path)
    CodeIndex.build(some_codes(12), "cosine", MODEL).save(tmp_path)
    assert [path.name for path in tmp_path.glob("*.faiss")] == [f"code-{MODEL[:12]}-12.faiss"]
    assert json.loads((tmp_path / "search.json").read_text())["rows"] == 12


def test_a_reader_that_a_build_overtakes_tries_once_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = CodeIndex.build(some_codes(10), "cosine", MODEL).save(tmp_path)
    new = CodeIndex.build(some_codes(12), "cosine", MODEL).save(tmp_path)
    answers = iter([old, new])  # what the json said before the build, and says now
    monkeypatch.setattr(index_module, "read_index_info", lambda folder: next(answers))
    assert CodeIndex.load(tmp_path).rows == 12


def test_no_index_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(IndexMissingError, match="imgsearch reindex"):
        CodeIndex.load(tmp_path)


def test_a_missing_faiss_file(tmp_path: Path) -> None:
    info = CodeIndex.build(some_codes(10), "cosine", MODEL).save(tmp_path)
    (tmp_path / info.file).unlink()
    with pytest.raises(IndexMissingError, match=r"faiss is missing.*imgsearch reindex"):
        CodeIndex.load(tmp_path)


@pytest.mark.parametrize("kept", [0, 3, 30, 60, 200])
def test_a_faiss_file_cut_short(tmp_path: Path, kept: int) -> None:
    path = tmp_path / CodeIndex.build(some_codes(10), "cosine", MODEL).save(tmp_path).file
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(IndexMissingError, match=r"is damaged: .*imgsearch reindex"):
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


def test_an_index_that_holds_other_rows_than_its_json_says(tmp_path: Path) -> None:
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
    with pytest.raises(IndexMissingError, match=r"is damaged: .*imgsearch reindex"):
        CodeIndex.load(tmp_path)


def test_a_description_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "search.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(IndexMissingError, match="is damaged: it is not text"):
        CodeIndex.load(tmp_path)


def test_two_builds_at_once(tmp_path: Path) -> None:
    with (
        exclusive(tmp_path, "building the index"),
        pytest.raises(IndexDirectoryError, match="another imgsearch command"),
    ):
        CodeIndex.build(some_codes(3), "cosine", MODEL).save(tmp_path)


def test_a_write_that_faiss_cannot_finish_leaves_the_old_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = CodeIndex.build(some_codes(10), "cosine", MODEL).save(tmp_path)

    def refuse(flat: object, path: str) -> None:
        Path(path).write_bytes(b"half")
        raise RuntimeError(
            "Error in virtual size_t faiss::FileIOWriter::operator() at io.cpp:102: No space left on device"
        )

    monkeypatch.setattr("faiss.write_index", refuse)
    with pytest.raises(IndexDirectoryError, match=r"cannot write the index .*: No space left on device\. Free space"):
        CodeIndex.build(some_codes(12), "cosine", MODEL).save(tmp_path)
    assert CodeIndex.load(tmp_path).info == old
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([".lock", "search.json", old.file])


def test_the_index_of_the_codes_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = IndexPaths(tmp_path)
    codes = some_codes(10)
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
