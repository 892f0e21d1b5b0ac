"""The layout of an index directory, and how files in it are replaced and locked.

Independent of what the files contain.
"""

import errno
import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from imgsearch.errors import Hint, IndexDirectoryError

DEFAULT_INDEX = "index"
INDEX_VARIABLE = "IMGSEARCH_INDEX"


@dataclass(frozen=True)
class IndexPaths:
    """The paths of all files in one index directory. Nothing is created or checked here."""

    root: Path

    @property
    def corpus(self) -> Path:
        return self.root / "corpus"

    @property
    def thumbnails(self) -> Path:
        return self.corpus / "thumbnails.u8"

    @property
    def previews(self) -> Path:
        return self.corpus / "previews.bin"

    @property
    def corpus_database(self) -> Path:
        return self.corpus / "corpus.sqlite"

    @property
    def crawl_database(self) -> Path:
        return self.root / "crawl.sqlite"

    @property
    def model(self) -> Path:
        return self.root / "model"

    @property
    def training(self) -> Path:
        """The state of an unfinished training run; holds only a lock after the run has ended."""
        return self.root / "training"

    @property
    def candidate(self) -> Path:
        """A trained model that was not put into use, because it finds less than the model before it."""
        return self.root / "candidate"

    @property
    def codes(self) -> Path:
        return self.root / "codes"

    @property
    def search(self) -> Path:
        return self.root / "search"

    @property
    def text(self) -> "IndexPaths":
        """The model, codes and index of the text: a directory of the same layout."""
        return IndexPaths(self.root / "text")

    @property
    def lab(self) -> Path:
        """Pictures and figures of the lab experiments."""
        return self.root / "lab"

    @property
    def quality(self) -> Path:
        """Figures of the last evaluation, for the page."""
        return self.root / "quality.json"

    @property
    def map(self) -> Path:
        """Positions of the images on the image map."""
        return self.root / "map.npz"


def index_paths(root: IndexPaths | Path | str | None = None) -> IndexPaths:
    """Return the layout of an index directory (default: `$IMGSEARCH_INDEX`, else `index/`)."""
    if isinstance(root, IndexPaths):
        return root
    return IndexPaths(Path(root or os.environ.get(INDEX_VARIABLE) or DEFAULT_INDEX))


@contextmanager
def directory_errors(path: Path) -> Iterator[None]:
    """Turn an OSError (disk full, read-only, forbidden) into an IndexDirectoryError that names `path`."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        hint = Hint.FREE_SPACE if error.errno in (errno.ENOSPC, errno.EDQUOT) else Hint.OTHER_INDEX
        raise IndexDirectoryError(f"cannot use {path}: {reason}.", hint=hint) from error


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`; on success it is synced and renamed over `path`, on failure removed.

    A reader sees the old file or the new one, never half of one, even after a `kill -9`.

    Raises:
        IndexDirectoryError: the directory is full, read-only or forbidden.
    """
    with directory_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        try:
            yield temporary
            with temporary.open("rb") as written:
                os.fsync(written.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def exclusive(folder: Path, work: str) -> Iterator[None]:
    """Lock `folder` for one writer; the lock is released when the process ends, however it ends.

    Raises:
        IndexDirectoryError: another process holds the lock (the message says that it is `work`), or `folder` cannot
            be written.
    """
    with directory_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = f"another process is {work} in {folder}. Wait for it to end, then try again."
            raise IndexDirectoryError(message) from error
        yield
