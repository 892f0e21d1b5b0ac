"""Record what a power cut would leave: of each file the bytes that it had at its last fsync."""

import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest


class SyncedFiles:
    """The synced bytes of every file below a folder, as they stand and as they stood at each commit of a database."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._root = root
        self._synced: dict[int, bytes] = {}  # inode → bytes at its last fsync
        self.at_commits: list[dict[str, bytes]] = []  # for each COMMIT, when it begins: file name → synced bytes
        self.at_renames: dict[str, dict[str, bytes]] = {}  # likewise for each file, when it was last renamed into place
        self.renamed: dict[str, bytes] = {}  # file name → synced bytes of what was renamed to it last
        self._fsync, self._connect, self._replace = os.fsync, sqlite3.connect, os.replace
        monkeypatch.setattr(os, "fsync", self._record_fsync)
        monkeypatch.setattr(os, "replace", self._record_rename)
        monkeypatch.setattr(sqlite3, "connect", self._connect_traced)

    def now(self) -> dict[str, bytes]:
        """File name → bytes at its last fsync; b"" where there was none."""
        return {path.name: self._synced.get(path.stat().st_ino, b"") for path in self._files()}

    def _files(self) -> list[Path]:
        return [path for path in self._root.rglob("*") if path.is_file()]

    def _record_fsync(self, descriptor: int) -> None:
        self._fsync(descriptor)
        inode = os.fstat(descriptor).st_ino
        for path in self._files():
            if path.stat().st_ino == inode:
                self._synced[inode] = path.read_bytes()

    def _record_rename(self, source: Path, target: Path) -> None:
        self.at_renames[Path(target).name] = self.now()
        self.renamed[Path(target).name] = self._synced.get(Path(source).stat().st_ino, b"")
        self._replace(source, target)

    def _connect_traced(self, *args: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = self._connect(*args, **options)
        connection.set_trace_callback(self._record_statement)
        return connection

    def _record_statement(self, statement: str) -> None:
        if statement == "COMMIT":
            self.at_commits.append(self.now())
