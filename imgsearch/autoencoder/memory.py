"""How the C library hands memory back. Knows nothing of networks."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # the numbers of mallopt's parameters in glibc's malloc.h
USUAL_TRIM, USUAL_MMAP = 128 * 1024, 128 * 1024  # glibc's own defaults
KEPT = 2**31 - 1  # bytes, the largest that mallopt takes


@contextmanager
def keep_freed_memory() -> Iterator[None]:
    """Let the C library keep what is freed, so that the next step need not ask the system for it again.

    A step of training on a CPU allocates and frees the same maps of 16 MB and more. By default glibc gives each back
    at once and gets it anew, page by page, each page zeroed by the kernel. Another C library is left alone.
    """
    try:
        library = ctypes.CDLL("libc.so.6")
    except OSError:
        yield
        return
    library.mallopt(MMAP_THRESHOLD, KEPT)
    library.mallopt(TRIM_THRESHOLD, KEPT)
    try:
        yield
    finally:
        library.mallopt(MMAP_THRESHOLD, USUAL_MMAP)
        library.mallopt(TRIM_THRESHOLD, USUAL_TRIM)
        library.malloc_trim(0)
