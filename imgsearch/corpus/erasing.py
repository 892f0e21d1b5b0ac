"""Erase the stored data of removed rows from the files of the corpus.

Everything is overwritten in place: rows and offsets stay, so that no other file has to be rebuilt, and readers with a
memory map see zeros. A row keeps its number, its sizes and its digest, so that the same bytes are refused later. If
interrupted, the next call completes it.
"""

from imgsearch.corpus.bytefile import ByteFile
from imgsearch.corpus.store import RECORD_BYTES, Corpus, stored_digest
from imgsearch.paths import IndexPaths


def erase_removed(corpus: Corpus, paths: IndexPaths) -> int:
    """Erase all removed rows of a corpus that is open for writing; return how many were not erased before.

    Raises:
        IndexDirectoryError: a disk error, or a reader holds the log of the database; call it again then.
    """
    fresh = corpus.database.select("SELECT row, preview_bytes FROM image WHERE removed = 1")
    # First the rows are marked as erased, so that no half-overwritten row can be restored.
    with corpus.database.transaction() as connection:
        connection.executemany(
            "UPDATE image SET removed = 2, label = '', stored_digest = ? WHERE row = ?",
            [(stored_digest(bytes(RECORD_BYTES), bytes(length)), row) for row, length in fresh],
        )
        rows = [(row,) for row, _ in fresh]
        connection.executemany("DELETE FROM source WHERE row = ?", rows)
        connection.executemany("DELETE FROM perceptual WHERE row = ?", rows)
        connection.executemany("UPDATE perceptual SET near_duplicate_of = NULL WHERE near_duplicate_of = ?", rows)
        connection.executemany("INSERT INTO source (row, url, page_url, alt) VALUES (?, '', '', '')", rows)
    erased = corpus.database.select("SELECT row, preview_offset, preview_bytes FROM image WHERE removed = 2")
    ByteFile(paths.thumbnails).overwrite((row * RECORD_BYTES, RECORD_BYTES) for row, _, _ in erased)
    ByteFile(paths.previews).overwrite((offset, length) for _, offset, length in erased)
    corpus.database.leave_no_trace()
    return len(fresh)
