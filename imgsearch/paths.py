"""The layout of one index directory, and how a file in it is replaced or claimed.

Knows where each artefact lies; must not know what is in it.
"""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from imgsearch.errors import IndexDirectoryError

DEFAULT_INDEX = "index"
INDEX_VARIABLE = "IMGSEARCH_INDEX"


@dataclass(frozen=True)
class IndexPaths:
    """Where everything of one index directory lies. Nothing is created or checked here."""

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
        """The state of an unfinished training run; holds nothing but a lock when it ended."""
        return self.root / "training"

    @property
    def candidate(self) -> Path:
        """A model that was trained and not taken, since it finds less than the one before."""
        return self.root / "candidate"

    @property
    def codes(self) -> Path:
        return self.root / "codes"

    @property
    def search(self) -> Path:
        return self.root / "search"

    @property
    def text(self) -> "IndexPaths":
        """Where the model and the codes of words lie: a directory of the same layout."""
        return IndexPaths(self.root / "text")

    @property
    def lab(self) -> Path:
        """What the lecture's experiments draw and find."""
        return self.root / "lab"

    @property
    def quality(self) -> Path:
        """What `imgsearch evaluate` found out, for the page."""
        return self.root / "quality.json"

    @property
    def map(self) -> Path:
        """Where the images of a picture map lie in the plane."""
        return self.root / "map.npz"


def index_paths(root: IndexPaths | Path | str | None = None) -> IndexPaths:
    """Return the layout of an index directory (default: `$IMGSEARCH_INDEX`, else `index/`)."""
    if isinstance(root, IndexPaths):
        return root
    return IndexPaths(Path(root or os.environ.get(INDEX_VARIABLE) or DEFAULT_INDEX))


@contextmanager
def directory_errors(path: Path) -> Iterator[None]:
    """Turn the operating system's refusal (full, read-only, forbidden) into a sentence that names `path`."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise IndexDirectoryError(f"cannot use {path}: {reason}. Free space or choose another --index.") from error


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`; on success it is synced and renamed over `path`, on failure removed.

    A reader sees the old file or the new one, never half of one, and so does whoever comes after a `kill -9`.

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
    """Hold `folder` for one writer; the lock ends with the process, however it ends.

    Raises:
        IndexDirectoryError: another process holds it (`work` says what it is doing), or it cannot be written.
    """
    with directory_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = f"another imgsearch command is {work} in {folder}. Wait for it to end, then try again."
            raise IndexDirectoryError(message) from error
        yield
