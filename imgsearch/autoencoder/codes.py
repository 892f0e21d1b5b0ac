"""The codes on disk: `codes.f16`, records of float16; `binary.u8`, the same codes as 256 bits; and `codes.json`, which
says whose they are and how many.

Knows the file formats; must not know networks or the index. numpy only.

Crash rule: a block's bytes are synced in both files before `codes.json` counts them, and bytes past the count are cut
off by the next writer; where one file is shorter than the count, or gone, the writer goes on from what both hold. A
writer with another model starts new files, so that a reader's memory map of the old ones stays whole.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from imgsearch.errors import IndexMissingError
from imgsearch.paths import directory_errors, replacing

CODES_NAME, BINARY_NAME, INFO_NAME = "codes.f16", "binary.u8", "codes.json"
BINARY_BYTES = 32  # of a binary code: 256 bits, whatever the code's own size


@dataclass(frozen=True)
class CodesInfo:
    """What `codes.json` holds."""

    model: str  # digest of the model that made the codes
    rows: int  # rows 0..rows-1 of the corpus have a code
    code_size: int = 256


def read_codes_info(folder: Path) -> CodesInfo:
    """Whose codes are in `folder`, and how many.

    Raises:
        IndexMissingError: there are none, or the file that says so is damaged.
    """
    path = folder / INFO_NAME
    try:
        return CodesInfo(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise IndexMissingError(f"no codes in {folder} yet. Type: imgsearch reindex") from error
    except (OSError, ValueError, TypeError) as error:
        raise IndexMissingError(f"{path} cannot be read ({error}). Type: imgsearch reindex --full") from error


def open_codes(folder: Path) -> tuple[NDArray[np.float16], CodesInfo]:
    """A read-only memory map of the codes, (rows, code_size) float16, and whose they are.

    Raises:
        IndexMissingError: there are none, or fewer than `codes.json` says.
    """
    info = read_codes_info(folder)
    codes: NDArray[np.float16] = _mapped(folder / CODES_NAME, np.float16, (info.rows, info.code_size))
    return codes, info


def open_binary_codes(folder: Path) -> tuple[NDArray[np.uint8], CodesInfo]:
    """A read-only memory map of the binary codes, (rows, 32) uint8, and whose they are.

    Raises:
        IndexMissingError: there are none, or fewer than `codes.json` says.
    """
    info = read_codes_info(folder)
    codes: NDArray[np.uint8] = _mapped(folder / BINARY_NAME, np.uint8, (info.rows, BINARY_BYTES))
    return codes, info


def _mapped(path: Path, kind: type[np.generic], shape: tuple[int, int]) -> NDArray[Any]:
    if shape[0] == 0:  # nothing cannot be mapped
        return np.empty(shape, kind)
    try:
        return np.memmap(path, kind, "r", shape=shape)
    except (OSError, ValueError) as error:
        message = f"{path} holds fewer codes than {INFO_NAME} says. Type: imgsearch reindex"
        raise IndexMissingError(message) from error


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
            for name in (CODES_NAME, BINARY_NAME):
                with replacing(folder / name) as temporary:
                    temporary.touch()
        with directory_errors(folder):
            self._files: list[BinaryIO] = []
            for name, record_bytes in _record_bytes(code_size).items():
                file = (folder / name).open("r+b")
                self._files.append(file)
                file.truncate(self.info.rows * record_bytes)
                file.seek(0, os.SEEK_END)

    def append(self, codes: NDArray[np.floating], binary: NDArray[np.uint8]) -> None:
        """Add codes (n, code_size) of the rows that follow, and their binary codes (n, 32); durable when it returns."""
        assert codes.ndim == 2
        assert codes.shape[1] == self.info.code_size
        assert binary.shape == (len(codes), BINARY_BYTES)
        records = codes.astype(np.float16).tobytes(), binary.tobytes()
        with directory_errors(self._folder):
            for file, block in zip(self._files, records, strict=True):
                file.write(block)
                file.flush()
                os.fsync(file.fileno())
        self._commit(CodesInfo(self.info.model, self.info.rows + len(codes), self.info.code_size))

    def close(self) -> None:
        for file in self._files:
            file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _resumable(self, model: str, code_size: int, anew: bool) -> CodesInfo:
        """What of the codes on disk can stay: all that are counted and in both files, if they are this model's."""
        nothing = CodesInfo(model, 0, code_size)
        try:
            info = read_codes_info(self._folder)
            there = [
                (self._folder / name).stat().st_size // record_bytes
                for name, record_bytes in _record_bytes(code_size).items()
            ]
        except (IndexMissingError, FileNotFoundError):
            return nothing
        if anew or (info.model, info.code_size) != (model, code_size):
            return nothing
        return CodesInfo(model, min(info.rows, *there), code_size)

    def _commit(self, info: CodesInfo) -> None:
        with replacing(self._folder / INFO_NAME) as temporary:
            temporary.write_text(json.dumps(asdict(info)) + "\n", encoding="utf-8")
        self.info = info


def _record_bytes(code_size: int) -> dict[str, int]:
    """The size of one row in each file, in the order in which they are written."""
    return {CODES_NAME: code_size * np.dtype(np.float16).itemsize, BINARY_NAME: BINARY_BYTES}
