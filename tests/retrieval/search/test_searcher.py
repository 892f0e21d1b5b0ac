"""`Searcher` on a small index directory with a real corpus, network and index."""

import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray

from imgsearch.corpus.decoding.images import decode_image, encode_png
from imgsearch.corpus.store import Corpus
from imgsearch.errors import (
    CorpusError,
    DeviceError,
    Hint,
    ImageError,
    IndexMismatchError,
    IndexMissingError,
    QueryError,
    UnknownRowError,
)
from imgsearch.paths import IndexPaths
from imgsearch.retrieval.index.index_info import read_index_info
from imgsearch.retrieval.search.query import Query
from imgsearch.retrieval.search.result import SearchResult
from imgsearch.retrieval.search.searcher import Searcher
from imgsearch.retrieval.search.thresholds import CUTOFF_FILE, Cutoff, Cutoffs, write_cutoff
from imgsearch.workflows.reindexing import reindex
from tests.support.hints import raises_with_hint
from tests.support.index import add_images, make_index, save_untrained_model, smooth_thumbnails

N = 30
PREVIEW = b"\xff\xd8 stands for a JPEG"


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> IndexPaths:
    """An index of N images that no test may change."""
    return make_index(tmp_path_factory.mktemp("pristine") / "index", smooth_thumbnails(N))


@pytest.fixture(scope="module")
def searcher(pristine: IndexPaths) -> Iterator[Searcher]:
    with Searcher.open(pristine, device="cpu") as opened:
        yield opened


@pytest.fixture
def paths(pristine: IndexPaths, tmp_path: Path) -> IndexPaths:
    """A copy of the index that the test may change."""
    shutil.copytree(pristine.root, tmp_path / "index")
    return IndexPaths(tmp_path / "index")


def remove(paths: IndexPaths, rows: list[int]) -> None:
    with Corpus.open_for_writing(paths) as corpus:
        corpus.remove(rows)


def found_rows(result: SearchResult) -> tuple[list[int], list[int]]:
    return [hit.row for hit in result.hits["code"]], [hit.row for hit in result.hits["pixel"]]


# -------------------------------------------------------------------------------------------------------- queries


def test_every_kind_of_query_for_one_image_gives_the_same_result(searcher: Searcher, tmp_path: Path) -> None:
    thumbnail = smooth_thumbnails(N)[7]
    (tmp_path / "seven.png").write_bytes(encode_png(thumbnail))
    large = thumbnail.repeat(4, axis=0).repeat(4, axis=1)  # (128, 128, 3), averages to the thumbnail
    queries: list[Query] = [
        thumbnail,
        large,
        encode_png(thumbnail),
        tmp_path / "seven.png",
        str(tmp_path / "seven.png"),
    ]
    expected = found_rows(searcher.search(thumbnail, k=5))
    assert expected[0][0] == expected[1][0] == 7
    assert [found_rows(searcher.search(query, k=5)) for query in queries] == [expected] * len(queries)


def test_an_image_of_the_corpus_finds_itself_at_distance_zero(searcher: Searcher) -> None:
    for row, thumbnail in enumerate(smooth_thumbnails(N)):
        result = searcher.search(thumbnail, k=1)
        assert [(hit.rank, hit.row) for hit in (*result.hits["code"], *result.hits["pixel"])] == [(1, row), (1, row)]
        assert result.hits["pixel"][0].distance == 0
        assert result.hits["code"][0].distance == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("row", [7, np.int64(7)])
def test_a_row_is_left_out_of_its_own_result(searcher: Searcher, row: int, monkeypatch: pytest.MonkeyPatch) -> None:
    by_image = found_rows(searcher.search(smooth_thumbnails(N)[7], k=N))
    monkeypatch.delattr(Searcher, "encode")  # a row's code is in the index: there is nothing to encode
    result = searcher.search(row, k=N - 1)
    assert found_rows(result) == (by_image[0][1:], by_image[1][1:])
    assert result.query == "row:7"


def test_hits_carry_their_entries_and_their_rank_in_the_other_list(searcher: Searcher) -> None:
    result = searcher.search(3, k=12)
    code, pixel = found_rows(result)
    assert result.overlap == len(set(code) & set(pixel)) > 0
    for hits, others in ((result.hits["code"], pixel), (result.hits["pixel"], code)):
        assert [hit.rank for hit in hits] == list(range(1, 13))
        assert [hit.distance for hit in hits] == sorted(hit.distance for hit in hits)
        for hit in hits:
            assert hit.entry == searcher.entry(hit.row)
            assert hit.entry.url == f"https://example.org/{hit.row}.png"
            assert (hit.entry.page_url, hit.entry.alt) == ("https://example.org/", f"number {hit.row}")
            assert hit.other_rank == (others.index(hit.row) + 1 if hit.row in others else None)


@pytest.mark.parametrize("by", ["code", "pixel"])
def test_one_method_alone(searcher: Searcher, by: str) -> None:
    both, alone = searcher.search(3, k=4), searcher.search(3, k=4, by=by)
    found, expected = alone.hits[by], both.hits[by]
    assert [(hit.row, hit.distance) for hit in found] == [(hit.row, hit.distance) for hit in expected]
    assert [hit.other_rank for hit in found] == [None] * 4
    assert (list(alone.hits), alone.overlap) == ([by], 0)
    assert set(alone.seconds) == {"encode", by}
    assert (alone.seconds["encode"] == 0) == (by == "pixel")


def true_bits(searcher: Searcher, query: NDArray[np.uint8]) -> list[int]:
    """Hamming distances of a binary code (32,) to every row, from the indexed ones."""
    stored = searcher.indexed_bits(np.arange(N))
    distances: list[int] = (np.unpackbits(stored, axis=1) != np.unpackbits(query)).sum(axis=1).tolist()
    return distances


def test_binary_codes_alone(searcher: Searcher) -> None:
    thumbnail = smooth_thumbnails(N)[7]
    result = searcher.search(thumbnail, k=N, by="binary")
    distances = true_bits(searcher, searcher.binary_codes(searcher.encode(thumbnail[None]))[0])
    assert [hit.row for hit in result.hits["binary"]] == sorted(range(N), key=lambda row: (distances[row], row))
    assert [hit.distance for hit in result.hits["binary"]] == sorted(distances)
    assert (result.hits["binary"][0].row, result.hits["binary"][0].distance) == (7, 0)
    assert len(set(distances)) > 5  # else this tests nothing
    assert [hit.other_rank for hit in result.hits["binary"]] == [None] * N
    assert (list(result.hits), result.overlap) == (["binary"], 0)
    assert set(result.seconds) == {"encode", "binary"}


def test_all_three_methods(searcher: Searcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(Searcher, "encode")  # a row's code and its bits are there already
    both, every = searcher.search(3, k=12), searcher.search(3, k=12, by="all")
    assert (both.hits["code"], both.hits["pixel"], both.overlap) == (
        every.hits["code"],
        every.hits["pixel"],
        every.overlap,
    )
    assert list(both.hits) == ["code", "pixel"]
    assert 3 not in [hit.row for hit in every.hits["binary"]]
    code = [hit.row for hit in every.hits["code"]]
    ranks = [code.index(hit.row) + 1 if hit.row in code else None for hit in every.hits["binary"]]
    assert [hit.other_rank for hit in every.hits["binary"]] == ranks
    assert len(set(ranks)) > 2  # some found by code too, else this tests nothing
    assert [method.name for method in every.methods] == list(every.hits) == ["code", "pixel", "binary"]


def test_an_uploaded_copy_of_a_stored_image_has_its_bits(searcher: Searcher) -> None:
    codes = searcher.encode(smooth_thumbnails(N))
    assert np.array_equal(searcher.binary_codes(codes), searcher.indexed_bits(np.arange(N)))
    assert np.array_equal(searcher.binary_codes(codes[5:6]), searcher.indexed_bits(np.array([5])))


def test_short_codes_are_of_28_bits(searcher: Searcher) -> None:
    short = searcher.short_codes(searcher.encode(smooth_thumbnails(N)))
    assert short.shape == (N, 4)
    assert len(np.unique(short, axis=0)) > N / 2
    assert not (short[:, 3] & 0b1111).any()


def test_json_of_a_result(searcher: Searcher) -> None:
    result = searcher.search(3, k=2, name="https://example.org/three.png")
    parsed = json.loads(json.dumps(result.to_json()))
    assert list(parsed) == ["query", "k", "model", "code", "pixel", "overlap", "no_good_match"]
    assert (parsed["query"], parsed["k"]) == ("https://example.org/three.png", 2)
    assert parsed["model"] == searcher.model
    names = ["row", "distance", "grade", "url", "page_url", "alt", "label", "near_duplicate_of", "provenance"]
    assert list(parsed["code"][0]) == names
    assert [hit["row"] for hit in parsed["pixel"]] == [hit.row for hit in result.hits["pixel"]]
    every = json.loads(json.dumps(searcher.search(3, k=2, by="all").to_json()))
    assert list(every) == ["query", "k", "model", "code", "pixel", "binary", "overlap", "no_good_match"]
    assert all(hit["distance"] == int(hit["distance"]) for hit in every["binary"])


def test_hits_are_graded_once_the_index_is_calibrated(paths: IndexPaths) -> None:
    (paths.search / CUTOFF_FILE).unlink()
    with Searcher.open(paths, device="cpu") as searcher:
        result = searcher.search(3, k=5)
        assert {hit.grade for hit in result.hits["code"]} == {""}
        assert not result.no_good_match
        near, far = (result.hits["code"][place].distance for place in (0, 2))
        for same, close, grades in (
            (near, far, ["same", "close", "close", "weak", "weak"]),
            (near / 4, near / 2, ["weak"] * 5),
        ):
            cutoff = Cutoff("cosine", same, close)
            write_cutoff(paths.search, Cutoffs(searcher.model, searcher.rows, {"code": cutoff}))
            with Searcher.open(paths, device="cpu") as calibrated:
                graded = calibrated.search(3, k=5)
            assert [hit.grade for hit in graded.hits["code"]] == grades
            assert {hit.grade for hit in graded.hits["pixel"]} == {""}
            assert graded.no_good_match == (grades[0] == "weak")
        # A searcher that was open while the index was being calibrated grades as soon as that is done.
        assert searcher.search(3, k=5).no_good_match


def test_the_name_of_a_query_in_its_result(searcher: Searcher, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encode_png(smooth_thumbnails(1)[0]))
    assert searcher.search(path, k=1).query == searcher.search(str(path), k=1).query == str(path)
    assert (
        searcher.search(path.read_bytes(), k=1).query == searcher.search(smooth_thumbnails(1)[0], k=1).query == "image"
    )


def test_more_hits_than_there_are_images(searcher: Searcher) -> None:
    result = searcher.search(smooth_thumbnails(N)[0], k=1000)
    assert len(result.hits["code"]) == len(result.hits["pixel"]) == result.overlap == N
    assert len(searcher.search(smooth_thumbnails(N)[0], k=1000, by="binary").hits["binary"]) == N


@pytest.mark.parametrize("k", [0, -1, 1001])
def test_a_k_out_of_range(searcher: Searcher, k: int) -> None:
    with pytest.raises(QueryError, match=f"k is {k}; it must be between 1 and 1,000"):
        searcher.search(0, k=k)


def test_a_method_that_does_not_exist(searcher: Searcher) -> None:
    with pytest.raises(QueryError, match="'colour'"):
        searcher.search(0, by="colour")


@pytest.mark.parametrize("row", [-1, N, 10**12])
def test_a_row_that_is_not_there(searcher: Searcher, row: int) -> None:
    with pytest.raises(UnknownRowError, match=str(row)):
        searcher.search(row)


def test_files_that_are_not_images(searcher: Searcher, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"there is no file .*nothing\.png"):
        searcher.search(tmp_path / "nothing.png")
    with pytest.raises(ImageError, match="cannot read"):
        searcher.search(tmp_path)
    with pytest.raises(ImageError, match="cannot read"):
        searcher.search("a\0b.png")
    (tmp_path / "text.png").write_text("no image")
    with pytest.raises(ImageError):
        searcher.search(tmp_path / "text.png")


def test_a_huge_file_is_refused_without_being_read(searcher: Searcher, tmp_path: Path) -> None:
    with (tmp_path / "huge.png").open("wb") as file:
        file.truncate(2**40)  # sparse: a terabyte that takes no room
    with pytest.raises(ImageError):
        searcher.search(tmp_path / "huge.png")


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((32, 32), np.uint8),
        np.zeros((32, 32, 4), np.uint8),
        np.zeros((0, 32, 3), np.uint8),
        np.zeros((32, 32, 3), np.float32),
    ],
)
def test_arrays_that_are_no_image(searcher: Searcher, image: NDArray[np.uint8]) -> None:
    with pytest.raises(ImageError, match="must be uint8 of shape"):
        searcher.search(image)


def test_a_reconstruction_is_a_thumbnail(searcher: Searcher) -> None:
    picture = searcher.reconstruct(searcher.query_thumbnail(4))
    assert picture.shape == (32, 32, 3)
    assert picture.dtype == np.uint8


def test_stored_codes_are_what_the_decoder_takes(searcher: Searcher) -> None:
    """The index normalises its codes, which would decode to other pictures."""
    rows = np.array([2, 5])
    stored, encoded = searcher.stored_codes(rows), searcher.encode(searcher.thumbnails(rows))
    assert (searcher.decode(stored) == searcher.decode(encoded)).all()
    indexed = searcher.indexed_codes(rows)
    np.testing.assert_allclose(stored / np.linalg.norm(stored, axis=1, keepdims=True), indexed, atol=1e-5)
    assert (np.abs(np.linalg.norm(stored, axis=1) - 1) > 0.05).all()


def test_stored_codes_of_another_model_are_refused(paths: IndexPaths) -> None:
    with Searcher.open(paths, device="cpu") as opened:
        info = json.loads((paths.codes / "codes.json").read_text())
        (paths.codes / "codes.json").write_text(json.dumps(info | {"model": "f" * 64}))
        with raises_with_hint(IndexMismatchError, Hint.REINDEX, match="the codes were made by"):
            opened.stored_codes(np.array([1]))


def test_a_picture_is_the_preview_or_else_the_thumbnail(paths: IndexPaths) -> None:
    add_images(paths, smooth_thumbnails(1, seed=5), preview=PREVIEW)
    with Searcher.open(paths, device="cpu") as searcher:
        assert searcher.picture(N) == PREVIEW
        assert np.array_equal(decode_image(searcher.picture(0)).thumbnail, smooth_thumbnails(N)[0])


def test_threads_share_a_searcher(searcher: Searcher) -> None:
    expected = [found_rows(searcher.search(row, k=5)) for row in range(N)]
    answers: dict[int, tuple[list[int], list[int]]] = {}

    def ask(row: int) -> None:
        answers[row] = found_rows(searcher.search(row, k=5))

    threads = [threading.Thread(target=ask, args=(row,)) for row in range(N)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answers[row] for row in range(N)] == expected


# ------------------------------------------------------------------------------------------------ removed and new


def test_removed_rows_vanish_at_once_and_come_back(paths: IndexPaths) -> None:
    with Searcher.open(paths, device="cpu") as searcher:
        before = found_rows(searcher.search(0, k=5))
        gone = [before[0][0], before[1][1]]
        remove(paths, gone)
        code, pixel = found_rows(searcher.search(0, k=5))
        assert not set(gone) & {*code, *pixel}
        assert not set(gone) & {hit.row for hit in searcher.search(0, k=N, by="binary").hits["binary"]}
        assert len(code) == len(pixel) == 5
        assert searcher.n_images == N - len(set(gone))
        with raises_with_hint(UnknownRowError, Hint.RESTORE_ROW, match=f"row {gone[0]} was removed"):
            searcher.search(gone[0])
        with Corpus.open_for_writing(paths) as corpus:
            corpus.restore(gone)
        assert found_rows(searcher.search(0, k=5)) == before


def test_everything_removed(paths: IndexPaths) -> None:
    remove(paths, list(range(N)))
    with Searcher.open(paths, device="cpu") as searcher:
        assert searcher.n_images == 0
        nothing = searcher.search(smooth_thumbnails(1)[0], by="all")
        assert nothing.hits == {"code": (), "pixel": (), "binary": ()}
        assert nothing.to_json()["binary"] == []  # used, and empty
        with pytest.raises(CorpusError, match="no image can be found"):
            searcher.random_row()


def test_a_random_row_can_be_found(paths: IndexPaths) -> None:
    remove(paths, list(range(2, N)))
    with Searcher.open(paths, device="cpu") as searcher:
        assert {searcher.random_row() for _ in range(50)} == {0, 1}
        assert searcher.random_row(Random(3)) == searcher.random_row(Random(3))


def test_rows_that_are_not_indexed_yet(paths: IndexPaths) -> None:
    with Searcher.open(paths, device="cpu") as searcher:
        assert searcher.rows_not_indexed == 0
        new = smooth_thumbnails(3, seed=5)
        add_images(paths, new)
        remove(paths, [0, N + 2])
        assert (searcher.rows_not_indexed, searcher.n_images) == (2, N - 1)
        result = searcher.search(N + 1, k=N)  # it has no code yet, so it is encoded now
        assert found_rows(result) == found_rows(searcher.search(new[1], k=N))
        assert max(hit.row for hit in (*result.hits["code"], *result.hits["pixel"])) < N
        assert searcher.entry(N).alt == f"number {N}"


# ------------------------------------------------------------------------------------------------- opening, fresh


def test_a_searcher_is_stale_after_a_new_model_or_index(paths: IndexPaths) -> None:
    with Searcher.open(paths, device="cpu") as searcher:
        assert not searcher.is_stale()
        add_images(paths, smooth_thumbnails(2, seed=5))
        assert not searcher.is_stale()  # new images alone change no result
        reindex(paths, device="cpu")
        assert searcher.is_stale()
    with Searcher.open(paths, device="cpu") as searcher:
        assert (searcher.n_images, searcher.is_stale()) == (N + 2, False)
        save_untrained_model(paths, seed=1)
        assert searcher.is_stale()
        shutil.rmtree(paths.model)
        assert searcher.is_stale()


def test_a_searcher_whose_index_was_deleted_is_stale(paths: IndexPaths) -> None:
    with Searcher.open(paths, device="cpu") as searcher:
        shutil.rmtree(paths.search)
        assert searcher.is_stale()
        assert len(searcher.search(0, k=3).hits["code"]) == 3  # an open index can still be searched


def test_an_index_of_another_model_is_refused(paths: IndexPaths) -> None:
    old = read_index_info(paths.search).model
    new = save_untrained_model(paths, seed=1)
    message = rf"the index was made by model {old[:8]}…, the current model is {new[:8]}…\."
    with raises_with_hint(IndexMismatchError, Hint.REINDEX, match=message):
        Searcher.open(paths, device="cpu")
    reindex(paths, device="cpu")
    with Searcher.open(paths, device="cpu") as searcher:
        assert searcher.search(0, k=1).model == new


def test_an_index_of_a_larger_corpus_is_refused(paths: IndexPaths) -> None:
    shutil.rmtree(paths.corpus)
    add_images(paths, smooth_thumbnails(3))
    with raises_with_hint(
        IndexMismatchError, Hint.REINDEX_FULL, match=rf"made of {N} images, the corpus holds only 3\."
    ):
        Searcher.open(paths, device="cpu")


def test_a_missing_part_is_named_with_a_hint(paths: IndexPaths) -> None:
    shutil.rmtree(paths.search)
    with raises_with_hint(IndexMissingError, Hint.REINDEX, match="nothing is indexed"):
        Searcher.open(paths, device="cpu")
    with raises_with_hint(CorpusError, Hint.ADD_IMAGES, match="there is no corpus"):
        Searcher.open(paths.root / "nowhere", device="cpu")


def test_a_device_that_does_not_exist(paths: IndexPaths) -> None:
    with pytest.raises(DeviceError):
        Searcher.open(paths, device="abacus")


def test_a_folder_is_opened_by_its_name_too(pristine: IndexPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(pristine.root.parent)
    for index in ("index", pristine.root, pristine):
        with Searcher.open(index, device="cpu") as searcher:
            assert searcher.n_images == N
