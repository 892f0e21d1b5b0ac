"""Erasing what is stored of removed rows. Knows the corpus's files; must not know codes, indexes or crawls.

Everything is overwritten in place: rows and offsets stay, so that no other file has to be made anew, and readers that
hold a memory map see zeros. A row keeps its number, its sizes and its digest, by which the same bytes are refused when
they come again. Interrupted anywhere, it is completed by the next call.
"""

from imgsearch.corpus.bytefile import ByteFile
from imgsearch.corpus.store import RECORD_BYTES, Corpus, stored_digest
from imgsearch.paths import IndexPaths


def erase_removed(corpus: Corpus, paths: IndexPaths) -> int:
    """Erase all removed rows of a corpus that is open for writing; how many were not erased before.

    Raises:
        IndexDirectoryError: the disk refuses, or a reader holds the log of the database: repeat it then.
    """
    fresh = corpus.database.select("SELECT row, preview_bytes FROM image WHERE removed = 1")
    # First the rows are said to be erased: from then on none can be restored that is half overwritten.
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
