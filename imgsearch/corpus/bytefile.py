"""A file of concatenated byte records: appended to and truncated at its end, read anywhere, by any thread.

Which bytes are committed is recorded in the corpus database (`store`).
"""

import mmap
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imgsearch.errors import CorpusError
from imgsearch.paths import directory_errors


@dataclass(frozen=True)
class ByteFile:
    """The bytes of the file `path`. Nothing is kept open, so it needs no closing and may be shared."""

    path: Path

    def size(self) -> int:
        """Return the number of bytes in the file, 0 where there is none."""
        with directory_errors(self.path):
            return self.path.stat().st_size if self.path.exists() else 0

    def expect(self, size: int) -> None:
        """Raise CorpusError unless the file has at least `size` bytes."""
        there = self.size()
        if there < size:
            what = f"has {there:,} bytes" if self.path.exists() else "is missing"
            raise CorpusError(
                f"the corpus is damaged: {self.path} {what} where {size:,} bytes belong to stored images. "
                f"Restore the file from a copy, or delete {self.path.parent} and collect the images again."
            )

    def read(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`. CorpusError if the file is shorter."""
        self.expect(offset + length)
        with self._descriptor(os.O_RDONLY) as descriptor:
            return os.pread(descriptor, length, offset)

    def mapped(self, size: int) -> NDArray[np.uint8]:
        """Return the first `size` bytes as a read-only memory map (size,) uint8. CorpusError if there are fewer."""
        if not size:
            return np.zeros(0, np.uint8)  # an empty range cannot be mapped
        self.expect(size)
        with self._descriptor(os.O_RDONLY) as descriptor:
            memory = mmap.mmap(descriptor, size, access=mmap.ACCESS_READ)
        # Hits are scattered: with read-ahead, 1,000 cold random reads of 1 M records took 14 times as long.
        memory.madvise(mmap.MADV_RANDOM)
        return np.frombuffer(memory, np.uint8)

    def write(self, offset: int, data: bytes) -> None:
        """Write `data` at `offset` and sync it to disk. IndexDirectoryError if it does not fit."""
        with self._descriptor(os.O_WRONLY) as descriptor:
            rest = memoryview(data)
            while rest:
                written = os.pwrite(descriptor, rest, offset)
                rest, offset = rest[written:], offset + written
            os.fsync(descriptor)

    def overwrite(self, spans: Iterable[tuple[int, int]]) -> None:
        """Overwrite the bytes at each (offset, length) with zeros and sync them to disk."""
        with self._descriptor(os.O_RDWR) as descriptor:
            for offset, length in spans:
                if any(os.pread(descriptor, length, offset)):  # zeros from an earlier call are not written again
                    os.pwrite(descriptor, bytes(length), offset)
            os.fsync(descriptor)

    def cut(self, size: int) -> int:
        """Truncate the file to `size` bytes, or create it; return the number of bytes cut off."""
        extra = self.size() - size
        with self._descriptor(os.O_WRONLY | os.O_CREAT) as descriptor:
            if extra > 0:
                os.ftruncate(descriptor, size)
                os.fsync(descriptor)
        return max(0, extra)

    @contextmanager
    def _descriptor(self, flags: int) -> Iterator[int]:
        with directory_errors(self.path):
            descriptor = os.open(self.path, flags | os.O_CLOEXEC, 0o644)
            try:
                yield descriptor
            finally:
                os.close(descriptor)
