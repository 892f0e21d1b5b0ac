"""Erasing codes and words of removed rows, on disk and in the index. Knows which files hold them; no models."""

from collections.abc import Sequence

import numpy as np

from imgsearch.autoencoder.codes import zero_codes
from imgsearch.errors import IndexMissingError
from imgsearch.paths import IndexPaths, exclusive, replacing
from imgsearch.retrieval.index.binary_codes import load_binary, save_binary
from imgsearch.retrieval.index.code import CodeIndex
from imgsearch.retrieval.text.text_index import erase_words


def erase_codes(paths: IndexPaths, rows: Sequence[int]) -> None:
    """Put zeros in the place of the codes of `rows`, and nothing in that of their words; may be repeated.

    No answer changes, as long as the rows are removed. Whoever has the index open keeps what is in memory.

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
        # A damaged index answers nothing and is built anew from the codes; no part of it may stay.
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
