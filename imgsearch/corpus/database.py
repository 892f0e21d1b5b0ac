"""The corpus database: one SQLite file, its tables, and a connection that all threads of a process may share.

The only module of the corpus that imports sqlite3.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

from imgsearch.errors import CorpusError, Hint, IndexDirectoryError

VALUES_PER_STATEMENT = 500  # a limit that every build of SQLite accepts

_FIRST = """
CREATE TABLE image (
    row INTEGER PRIMARY KEY,      -- 0, 1, 2 … without gaps
    digest BLOB NOT NULL UNIQUE,  -- sha256 of the original bytes
    stored_digest BLOB NOT NULL,  -- blake2b, 16 bytes, of the thumbnail and the preview as they are stored
    width INTEGER NOT NULL,       -- of the original, like height and n_bytes
    height INTEGER NOT NULL,
    n_bytes INTEGER NOT NULL,
    preview_offset INTEGER NOT NULL,
    preview_bytes INTEGER NOT NULL,  -- 0: there is no preview
    label TEXT NOT NULL,
    added_at REAL NOT NULL,       -- seconds since 1970
    removed INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX image_removed ON image(row) WHERE removed;
CREATE TABLE source (             -- every place where an image was found; the first has the lowest rowid
    row INTEGER NOT NULL REFERENCES image,
    url TEXT NOT NULL,
    page_url TEXT NOT NULL,
    alt TEXT NOT NULL
);
CREATE UNIQUE INDEX source_url ON source(url, row);
CREATE INDEX source_row ON source(row);
"""
_PROVENANCE = """
ALTER TABLE source ADD COLUMN fetched_at REAL NOT NULL DEFAULT 0;
ALTER TABLE source ADD COLUMN content_type TEXT NOT NULL DEFAULT '';
ALTER TABLE source ADD COLUMN etag TEXT NOT NULL DEFAULT '';
ALTER TABLE source ADD COLUMN last_modified TEXT NOT NULL DEFAULT '';
ALTER TABLE source ADD COLUMN robots TEXT NOT NULL DEFAULT '';
ALTER TABLE source ADD COLUMN licence TEXT NOT NULL DEFAULT '';
ALTER TABLE source ADD COLUMN gone_at REAL NOT NULL DEFAULT 0;  -- when a refresh found it gone; 0: it is there
CREATE TABLE takedown (           -- what must not be fetched: a host, a url-prefix or a url
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    UNIQUE (kind, value)
);
CREATE TABLE taken_down (         -- the rows that each takedown removed, to restore them
    takedown INTEGER NOT NULL REFERENCES takedown,
    row INTEGER NOT NULL REFERENCES image,
    PRIMARY KEY (takedown, row)
) WITHOUT ROWID;
"""
_PERCEPTUAL = """
CREATE TABLE perceptual (         -- near hashes belong to similar pictures
    row INTEGER PRIMARY KEY REFERENCES image,
    hash INTEGER NOT NULL,        -- 64 bits, as a signed number
    near_duplicate_of INTEGER     -- the row of the original; NULL where there is none
);
"""
# Step i turns format i into format i + 1; an older file is upgraded when it is opened.
_STEPS = (_FIRST, _PROVENANCE, _PERCEPTUAL)
_FORMAT = len(_STEPS)


class Database:
    """One connection, used by one thread at a time. IndexDirectoryError: disk errors; CorpusError: damage."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._lock = threading.RLock()
        self._own_changes = 0

    @classmethod
    def open(cls, path: Path) -> Self | None:
        """Open for reading, on read-only media too (if of this format); None where nothing has been written yet."""
        with ExitStack() as undone:
            database = cls(path, _connect_reader(path))
            undone.callback(database.close)
            found = database._format()
            if not found:
                return None
            if found < _FORMAT:
                cls.open_for_writing(path).close()
            undone.pop_all()
        return database

    @classmethod
    def open_for_writing(cls, path: Path) -> Self:
        """Open for writing; create the tables where there are none."""
        with ExitStack() as undone, _sqlite_errors(path):
            connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
            undone.callback(connection.close)
            connection.execute("PRAGMA journal_mode = WAL")  # readers continue while one writes
            connection.execute("PRAGMA synchronous = FULL")  # a commit is on disk when it returns
            connection.execute("PRAGMA secure_delete = ON")  # deleted data is overwritten
            database = cls(path, connection)
            if database._format() < _FORMAT:
                database._bring_up_to_date()
            undone.pop_all()
        return database

    def close(self) -> None:
        self._connection.close()

    def select(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of one query."""
        with self._lock, _sqlite_errors(self.path):
            return self._connection.execute(statement, values).fetchall()

    def select_in(self, statement: str, values: Sequence[object]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query that ends in `IN`, for any number of values, in no order."""
        for start in range(0, len(values), VALUES_PER_STATEMENT):
            some = values[start : start + VALUES_PER_STATEMENT]
            yield from self.select(f"{statement} ({','.join('?' * len(some))})", some)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit everything done inside, or nothing of it; durable when it ends."""
        with self._lock, _sqlite_errors(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            self._own_changes += 1

    def change_count(self) -> int:
        """Return a number that grows with every commit, of this process or another."""
        with self._lock:
            return int(self.select("PRAGMA data_version")[0][0]) + self._own_changes

    def problems(self) -> list[str]:
        """Return what SQLite finds wrong with its file, one sentence each."""
        return [f"{self.path.name}: {line}" for (line,) in self.select("PRAGMA quick_check") if line != "ok"]

    def leave_no_trace(self) -> None:
        """Rewrite the file, so that no deleted data is left in it or in its log.

        Raises:
            IndexDirectoryError: a reader holds the log, which still contains deleted data.
        """
        with self._lock, _sqlite_errors(self.path):
            self._connection.execute("VACUUM")
            is_busy = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if is_busy:
            raise IndexDirectoryError(
                f"{self.path} is being read, so its log still holds erased data. "
                "Erase again when no other program reads it."
            )

    def _bring_up_to_date(self) -> None:
        with self.transaction() as connection:
            for step in range(self._format(), _FORMAT):  # read again: another process may have been first
                for statement in _statements(_STEPS[step]):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {step + 1}")

    def _format(self) -> int:
        there = int(self.select("PRAGMA user_version")[0][0])
        if not 0 <= there <= _FORMAT:
            raise CorpusError(
                f"{self.path} was written by another version of imgsearch (format {there}, this one reads {_FORMAT}).",
                hint=Hint.OTHER_INDEX,
            )
        return there


def _statements(script: str) -> Iterator[str]:
    """Split `script` into its statements: executescript() would commit the transaction that they belong to."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _connect_reader(path: Path) -> sqlite3.Connection:
    """Connect for reading only, to a database on read-only media too."""
    uri = path.absolute().as_uri()

    def connect(mode: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{uri}?{mode}", uri=True, timeout=30, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    with _sqlite_errors(path):
        try:
            return connect("mode=ro")
        except sqlite3.OperationalError:
            # For a WAL database SQLite creates a file for its readers beside it. In a read-only directory, with nothing
            # left in the log, the database file alone is complete, and it will not change.
            log = path.with_name(path.name + "-wal")
            if os.access(path.parent, os.W_OK) or (log.exists() and log.stat().st_size):
                raise
            return connect("immutable=1")


@contextmanager
def _sqlite_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise IndexDirectoryError(
            f"cannot use {path}: {error}. Check that the disk has space and that you may write there."
        ) from error
    except sqlite3.IntegrityError as error:
        raise CorpusError(f"{path} refuses an image: {error}.") from error
    except sqlite3.DatabaseError as error:
        raise CorpusError(
            f"the corpus is damaged: {path}: {error}. Restore it from a copy, or delete {path.parent} and collect the "
            "images again."
        ) from error
