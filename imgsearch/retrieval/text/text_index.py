"""The index of words, on disk under `text/`: vocabulary, bags of words, latent semantics and codes of words.

vocabulary.json            the words, and the digest of the model that was trained on them
model/  codes/             checkpoint and codes, as of images
search/words.safetensors   bags of words and latent semantics of all rows, one file that is replaced as a whole
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from imgsearch.autoencoder.card import CARD_NAME, read_card
from imgsearch.autoencoder.codes import open_codes, zero_codes
from imgsearch.corpus.store import Corpus
from imgsearch.corpus.texts import row_texts
from imgsearch.corpus.words import Vocabulary
from imgsearch.errors import Hint, IndexMismatchError, IndexMissingError, ModelError
from imgsearch.paths import IndexPaths, directory_errors, exclusive, replacing
from imgsearch.progress import Progress, silent
from imgsearch.records import read_record, write_record
from imgsearch.retrieval.text.bags import (
    Bags,
    DenseRows,
    WordVectors,
    are_equal,
    count_words,
    make_bags,
    rows_with_words,
    tf_idf,
    without_rows,
)
from imgsearch.retrieval.text.lsa import SemanticSpace

if TYPE_CHECKING:
    from imgsearch.device import DeviceChoice

VOCABULARY_FILE, WORDS_FILE = "vocabulary.json", "words.safetensors"
SEMANTIC_SIZE = 128  # directions of the latent semantic analysis: as many as the code has numbers,
WORDS_PER_DIRECTION = 4  # but fewer for a small vocabulary: as many directions as words would only rotate the words
REPORT_EVERY = 1000  # texts between two reports of progress


@dataclass(frozen=True)
class Words:
    """Bags and latent semantics of the rows of a corpus."""

    bags: Bags
    space: SemanticSpace
    places: NDArray[np.floating]  # (n, k) each row in the space


@dataclass(frozen=True)
class TextIndex:
    """All that a search by words needs; the parts belong to one model."""

    model: str  # digest
    vocabulary: Vocabulary
    words: Words
    vectors: WordVectors  # of the bags
    codes: NDArray[np.float16]  # (n, d)

    @property
    def rows(self) -> int:
        """Rows 0..rows-1 of the corpus are in the index."""
        return min(int(self.words.bags.shape[0]), len(self.codes))


# ----------------------------------------------------------------------------------------------------------------------
# The vocabulary and its model


@dataclass(frozen=True)
class TrainedVocabulary:
    """`vocabulary.json`: the words that a text model was trained on."""

    model: str  # digest
    vocabulary: Vocabulary


def write_vocabulary(paths: IndexPaths, vocabulary: Vocabulary, model: str) -> None:
    """Write the words that the model of this digest was trained on.

    Raises:
        IndexDirectoryError: the directory cannot be written.
    """
    write_record(paths.text.root / VOCABULARY_FILE, TrainedVocabulary(model, vocabulary))


def read_vocabulary(paths: IndexPaths) -> TrainedVocabulary:
    """Read the words that the current text model was trained on.

    Raises:
        ModelError: there is no text model, or it is damaged.
    """
    if not has_text_model(paths):
        raise ModelError(f"there is no text model in {paths.text.root} yet.", hint=Hint.TRAIN_TEXT)
    path = paths.text.root / VOCABULARY_FILE
    read = read_record(
        path,
        TrainedVocabulary,
        missing=ModelError(f"{path} is missing.", hint=Hint.TRAIN_TEXT),
        damaged=lambda reason: ModelError(f"{path} is damaged: {reason}.", hint=Hint.TRAIN_TEXT),
    )
    if read.model != read_card(paths.text.model).digest:
        raise ModelError(f"{path} belongs to another text model: a training was interrupted.", hint=Hint.TRAIN_TEXT)
    return read


def has_text_model(paths: IndexPaths) -> bool:
    """Return whether a text model was trained here."""
    return (paths.text.model / CARD_NAME).exists()


# ----------------------------------------------------------------------------------------------------------------------
# The index


def update_text_index(
    paths: IndexPaths,
    corpus: Corpus,
    device: "DeviceChoice",
    *,
    full: bool = False,
    on_progress: Progress = silent,
) -> int:
    """Bring bags, latent semantics and codes up to date with the corpus; return how many rows have words.

    Rows without a code are encoded; all rows where the words of an earlier row have changed, or with `full`. Removed
    rows have no words. `on_progress` reports the texts that were read, then those that were encoded.

    Raises:
        ModelError: there is no text model, or it is damaged.
        IndexDirectoryError: the directory cannot be written, or another process writes it.
    """
    from imgsearch.autoencoder.checkpoint import load_checkpoint
    from imgsearch.autoencoder.encode import update_codes

    trained = read_vocabulary(paths)
    vocabulary, model = trained.vocabulary, trained.model
    network, card = load_checkpoint(paths.text.model, device.device)
    texts = row_texts(corpus)
    bags = count_words(counted(texts, on_progress), vocabulary)
    vectors = tf_idf(bags, vocabulary)
    with_words = rows_with_words(bags)
    changed = full or not _continues(paths, bags, model)
    size = min(SEMANTIC_SIZE, max(1, len(vocabulary) // WORDS_PER_DIRECTION))
    space = SemanticSpace.of(vectors[with_words], size)
    words = Words(bags, space, space.project(vectors))
    with exclusive(paths.text.search, "building the index"):
        update_codes(DenseRows(vectors), paths.text, network, card, device, full=changed, on_progress=on_progress)
        _write_words(paths, words, model)
    return len(with_words)


def open_text_index(paths: IndexPaths) -> TextIndex:
    """Open the index of words for searching.

    Raises:
        ModelError: there is no text model, or it is damaged.
        IndexMissingError: nothing is indexed yet, or a file is damaged.
        IndexMismatchError: the files belong to another model.
    """
    trained = read_vocabulary(paths)
    words, made_by = _read_words(paths)
    codes, info = open_codes(paths.text.codes)
    if not trained.model == made_by == info.model:
        raise IndexMismatchError(f"the words in {paths.text.root} were indexed with another model.", hint=Hint.REINDEX)
    return TextIndex(trained.model, trained.vocabulary, words, tf_idf(words.bags, trained.vocabulary), codes)


def erase_words(paths: IndexPaths, rows: NDArray[np.int64]) -> None:
    """Erase the words of `rows` from bags, latent semantics and codes; may be repeated.

    Raises:
        IndexDirectoryError: another process writes them, or the disk refuses.
    """
    if not paths.text.search.exists():
        return
    with exclusive(paths.text.search, "building the index"):
        with exclusive(paths.text.codes, "encoding"):
            zero_codes(paths.text.codes, rows.tolist())
        try:
            words, model = _read_words(paths)
        except IndexMissingError:
            (paths.text.search / WORDS_FILE).unlink(missing_ok=True)  # it is damaged, and no part of it may stay
            return
        places = words.places.copy()
        places[rows[rows < len(places)]] = 0
        _write_words(paths, Words(without_rows(words.bags, rows), words.space, places), model)


def counted(texts: Sequence[str], on_progress: Progress) -> Iterator[str]:
    """Yield the texts and report how many of them were taken."""
    for number, text in enumerate(texts, start=1):
        if number % REPORT_EVERY == 0:
            on_progress(number, len(texts))
        yield text


def words_stamp(paths: IndexPaths) -> tuple[int, int]:
    """Return a stamp that changes when the words are indexed anew; (0, 0) where they are not indexed."""
    try:
        status = (paths.text.search / WORDS_FILE).stat()
    except OSError:
        return (0, 0)
    return status.st_mtime_ns, status.st_ino


def _continues(paths: IndexPaths, bags: Bags, model: str) -> bool:
    """Return whether the indexed bags, made by this model, are the first of these."""
    try:
        words, made_by = _read_words(paths)
    except IndexMissingError:
        return False
    n = words.bags.shape[0]
    return made_by == model and n <= bags.shape[0] and are_equal(words.bags, bags[:n])


def _write_words(paths: IndexPaths, words: Words, model: str) -> None:
    arrays: dict[str, NDArray[Any]] = {
        "starts": words.bags.indptr.astype(np.int64),
        "words": words.bags.indices.astype(np.int32),
        "counts": words.bags.data,
        "directions": words.space.directions,
        "places": words.places.astype(np.float16),
    }
    with replacing(paths.text.search / WORDS_FILE) as temporary:
        temporary.write_bytes(save(arrays, {"model": model}))


def _read_words(paths: IndexPaths) -> tuple[Words, str]:
    path = paths.text.search / WORDS_FILE
    if not path.exists():
        raise IndexMissingError(f"no words are indexed in {paths.text.root} yet.", hint=Hint.REINDEX)
    with directory_errors(path):
        try:
            return _parsed(path)
        except (SafetensorError, KeyError, TypeError, ValueError) as error:
            raise IndexMissingError(f"{path} is damaged ({error}).", hint=Hint.REINDEX) from error


def _parsed(path: Path) -> tuple[Words, str]:
    with safe_open(path, framework="numpy") as file:
        starts, words, counts, directions, places = (
            file.get_tensor(name) for name in ("starts", "words", "counts", "directions", "places")
        )
        model = file.metadata()["model"]
    bags = make_bags(starts, words, counts, len(directions))
    if len(places) != bags.shape[0]:
        raise ValueError("its parts do not fit together")
    return Words(bags, SemanticSpace(directions), places), model
