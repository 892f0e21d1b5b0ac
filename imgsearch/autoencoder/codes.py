"""Codes on disk: `codes.f16`, records of float16, and `codes.json`, which holds their model and their number.

Imports no torch. Crash rule: a block's bytes are synced before `codes.json` counts them, and the next writer cuts off
bytes beyond the count. A writer for another model starts a new file, so that memory maps of the old one stay valid.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from imgsearch.errors import Hint, IndexMissingError
from imgsearch.paths import directory_errors, replacing
from imgsearch.records import read_record, write_record

CODES_NAME, INFO_NAME = "codes.f16", "codes.json"


@dataclass(frozen=True)
class CodesInfo:
    """Contents of `codes.json`."""

    model: str  # digest of the model that made the codes
    rows: int  # rows 0..rows-1 of the corpus have a code
    code_size: int = 256

    def __post_init__(self) -> None:
        if self.rows < 0 or self.code_size < 1:
            raise ValueError(f"{self.rows} rows of {self.code_size} numbers")


def read_codes_info(folder: Path) -> CodesInfo:
    """Read which model made the codes in `folder`, and how many there are.

    Raises:
        IndexMissingError: there are none, or the file that says so is damaged.
        IndexDirectoryError: the file is there and cannot be read.
    """
    path = folder / INFO_NAME
    return read_record(
        path,
        CodesInfo,
        missing=IndexMissingError(f"no codes in {folder} yet.", hint=Hint.REINDEX),
        damaged=lambda reason: IndexMissingError(f"{path} is damaged: {reason}.", hint=Hint.REINDEX_FULL),
    )


def open_codes(folder: Path) -> tuple[NDArray[np.float16], CodesInfo]:
    """Open a read-only memory map of the codes, (rows, code_size) float16, and read their model.

    Raises:
        IndexMissingError: there are none, or fewer than `codes.json` says.
    """
    info = read_codes_info(folder)
    if info.rows == 0:
        return np.empty((0, info.code_size), np.float16), info
    try:
        codes = np.memmap(folder / CODES_NAME, np.float16, "r", shape=(info.rows, info.code_size))
    except (OSError, ValueError) as error:
        message = f"{folder / CODES_NAME} holds fewer codes than {INFO_NAME} says."
        raise IndexMissingError(message, hint=Hint.REINDEX_FULL) from error
    return codes, info


def zero_codes(folder: Path, rows: Sequence[int]) -> None:
    """Overwrite the codes of `rows` with zeros, in place and durably; rows without a code are skipped.

    The caller holds the lock of the folder (`paths.exclusive`).

    Raises:
        IndexDirectoryError: the folder is full, read-only or forbidden.
    """
    try:
        record_bytes = read_codes_info(folder).code_size * np.dtype(np.float16).itemsize
    except IndexMissingError:
        return  # the codes there belong to no model, and the next writer starts anew
    path = folder / CODES_NAME
    with directory_errors(folder):
        if not path.exists():
            return
        n_codes = path.stat().st_size // record_bytes
        with path.open("r+b") as file:
            for row in rows:
                if row < n_codes:
                    os.pwrite(file.fileno(), bytes(record_bytes), row * record_bytes)
            os.fsync(file.fileno())


class CodeWriter:
    """Appends codes of one model, block by block, after those of the last writer for the same model.

    The caller holds the lock of the folder (`paths.exclusive`).

    Raises:
        IndexDirectoryError: the folder is full, read-only or forbidden.
    """

    def __init__(self, folder: Path, model: str, code_size: int = 256, *, anew: bool = False) -> None:
        self._folder = folder
        self.info = self._resumable(model, code_size, anew)
        if self.info.rows == 0:
            # The count is set to 0 before the old codes are deleted: another model's codes never count as this one's.
            self._commit(self.info)
            with replacing(folder / CODES_NAME) as temporary:
                temporary.touch()
        with directory_errors(folder):
            self._file = (folder / CODES_NAME).open("r+b")
            self._file.truncate(self.info.rows * self._record_bytes)
            self._file.seek(0, os.SEEK_END)

    def append(self, codes: NDArray[np.floating]) -> None:
        """Append codes (n, code_size) of the next rows; they are durable when it returns."""
        assert codes.ndim == 2
        assert codes.shape[1] == self.info.code_size
        with directory_errors(self._folder):
            self._file.write(np.ascontiguousarray(codes, dtype=np.float16).tobytes())
            self._file.flush()
            os.fsync(self._file.fileno())
        self._commit(CodesInfo(self.info.model, self.info.rows + len(codes), self.info.code_size))

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _record_bytes(self) -> int:
        return self.info.code_size * np.dtype(np.float16).itemsize

    def _resumable(self, model: str, code_size: int, anew: bool) -> CodesInfo:
        """The codes on disk that are kept: all that are counted and present, if this model made them."""
        nothing = CodesInfo(model, 0, code_size)
        try:
            info = read_codes_info(self._folder)
            size = (self._folder / CODES_NAME).stat().st_size
        except (IndexMissingError, FileNotFoundError):
            return nothing
        if anew or (info.model, info.code_size) != (model, code_size):
            return nothing
        record_bytes = code_size * np.dtype(np.float16).itemsize
        return CodesInfo(model, min(info.rows, size // record_bytes), code_size)

    def _commit(self, info: CodesInfo) -> None:
        write_record(self._folder / INFO_NAME, info)
        self.info = info
