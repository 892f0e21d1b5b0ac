"""The corpus database: one SQLite file, its tables, and a connection that every thread of a process may share.

Knows SQLite, and is the only module of the corpus that does; must not know thumbnails, previews or what a row is for.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

from imgsearch.errors import CorpusError, IndexDirectoryError

VALUES_PER_STATEMENT = 500  # SQLite binds more, but not on every machine

_FORMAT = 1
_SCHEMA = f"""
BEGIN;
CREATE TABLE image (
    row INTEGER PRIMARY KEY,      -- 0, 1, 2 … without gaps
    digest BLOB NOT NULL UNIQUE,  -- sha256 of the original bytes
    stored_digest BLOB NOT NULL,  -- blake2b, 16 bytes, of the thumbnail and the preview as they are stored
    width INTEGER NOT NULL,       -- of the original, as are height and n_bytes
    height INTEGER NOT NULL,
    n_bytes INTEGER NOT NULL,
    preview_offset INTEGER NOT NULL,
    preview_bytes INTEGER NOT NULL,  -- 0: there is no preview
    label TEXT NOT NULL,
    added_at REAL NOT NULL,       -- seconds since 1970
    removed INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX image_removed ON image(row) WHERE removed;
CREATE TABLE source (             -- every place where an image was found; its first is the one with the lowest rowid
    row INTEGER NOT NULL REFERENCES image,
    url TEXT NOT NULL,
    page_url TEXT NOT NULL,
    alt TEXT NOT NULL
);
CREATE UNIQUE INDEX source_url ON source(url, row);
CREATE INDEX source_row ON source(row);
PRAGMA user_version = {_FORMAT};
COMMIT;
"""
# Came later than the format; a corpus without it gets it from its next writer, and is read as if it were there.
_PERCEPTUAL = """
CREATE {temporary} TABLE IF NOT EXISTS perceptual (
    row INTEGER PRIMARY KEY REFERENCES image,
    hash INTEGER NOT NULL,        -- 64 bits, as a signed number: near hashes, near pictures
    near_duplicate_of INTEGER     -- the row of the original; NULL where it is none's near-duplicate
)
"""


class Database:
    """One connection, used by one thread at a time. IndexDirectoryError: the disk refuses; CorpusError: damaged."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._lock = threading.RLock()
        self._own_changes = 0

    @classmethod
    def open(cls, path: Path) -> Self | None:
        """For reading, on read-only media too; None where nothing has been written yet."""
        with ExitStack() as undone:
            database = cls(path, _connect_reader(path))
            undone.callback(database.close)
            if not database._format():
                return None
            if not database.select("SELECT 1 FROM sqlite_schema WHERE name = 'perceptual'"):
                database.select(_PERCEPTUAL.format(temporary="TEMPORARY").replace(" REFERENCES image", ""))
            undone.pop_all()
        return database

    @classmethod
    def open_for_writing(cls, path: Path) -> Self:
        """For writing; makes the tables where there are none."""
        with ExitStack() as undone, _sqlite_errors(path):
            connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
            undone.callback(connection.close)
            connection.execute("PRAGMA journal_mode = WAL")  # readers go on while one writes
            connection.execute("PRAGMA synchronous = FULL")  # a commit is on the disk when it returns
            database = cls(path, connection)
            if not database._format():
                connection.executescript(_SCHEMA)
            connection.execute(_PERCEPTUAL.format(temporary=""))
            undone.pop_all()
        return database

    def close(self) -> None:
        self._connection.close()

    def select(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of one query."""
        with self._lock, _sqlite_errors(self.path):
            return self._connection.execute(statement, values).fetchall()

    def select_in(self, statement: str, values: Sequence[object]) -> Iterator[tuple[Any, ...]]:
        """The rows of a query that ends in `IN`, for any number of values, in no order."""
        for start in range(0, len(values), VALUES_PER_STATEMENT):
            some = values[start : start + VALUES_PER_STATEMENT]
            yield from self.select(f"{statement} ({','.join('?' * len(some))})", some)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of what is done inside, or nothing; durable when it ends."""
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
        """A number that grows with every commit, of this process or another."""
        with self._lock:
            return int(self.select("PRAGMA data_version")[0][0]) + self._own_changes

    def problems(self) -> list[str]:
        """What SQLite finds wrong with its own file."""
        return [f"{self.path.name}: {line}" for (line,) in self.select("PRAGMA quick_check") if line != "ok"]

    def _format(self) -> int:
        there = int(self.select("PRAGMA user_version")[0][0])
        if there not in (0, _FORMAT):
            raise CorpusError(
                f"{self.path} was written by another version of imgsearch (format {there}, this one reads {_FORMAT}). "
                "Use that version, or choose another --index."
            )
        return there


def _connect_reader(path: Path) -> sqlite3.Connection:
    """A connection that cannot write, to a database on read-only media too."""
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
            # Beside a WAL database SQLite wants to make a file for its readers. Where the directory is read-only and
            # no writer left anything in the log, the database itself is all there is, and it will not change.
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
