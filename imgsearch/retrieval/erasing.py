"""Erase the codes and words of removed rows, on disk and in the index."""

from collections.abc import Sequence

import numpy as np

from imgsearch.autoencoder.codes import zero_codes
from imgsearch.errors import IndexMissingError
from imgsearch.paths import IndexPaths, exclusive, replacing
from imgsearch.retrieval.index.binary_codes import load_binary, save_binary
from imgsearch.retrieval.index.code import CodeIndex
from imgsearch.retrieval.text.text_index import erase_words


def erase_codes(paths: IndexPaths, rows: Sequence[int]) -> None:
    """Overwrite the codes of `rows` with zeros and empty their bags of words; may be repeated.

    Results do not change, since the rows are removed. A searcher that is open keeps its copy in memory.

    Raises:
        IndexDirectoryError: another process writes codes or the index, or the disk refuses.
    """
    if paths.codes.exists():
        with exclusive(paths.codes, "encoding"):
            zero_codes(paths.codes, rows)
    if paths.search.exists():
        with exclusive(paths.search, "building the index"):
            _erase_indexed(paths, rows)
    erase_words(paths, np.array(rows, np.int64))


def _erase_indexed(paths: IndexPaths, rows: Sequence[int]) -> None:
    try:
        index = CodeIndex.load(paths.search)
        path = paths.search / index.info.binary_file
        coder, bits = load_binary(path, index.rows)
    except (IndexMissingError, FileNotFoundError):
        # A damaged index cannot be searched and will be built anew from the codes; no part of it may stay.
        for old in (*paths.search.glob("*.faiss"), *paths.search.glob("binary-*")):
            old.unlink(missing_ok=True)
        return
    indexed = [row for row in rows if row < index.rows]
    bits = bits.copy()
    bits[indexed] = 0
    index.codes_in_memory[indexed] = 0
    with replacing(path) as temporary:
        save_binary(temporary, coder, bits)
    index.save(paths.search)
