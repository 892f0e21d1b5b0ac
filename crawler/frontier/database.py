"""The SQLite file of a frontier: connection, transactions, and the upgrade of files from earlier versions.

WAL with synchronous=NORMAL: a killed process loses nothing that was committed (the system holds the pages), a power
cut may lose the last transactions but never breaks the file; the URLs concerned are only fetched again.

The only module of the crawler that imports sqlite3.
"""

import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crawler.errors import FrontierError
from crawler.frontier.old_reasons import translated
from crawler.frontier.schema import STEPS, VERSION

_BUSY_SECONDS = 30.0  # how long to wait for the transaction of another process


class FrontierDatabase:
    """One connection, used by one thread. Every method may raise `FrontierError`."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    def open(cls, path: Path) -> "FrontierDatabase":
        """Open the file at `path`, or create it; upgrade it where it is of an earlier version.

        Raises:
            FrontierError: the file cannot be used, or is of a later version.
        """
        with _errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
        database = cls(path, connection)
        try:
            database._prepare()
        except BaseException:
            connection.close()
            raise
        return database

    def close(self) -> None:
        self._connection.close()

    def run(self, sql: str, *values: object) -> int:
        """Execute a statement; return the number of rows that it changed."""
        with _errors(self.path):
            return self._connection.execute(sql, values).rowcount

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Return all rows of a query."""
        with _errors(self.path):
            return self._connection.execute(sql, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit everything done inside, or nothing of it; inside another transaction, be part of that one."""
        if self._connection.in_transaction:
            yield
            return
        self.run("BEGIN IMMEDIATE")
        try:
            yield
            self.run("COMMIT")
        finally:
            if self._connection.in_transaction:
                self.run("ROLLBACK")

    def _prepare(self) -> None:
        self._write_ahead()
        self.run("PRAGMA synchronous = NORMAL")
        if self._version() < VERSION:
            self._upgrade()
        if self._version() != VERSION:
            message = f"{self.path} was written by another version of this program. Remove it to crawl afresh."
            raise FrontierError(message)

    def _upgrade(self) -> None:
        self._connection.create_function("old_reason_code", 1, lambda text: translated(text)[0])
        self._connection.create_function("old_reason_detail", 1, lambda text: translated(text)[1])
        with self.transaction():
            for version in range(self._version(), VERSION):  # read again: another process may have been first
                for statement in _statements(STEPS[version]):
                    self.run(statement)
                self.run(f"PRAGMA user_version = {version + 1}")

    def _write_ahead(self) -> None:
        """Switch to WAL. SQLite does not wait for another process that switches at the same moment, so wait here."""
        ends_at = time.monotonic() + _BUSY_SECONDS
        while True:
            try:
                self.run("PRAGMA journal_mode = WAL")
                return
            except FrontierError as error:
                if not _is_busy(error) or time.monotonic() > ends_at:
                    raise
            time.sleep(0.01)

    def _version(self) -> int:
        return int(self.rows("PRAGMA user_version")[0][0])


def marks(values: Iterable[object]) -> str:
    """Return one question mark per value, for `IN (...)`."""
    return ", ".join("?" for _ in values)


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    """Turn errors of SQLite and of the system into a `FrontierError` that names the file."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        is_refusal = isinstance(error, sqlite3.OperationalError | OSError)  # else the file itself is damaged
        advice = (
            "Check that the disk has space and that you may write there" if is_refusal else "Remove it to crawl afresh"
        )
        raise FrontierError(f"cannot use the crawl's memory {path}: {reason}. {advice}.") from error


def _is_busy(error: FrontierError) -> bool:
    return isinstance(error.__cause__, sqlite3.Error) and error.__cause__.sqlite_errorcode == sqlite3.SQLITE_BUSY


def _statements(script: str) -> Iterator[str]:
    """Split `script` into its statements: executescript() would commit the transaction that they belong to."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
