"""What words are searched with, on disk under `text/`: vocabulary, bags of words, latent semantics, codes of words.

Knows these files and which model they belong to; must not know queries. A row is the same image as everywhere.

    vocabulary.json            the words, and the digest of the model that was trained on them
    model/  codes/             checkpoint and codes, as of images
    search/words.safetensors   bags of words and latent semantics of all rows, in one file that is replaced as a whole
"""

import json
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
SEMANTIC_SIZE = 128  # directions of the latent semantic analysis: as many as the code has numbers, …
WORDS_PER_DIRECTION = 4  # … but for few words fewer: as many directions as words would be the words again
TOLD_EVERY = 1000  # texts between two reports of progress


@dataclass(frozen=True)
class Words:
    """Bags and latent semantics of the rows of a corpus."""

    bags: Bags
    space: SemanticSpace
    places: NDArray[np.floating]  # (n, k) where each row lies among the latent semantics


@dataclass(frozen=True)
class TextIndex:
    """Everything that is searched; all parts belong to one model."""

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


def write_vocabulary(paths: IndexPaths, vocabulary: Vocabulary, model: str) -> None:
    """Keep the words that the model of this digest was trained on.

    Raises:
        IndexDirectoryError: the directory cannot be written.
    """
    with replacing(paths.text.root / VOCABULARY_FILE) as temporary:
        text = json.dumps({"model": model, "vocabulary": json.loads(vocabulary.to_json())}, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def read_vocabulary(paths: IndexPaths) -> tuple[Vocabulary, str]:
    """The words that the current text model was trained on, and its digest.

    Raises:
        ModelError: there is no text model, or it is damaged.
    """
    if not has_text_model(paths):
        raise ModelError(f"no model of words in {paths.text.root} yet.", hint=Hint.TRAIN_TEXT)
    path = paths.text.root / VOCABULARY_FILE
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
        model, vocabulary = str(read["model"]), Vocabulary.from_json(json.dumps(read["vocabulary"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} cannot be read ({error}).", hint=Hint.TRAIN_TEXT) from error
    if model != read_card(paths.text.model).digest:
        raise ModelError(f"{path} belongs to another model of words: a training was cut off.", hint=Hint.TRAIN_TEXT)
    return vocabulary, model


def has_text_model(paths: IndexPaths) -> bool:
    """Whether a model of words was trained here."""
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
    """Bring bags, latent semantics and codes up to what is written in the corpus now; how many rows have words.

    Rows get new codes where they lack one; all of them where what is written of an earlier row has changed, or with
    `full`. Removed rows have no words. `on_progress` gets how many of how many texts are read, then encoded.

    Raises:
        ModelError: there is no text model, or it is damaged.
        IndexDirectoryError: the directory cannot be written, or another process writes it.
    """
    from imgsearch.autoencoder.checkpoint import load_checkpoint
    from imgsearch.autoencoder.encode import update_codes

    vocabulary, model = read_vocabulary(paths)
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
    """What `update_text_index` left.

    Raises:
        ModelError: there is no text model, or it is damaged.
        IndexMissingError: nothing is indexed yet, or a file is damaged.
        IndexMismatchError: the files belong to another model.
    """
    vocabulary, model = read_vocabulary(paths)
    words, made_by = _read_words(paths)
    codes, info = open_codes(paths.text.codes)
    if not model == made_by == info.model:
        raise IndexMismatchError(f"the words in {paths.text.root} were indexed with another model.", hint=Hint.REINDEX)
    return TextIndex(model, vocabulary, words, tf_idf(words.bags, vocabulary), codes)


def erase_words(paths: IndexPaths, rows: NDArray[np.int64]) -> None:
    """Leave nothing of what is written of `rows` in bags, latent semantics and codes; may be repeated.

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
            (paths.text.search / WORDS_FILE).unlink(missing_ok=True)  # damaged: nothing of it may stay
            return
        places = words.places.copy()
        places[rows[rows < len(places)]] = 0
        _write_words(paths, Words(without_rows(words.bags, rows), words.space, places), model)


def counted(texts: Sequence[str], on_progress: Progress) -> Iterator[str]:
    """Yield the texts, and report how many of them were taken."""
    for number, text in enumerate(texts, start=1):
        if number % TOLD_EVERY == 0:
            on_progress(number, len(texts))
        yield text


def words_stamp(paths: IndexPaths) -> tuple[int, int]:
    """Changes when the words are indexed anew; (0, 0) where they are not."""
    try:
        status = (paths.text.search / WORDS_FILE).stat()
    except OSError:
        return (0, 0)
    return status.st_mtime_ns, status.st_ino


def _continues(paths: IndexPaths, bags: Bags, model: str) -> bool:
    """Whether these bags are the indexed ones, or those with more rows behind."""
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
