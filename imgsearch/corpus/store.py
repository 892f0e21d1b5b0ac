"""The corpus on disk: thumbnails and previews in two flat files, one SQLite row per image.

Row `i` is bytes `3072 * i` to `3072 * (i + 1)` of `thumbnails.u8`; its preview starts at `preview_offset` in
`previews.bin`, where previews are concatenated. One process writes; any number of processes and threads read.

Crash rule: image bytes are written and synced before their rows are committed. So every committed row is complete, and
bytes after the last one belong to no image: the next writer cuts them off.
"""

import os
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from imgsearch.corpus.bytefile import ByteFile
from imgsearch.corpus.database import VALUES_PER_STATEMENT, Database
from imgsearch.corpus.decoding.images import SIDE
from imgsearch.corpus.records import CorpusCounts, Entry, NewImage, Provenance, Source
from imgsearch.errors import CorpusError, Hint, UnknownRowError
from imgsearch.paths import IndexPaths, directory_errors, exclusive
from imgsearch.progress import Progress, silent

__all__ = ["RECORD_BYTES", "Corpus", "CorpusCounts", "Entry", "NewImage", "Provenance", "Source"]

RECORD_BYTES = SIDE * SIDE * 3  # one thumbnail

Rows = Sequence[int] | NDArray[np.int64]

_PROVENANCE = "fetched_at, content_type, etag, last_modified, robots, licence"
_ENTRIES = f"""
SELECT image.row, lower(hex(digest)), url, page_url, alt, label,
       width, height, n_bytes, preview_bytes, added_at, removed, near_duplicate_of, {_PROVENANCE}
FROM image JOIN source ON source.rowid =
    (SELECT rowid FROM source WHERE source.row = image.row ORDER BY gone_at > 0, rowid LIMIT 1)
LEFT JOIN perceptual ON perceptual.row = image.row
"""
_NEW_SOURCE = f"INSERT OR IGNORE INTO source (row, url, page_url, alt, {_PROVENANCE}) VALUES (?{', ?' * 9})"


class Corpus:
    """The stored images. Open it with `Corpus.open` or `Corpus.open_for_writing`, in a `with` statement.

    Every method may be called from any thread, and raises IndexDirectoryError after a disk error and CorpusError where
    the files are damaged.
    """

    def __init__(self, paths: IndexPaths, database: Database) -> None:
        self.recovered = ""  # a sentence, if opening repaired an interrupted write
        self._paths = paths
        self._database = database
        self._thumbnails, self._previews = ByteFile(paths.thumbnails), ByteFile(paths.previews)
        self._mapped = np.zeros((0, SIDE, SIDE, 3), np.uint8)
        self._lock = threading.RLock()
        self._held = ExitStack()  # closed by `close`

    @classmethod
    def open(cls, paths: IndexPaths) -> Self:
        """Open for reading, also while another process writes. CorpusError where there is no corpus yet."""
        with directory_errors(paths.corpus_database):
            database = Database.open(paths.corpus_database) if paths.corpus_database.exists() else None
        if database is None:
            raise CorpusError(f"there is no corpus in {paths.root}.", hint=Hint.ADD_IMAGES)
        corpus = cls(paths, database)
        corpus._held.callback(database.close)
        return corpus

    @classmethod
    def open_for_writing(cls, paths: IndexPaths) -> Self:
        """Open as the only writer; create missing files and cut off incomplete images of a killed writer."""
        with ExitStack() as held:
            held.enter_context(exclusive(paths.corpus, "writing to the corpus"))
            if not paths.corpus_database.exists() and ByteFile(paths.thumbnails).size():
                raise CorpusError(
                    f"the corpus is damaged: {paths.corpus_database} is missing. Restore it from a copy, or delete "
                    f"{paths.corpus} and collect the images again."
                )
            database = Database.open_for_writing(paths.corpus_database)
            held.callback(database.close)
            corpus = cls(paths, database)
            cut = corpus._cut_uncommitted()
            _sync_directory(paths.corpus)
            if cut:
                corpus.recovered = (
                    f"the last writer was interrupted: {cut:,} bytes of unfinished images were cut off; "
                    f"all {len(corpus):,} stored images are whole"
                )
            corpus._held = held.pop_all()
        return corpus

    def close(self) -> None:
        """Close the files; memory maps returned earlier stay valid."""
        self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -----------------------------------------------------------------------------------------------------------------
    # Reading

    def __len__(self) -> int:
        """Number of committed rows, removed ones included."""
        return int(self._database.select("SELECT coalesce(max(row) + 1, 0) FROM image")[0][0])

    def counts(self) -> CorpusCounts:
        """Return the current number of rows, images and bytes."""
        rows, removed = len(self), len(self.removed_rows())
        files = (self._paths.thumbnails, self._paths.previews, self._paths.corpus_database)
        sizes = [ByteFile(path).size() for path in (*files, files[-1].with_name(files[-1].name + "-wal"))]
        return CorpusCounts(
            rows=rows,
            images=rows - removed,
            removed=removed,
            preview_bytes=self._previews_end(),
            bytes_on_disk=sum(sizes),
            near_duplicates=self._n_near_duplicates(),
        )

    def thumbnails(self) -> NDArray[np.uint8]:
        """Return all committed rows: (n, 32, 32, 3) uint8, a read-only memory map."""
        rows = len(self)
        with self._lock:
            if rows > len(self._mapped):
                self._mapped = self._thumbnails.mapped(rows * RECORD_BYTES).reshape(-1, SIDE, SIDE, 3)
            return self._mapped

    def entry(self, row: int) -> Entry:
        """Return the entry of one row. UnknownRowError if there is no such row."""
        return self.entries([row])[0]

    def entries(self, rows: Rows) -> list[Entry]:
        """Return the entries of `rows`, in their order. UnknownRowError names the first unknown row."""
        wanted = [int(row) for row in rows]
        found = {entry.row: entry for entry in self._entries_where("image.row", set(wanted))}
        self._refuse_unknown(row for row in wanted if row not in found)
        return [found[row] for row in wanted]

    def find_digests(self, digests: Sequence[str]) -> dict[str, Entry]:
        """Return the entries of the sha256 digests (hex) that are stored, removed ones included."""
        wanted = {bytes.fromhex(digest) for digest in digests}
        return {entry.digest: entry for entry in self._entries_where("digest", wanted)}

    def preview(self, row: int) -> bytes | None:
        """Return the preview as JPEG bytes, None if the row has none. UnknownRowError if there is no such row."""
        found = self._database.select("SELECT preview_offset, preview_bytes FROM image WHERE row = ?", [int(row)])
        self._refuse_unknown([] if found else [row])
        offset, length = found[0]
        return self._previews.read(offset, length) if length else None

    def sources(self, row: int) -> list[Source]:
        """Return every place where the image of `row` was found, oldest first."""
        found = self._database.select(
            f"SELECT url, page_url, alt, gone_at, {_PROVENANCE} FROM source WHERE row = ? ORDER BY rowid", [int(row)]
        )
        self._refuse_unknown([] if found else [row])
        return [Source(url, page, alt, Provenance(*how), gone_at) for url, page, alt, gone_at, *how in found]

    def rows_of_url(self, url: str) -> list[int]:
        """Return the rows of the images that were found at `url`."""
        found = self._database.select("SELECT row FROM source WHERE url = ? ORDER BY row", [_text(url)])
        return [row for (row,) in found]

    def labels(self) -> list[str]:
        """Return one label per row, "" where there is none."""
        return [label for (label,) in self._database.select("SELECT label FROM image ORDER BY row")]

    def removed_rows(self) -> NDArray[np.int64]:
        """Return the removed rows, (m,) int64, ascending."""
        rows = self._database.select("SELECT row FROM image WHERE removed ORDER BY row")
        return np.fromiter((row for (row,) in rows), np.int64, len(rows))

    @property
    def database(self) -> Database:
        """The database, for other modules of this package that store something in it."""
        return self._database

    def live_rows(self) -> NDArray[np.int64]:
        """Return the rows that are not removed: (m,) int64, ascending."""
        is_live = np.ones(len(self), bool)
        removed = self.removed_rows()
        is_live[removed[removed < len(is_live)]] = (
            False  # a writer may have added and removed rows since they were counted
        )
        return np.flatnonzero(is_live).astype(np.int64, copy=False)

    def change_count(self) -> int:
        """Return a number that grows when rows are added, removed or restored, in any process. Cheap."""
        return self._database.change_count()

    def perceptual_originals(self) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        """Return rows (n,) and perceptual hashes (n,) of images that are no near-duplicates, rows ascending."""
        found = self._database.select("SELECT row, hash FROM perceptual WHERE near_duplicate_of IS NULL ORDER BY row")
        pairs = np.array(found, np.int64).reshape(-1, 2)
        return pairs[:, 0].copy(), pairs[:, 1].copy().view(np.uint64)

    def rows_without_hash(self) -> NDArray[np.int64]:
        """Return the rows without a perceptual hash, of an earlier format: (m,) int64, ascending."""
        found = self._database.select(
            "SELECT image.row FROM image LEFT JOIN perceptual USING (row) WHERE perceptual.row IS NULL AND removed < 2"
            " ORDER BY row"
        )
        return np.fromiter((row for (row,) in found), np.int64, len(found))

    def _n_near_duplicates(self) -> int:
        counted = "SELECT count(near_duplicate_of) FROM perceptual JOIN image USING (row) WHERE NOT removed"
        return int(self._database.select(counted)[0][0])

    def verify(self, *, on_progress: Progress = silent) -> list[str]:
        """Read everything and return the problems, one sentence each."""
        problems = self._database.problems()
        try:
            self._expect_owned_bytes()
        except CorpusError as missing:
            return [*problems, str(missing)]
        thumbnails = self.thumbnails()
        rows, previews_end = len(thumbnails), 0
        for start in range(0, rows, VALUES_PER_STATEMENT):
            end = min(start + VALUES_PER_STATEMENT, rows)
            block = self._database.select(
                "SELECT row, preview_offset, preview_bytes, stored_digest FROM image "
                "WHERE row >= ? AND row < ? ORDER BY row",
                [start, end],
            )
            absent = set(range(start, end)) - {int(row) for row, *_ in block}
            problems += [f"row {row} is missing" for row in sorted(absent)]
            for row, offset, length, digest in block:
                if offset != previews_end:
                    problems.append(f"row {row}: its preview begins at {offset:,}, not at {previews_end:,}")
                previews_end = offset + length
                preview = self._previews.read(offset, length) if length else b""
                if stored_digest(thumbnails[row].tobytes(), preview) != digest:
                    problems.append(f"row {row}: its thumbnail or preview is not what was stored")
            on_progress(end, rows)
        return problems

    def _entries_where(self, column: str, values: Iterable[object]) -> Iterator[Entry]:
        for found in self._database.select_in(f"{_ENTRIES} WHERE {column} IN", list(values)):
            yield Entry(*(*found[:11], bool(found[11]), Provenance(*found[13:]), found[12], found[11] == 2))

    def _refuse_unknown(self, rows: Iterable[int]) -> None:
        for row in rows:
            n = len(self)
            there = f"its rows are 0 to {n - 1}" if n else "it is empty"
            raise UnknownRowError(f"the corpus has no row {row}: {there}.")

    def _previews_end(self) -> int:
        last = self._database.select("SELECT preview_offset + preview_bytes FROM image ORDER BY row DESC LIMIT 1")
        return int(last[0][0]) if last else 0

    # -----------------------------------------------------------------------------------------------------------------
    # Writing

    def append(self, images: Sequence[NewImage]) -> list[int]:
        """Store `images` in one transaction and return their rows. Durable when it returns; all of them or none.

        Raises:
            CorpusError: a digest is stored already.
        """
        if not images:
            return []
        thumbnails = [_record(image.thumbnail) for image in images]
        previews = [image.preview or b"" for image in images]
        with self._lock:
            first, offset = len(self), self._previews_end()
            rows = list(range(first, first + len(images)))
            try:
                self._thumbnails.write(first * RECORD_BYTES, b"".join(thumbnails))
                self._previews.write(offset, b"".join(previews))
                with self._database.transaction() as connection:
                    connection.executemany(
                        "INSERT INTO image VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
                        _image_values(rows, images, thumbnails, previews, offset),
                    )
                    connection.executemany(
                        _NEW_SOURCE, (_source_values(row, image) for row, image in zip(rows, images, strict=True))
                    )
                    connection.executemany(_ADD_HASH, _hash_values(rows, images))
            except BaseException:  # also KeyboardInterrupt: the rows may or may not be committed
                self._cut_uncommitted()
                raise
        return rows

    def add_hashes(self, rows: Rows, hashes: NDArray[np.uint64]) -> None:
        """Add the perceptual hashes (n,) of `rows` that were stored without one, as no near-duplicates."""
        values = zip((int(row) for row in rows), hashes.view(np.int64).tolist(), [None] * len(hashes), strict=True)
        with self._database.transaction() as connection:
            connection.executemany(_ADD_HASH, values)

    def add_sources(self, found: Sequence[tuple[int, Source]]) -> None:
        """Add further places where stored rows were found; known places stay unchanged."""
        values = [_source_values(row, source) for row, source in found]
        if values:
            self.entries([row for row, _ in found])  # refuses an unknown row
            with self._database.transaction() as connection:
                connection.executemany(_NEW_SOURCE, values)

    def remove(self, rows: Rows) -> int:
        """Exclude rows from all results; return how many were not removed before. Nothing is erased."""
        return self._mark(rows, removed=True)

    def restore(self, rows: Rows) -> int:
        """Undo `remove`; return how many rows were restored. CorpusError if one was erased since."""
        if erased := [entry.row for entry in self.entries(rows) if entry.erased]:
            raise CorpusError(f"row {erased[0]} was erased, so it cannot be restored.")
        return self._mark(rows, removed=False)

    def _mark(self, rows: Rows, *, removed: bool) -> int:
        wanted = {entry.row for entry in self.entries(rows) if entry.removed != removed}
        with self._database.transaction() as connection:
            values = [(int(removed), row) for row in wanted]
            connection.executemany("UPDATE image SET removed = ? WHERE row = ?", values)
        return len(wanted)

    def _cut_uncommitted(self) -> int:
        """Truncate the files to committed rows; return the number of bytes cut off. CorpusError if some are missing."""
        self._expect_owned_bytes()
        return sum(file.cut(owned) for file, owned in self._owned_bytes())

    def _expect_owned_bytes(self) -> None:
        for file, owned in self._owned_bytes():
            file.expect(owned)

    def _owned_bytes(self) -> list[tuple[ByteFile, int]]:
        """The number of bytes of each file that belong to committed rows."""
        return [(self._thumbnails, len(self) * RECORD_BYTES), (self._previews, self._previews_end())]


# ---------------------------------------------------------------------------------------------------------------------
# Rows as SQLite takes them


def _image_values(
    rows: Sequence[int], images: Sequence[NewImage], thumbnails: Sequence[bytes], previews: Sequence[bytes], offset: int
) -> Iterator[tuple[object, ...]]:
    now = time.time()
    for row, image, thumbnail, preview in zip(rows, images, thumbnails, previews, strict=True):
        digests = bytes.fromhex(image.digest), stored_digest(thumbnail, preview)
        yield (row, *digests, image.width, image.height, image.n_bytes, offset, len(preview), _text(image.label), now)
        offset += len(preview)


def _source_values(row: int, place: NewImage | Source) -> tuple[object, ...]:
    how = place.provenance
    texts = (how.content_type, how.etag, how.last_modified, how.robots, how.licence)
    found = (_text(place.url), _text(place.page_url), _text(place.alt))
    return (int(row), *found, how.fetched_at, *(_text(text) for text in texts))


_ADD_HASH = "INSERT INTO perceptual VALUES (?, ?, ?)"


def _hash_values(rows: Sequence[int], images: Sequence[NewImage]) -> Iterator[tuple[object, ...]]:
    for row, image in zip(rows, images, strict=True):
        if image.perceptual_hash is not None:
            signed = image.perceptual_hash - (image.perceptual_hash >> 63 << 64)  # SQLite's numbers have a sign
            yield row, signed, image.near_duplicate_of


def _record(thumbnail: NDArray[np.uint8]) -> bytes:
    if thumbnail.shape != (SIDE, SIDE, 3) or thumbnail.dtype != np.uint8:
        raise ValueError(f"a thumbnail is ({SIDE}, {SIDE}, 3) uint8, not {thumbnail.shape} {thumbnail.dtype}")
    return thumbnail.tobytes()


def _text(text: str) -> str:
    """The text in valid UTF-8: texts of the web and file names may contain lone surrogates."""
    return text.encode(errors="replace").decode()


def stored_digest(thumbnail: bytes, preview: bytes) -> bytes:
    """Return the digest by which `verify` checks the stored bytes of a row."""
    return blake2b(thumbnail + preview, digest_size=16).digest()


def _sync_directory(folder: Path) -> None:
    """Make the directory entries of new files durable."""
    with directory_errors(folder):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
