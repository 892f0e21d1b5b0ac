"""The index of words on disk: updated, refused where its parts do not fit together, erased completely."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from imgsearch.autoencoder.codes import CodesInfo, open_codes
from imgsearch.corpus.store import Corpus
from imgsearch.corpus.words import Vocabulary
from imgsearch.device import pick_device
from imgsearch.errors import Hint, IndexMismatchError, IndexMissingError, ModelError
from imgsearch.paths import IndexPaths
from imgsearch.retrieval.text import text_index
from imgsearch.retrieval.text.bags import are_equal, count_words, rows_with_words
from imgsearch.retrieval.text.text_index import (
    WORDS_FILE,
    erase_words,
    open_text_index,
    update_text_index,
    words_stamp,
    write_vocabulary,
)
from tests.support.hints import raises_with_hint
from tests.support.progress import RecordedProgress
from tests.support.text_index import TOPICS, add_described, add_source, described, make_text_index

CPU = pick_device("cpu")
ALTS = [alt for alt, _ in described()]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> IndexPaths:
    return make_text_index(tmp_path_factory.mktemp("words") / "index", ALTS)


@pytest.fixture
def paths(made: IndexPaths, tmp_path: Path) -> IndexPaths:
    return IndexPaths(Path(shutil.copytree(made.root, tmp_path / "index")))


def update(paths: IndexPaths) -> tuple[int, list[int]]:
    """How many rows have words, and the numbers of rows that were encoded up to each report."""
    reported = RecordedProgress()
    with Corpus.open(paths) as corpus:
        n_rows = update_text_index(paths, corpus, CPU, on_progress=reported)
    return n_rows, [int(done) for done, _ in reported.steps]


def test_the_index_holds_the_words_of_each_row(paths: IndexPaths) -> None:
    index = open_text_index(paths)
    assert set(index.vocabulary.words) == {word for words in TOPICS.values() for word in words}
    assert are_equal(index.words.bags, count_words(ALTS, index.vocabulary))
    assert index.rows == len(ALTS) == len(index.codes)
    assert index.codes.shape[1] == 8


def test_the_file_has_the_parts_and_types_of_earlier_versions(paths: IndexPaths) -> None:
    """An index that they wrote opens, and they open this one."""
    with safe_open(paths.text.search / WORDS_FILE, framework="numpy") as file:
        types = {name: file.get_tensor(name).dtype.name for name in file.keys()}  # noqa: SIM118 -- no mapping
        assert set(file.metadata()) == {"model"}
        starts, words, counts = (file.get_tensor(name) for name in ("starts", "words", "counts"))
    assert types == {
        "starts": "int64",
        "words": "int32",
        "counts": "uint16",
        "directions": "float32",
        "places": "float16",
    }
    vocabulary = open_text_index(paths).vocabulary
    for row, alt in enumerate(ALTS):
        bag = slice(starts[row], starts[row + 1])
        assert dict(zip(words[bag].tolist(), counts[bag].tolist(), strict=True)) == vocabulary.count(alt)


def test_new_rows_are_added_and_changed_texts_encoded_anew(paths: IndexPaths) -> None:
    before = np.array(open_text_index(paths).codes)
    assert update(paths) == (len(ALTS), [])  # nothing to do
    add_described(paths, ["puppy leash", "zebra"])
    assert update(paths) == (len(ALTS) + 1, [len(ALTS) + 2])  # a zebra is no word of this model
    assert (np.array(open_text_index(paths).codes)[: len(ALTS)] == before).all()
    add_source(paths, 0, "wave beach")
    assert update(paths)[1] == [len(ALTS) + 2]
    codes = np.array(open_text_index(paths).codes)[: len(ALTS)]
    assert (codes != before).any(axis=1).tolist() == [True] + [False] * (len(ALTS) - 1)


def test_removed_rows_have_no_words_after_an_update(paths: IndexPaths) -> None:
    with Corpus.open_for_writing(paths) as corpus:
        corpus.remove([5])
    assert update(paths)[0] == len(ALTS) - 1
    assert 5 not in rows_with_words(open_text_index(paths).words.bags)


def test_erased_words_are_in_no_file(paths: IndexPaths) -> None:
    index = open_text_index(paths)
    bag, other = (np.array(part[7]) for part in (index.words.places, index.codes))
    erase_words(paths, np.array([7, 10_000]))
    left = open_text_index(paths)
    assert 7 not in rows_with_words(left.words.bags)
    assert len(rows_with_words(left.words.bags)) == len(ALTS) - 1
    assert not left.words.places[7].any()
    assert not np.array(left.codes[7]).any()
    stored = (paths.text.search / WORDS_FILE).read_bytes()
    assert bag.astype(np.float16).tobytes() not in stored
    assert other.tobytes() not in (paths.text.codes / "codes.f16").read_bytes()
    erase_words(paths, np.array([7]))  # again


def test_erasing_without_an_index_of_words_does_nothing(tmp_path: Path) -> None:
    erase_words(IndexPaths(tmp_path / "index"), np.array([0]))
    assert not (tmp_path / "index").exists()


@pytest.mark.parametrize("content", [b"", b"not safetensors at all", None])
def test_a_damaged_index_is_refused_and_replaced_by_the_next_update(paths: IndexPaths, content: bytes | None) -> None:
    file = paths.text.search / WORDS_FILE
    file.unlink() if content is None else file.write_bytes(content)
    with raises_with_hint(IndexMissingError, Hint.REINDEX, match="is damaged|no words are indexed"):
        open_text_index(paths)
    update(paths)
    assert open_text_index(paths).rows == len(ALTS)


def test_a_damaged_index_is_erased_whole(paths: IndexPaths) -> None:
    (paths.text.search / WORDS_FILE).write_bytes(b"damaged")
    erase_words(paths, np.array([0]))
    assert not (paths.text.search / WORDS_FILE).exists()


def test_without_a_model_training_on_words_is_the_hint(tmp_path: Path) -> None:
    with raises_with_hint(ModelError, Hint.TRAIN_TEXT, match="no text model"):
        open_text_index(IndexPaths(tmp_path))


def test_parts_of_different_models_are_refused(paths: IndexPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    vocabulary = Vocabulary.of(ALTS)
    write_vocabulary(paths, vocabulary, "0" * 64)
    with pytest.raises(ModelError, match="another text model"):
        open_text_index(paths)
    _, info = open_codes(paths.text.codes)
    write_vocabulary(paths, vocabulary, info.model)
    monkeypatch.setattr(
        text_index, "open_codes", lambda folder: (open_codes(folder)[0], CodesInfo("0" * 64, info.rows, info.code_size))
    )
    with raises_with_hint(IndexMismatchError, Hint.REINDEX, match="indexed with another model"):
        open_text_index(paths)


def test_the_stamp_changes_with_the_index(paths: IndexPaths) -> None:
    before = words_stamp(paths)
    assert words_stamp(paths) == before
    update(paths)
    assert words_stamp(paths) != before
