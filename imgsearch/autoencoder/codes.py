"""The codes on disk: `codes.f16`, records of float16, and `codes.json`, which says whose they are and how many.

Knows the file format; must not know networks or the index. numpy only.

Crash rule: a block's bytes are synced before `codes.json` counts them, and bytes past the count are cut off by the
next writer. A writer with another model starts a new file, so that a reader's memory map of the old one stays whole.
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
    """What `codes.json` holds."""

    model: str  # digest of the model that made the codes
    rows: int  # rows 0..rows-1 of the corpus have a code
    code_size: int = 256

    def __post_init__(self) -> None:
        if self.rows < 0 or self.code_size < 1:
            raise ValueError(f"{self.rows} rows of {self.code_size} numbers")


def read_codes_info(folder: Path) -> CodesInfo:
    """Whose codes are in `folder`, and how many.

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
    """A read-only memory map of the codes, (rows, code_size) float16, and whose they are.

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
    """Overwrite the codes of `rows` with zeros, in place and durably; rows without a code are passed over.

    The caller holds the folder for itself (`paths.exclusive`).

    Raises:
        IndexDirectoryError: the folder is full, read-only or forbidden.
    """
    try:
        record_bytes = read_codes_info(folder).code_size * np.dtype(np.float16).itemsize
    except IndexMissingError:
        return  # whatever lies there belongs to no model, and the next writer starts anew
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
    """Appends codes of one model, block by block; goes on where the last writer of the same model ended.

    The caller holds the folder for itself (`paths.exclusive`).

    Raises:
        IndexDirectoryError: the folder is full, read-only or forbidden.
    """

    def __init__(self, folder: Path, model: str, code_size: int = 256, *, anew: bool = False) -> None:
        self._folder = folder
        self.info = self._resumable(model, code_size, anew)
        if self.info.rows == 0:
            # The count is set to nothing before the old codes go: never another model's codes under this one's name.
            self._commit(self.info)
            with replacing(folder / CODES_NAME) as temporary:
                temporary.touch()
        with directory_errors(folder):
            self._file = (folder / CODES_NAME).open("r+b")
            self._file.truncate(self.info.rows * self._record_bytes)
            self._file.seek(0, os.SEEK_END)

    def append(self, codes: NDArray[np.floating]) -> None:
        """Add codes (n, code_size) of the rows that follow; durable when it returns."""
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
        """What of the codes on disk can stay: all that are counted and there, if they are this model's."""
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
