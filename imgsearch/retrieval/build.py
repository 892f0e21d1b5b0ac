"""Build the index of the codes on disk and of their binary codes, and open it for searching."""

from dataclasses import dataclass
from pathlib import Path

from imgsearch.autoencoder.card import current_model, read_card
from imgsearch.autoencoder.codes import open_codes
from imgsearch.errors import Hint, IndexMissingError
from imgsearch.paths import IndexPaths, exclusive, replacing
from imgsearch.progress import Progress, silent
from imgsearch.retrieval.index.binary import BinaryIndex
from imgsearch.retrieval.index.binary_codes import BinaryCoder, load_binary, save_binary
from imgsearch.retrieval.index.code import CodeIndex
from imgsearch.retrieval.index.index_info import IndexInfo, mismatch


def build_index(paths: IndexPaths, *, on_progress: Progress = silent) -> IndexInfo:
    """Index all codes and swap the new index in; searchers keep the old one until they open the new one.

    Raises:
        ModelError: the model is damaged.
        IndexMissingError: there are no codes.
        IndexMismatchError: the codes were made by another model.
        IndexDirectoryError: another process builds it, or the disk is full or read-only.
    """
    card = read_card(current_model(paths))
    codes, made_by = open_codes(paths.codes)
    if made_by.model != card.digest:
        raise mismatch("codes were", made_by.model, card.digest)
    with exclusive(paths.search, "building the index"):
        index = CodeIndex.build(codes, card.metric, card.digest)
        coder = BinaryCoder.fit(codes)
        # In this order a reader finds all files of the index that the description names, the old one or the new one.
        with replacing(paths.search / index.info.binary_file) as temporary:
            save_binary(temporary, coder, coder.encode(codes, on_progress=on_progress))
        info = index.save(paths.search)
        for old in (*paths.search.glob("*.faiss"), *paths.search.glob("binary-*")):
            if old.name not in (info.file, info.binary_file):
                old.unlink(missing_ok=True)
    return info


@dataclass(frozen=True)
class StoredIndex:
    """The index of a directory, opened for searching."""

    codes: CodeIndex
    coder: BinaryCoder  # encodes other codes to bits
    bits: BinaryIndex  # of the same rows as `codes`


def open_index(folder: Path, *, gpu: int | None = None) -> StoredIndex:
    """Open the index in `folder` (`IndexPaths.search`), its codes on that GPU where faiss sees it.

    Raises:
        IndexMissingError: there is none, or it is damaged.
    """
    for last_try in (False, True):
        index = CodeIndex.load(folder, gpu=gpu)
        path = folder / index.info.binary_file
        try:
            coder, bits = load_binary(path, index.rows)
            return StoredIndex(index, coder, BinaryIndex.build(bits))
        except FileNotFoundError as error:
            if last_try:  # at the first try a build may have replaced the index between the two reads
                raise IndexMissingError(f"{path} is missing.", hint=Hint.REINDEX) from error
    raise AssertionError
