"""Files of folders and zip archives: a URL for each and, one at a time, the bytes.

Archives are not unpacked to disk, so the name of a member is only ever text. Folders are walked recursively, in the
order of names; links to folders are not followed, and index directories of imgsearch are skipped. Hidden files, what
macOS adds to archives, and zip archives inside folders or archives are refused.
"""

import os
import stat
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from imgsearch.corpus.decoding.images import ImageLimits, check_size
from imgsearch.corpus.reasons import FileUnreadable, ImageRefused, ReasonCode
from imgsearch.errors import IngestError
from imgsearch.paths import IndexPaths

_CORPUS_FILE = IndexPaths(Path()).corpus_database.name


@dataclass(frozen=True)
class FoundFile:
    """A file whose bytes have not been read yet."""

    url: str  # file:///folder/name, and for a member of an archive file:///archive.zip#member
    read: Callable[[ImageLimits], bytes]  # ImageRefused: not wanted; FileUnreadable: cannot be read


@contextmanager
def found_files(paths: Sequence[Path]) -> Iterator[tuple[int, Iterator[FoundFile]]]:
    """Yield the number of files under `paths` and the files in order; archives stay open until the end.

    Raises:
        IngestError: a path is missing or cannot be read, or an archive is damaged; raised before any file is yielded.
    """
    with ExitStack() as opened:
        parts: list[tuple[int, Iterator[FoundFile]]] = []
        for path in paths:
            if _is_archive(path):
                parts.append(_members(path, opened.enter_context(_archive(path))))
            else:
                files = list(_files(path))
                parts.append((len(files), iter(files)))
        yield sum(n for n, _ in parts), chain.from_iterable(files for _, files in parts)


def folder_name(url: str) -> str:
    """Return the name of the last folder of a URL, "" where it has none."""
    try:
        parts = urlsplit(url)
    except ValueError:  # pages may link to text that is not a URL
        return ""
    inside = parts.fragment if parts.scheme == "file" and parts.fragment else parts.path
    return unquote(inside).rpartition("/")[0].rpartition("/")[2]


# ---------------------------------------------------------------------------------------------------------------------
# Folders


def _is_archive(path: Path) -> bool:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return False
        if path.suffix.lower() == ".zip":
            return True
        with path.open("rb") as file:
            return file.read(4) in (b"PK\3\4", b"PK\5\6")
    except FileNotFoundError as error:
        raise IngestError(f"there is no file or folder {path}.") from error
    except OSError as error:
        raise IngestError(f"cannot read {path}: {error.strerror}.") from error


def _files(path: Path) -> Iterator[FoundFile]:
    if not path.is_dir():
        yield _file(path)
        return
    unreadable: list[OSError] = []
    for folder, folders, names in os.walk(path.absolute(), onerror=unreadable.append):
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        if _CORPUS_FILE in names:
            continue
        yield from (_file(Path(folder, name)) for name in sorted(names))
    if unreadable and unreadable[0].filename == str(path.absolute()):
        raise IngestError(f"cannot read {path}: {unreadable[0].strerror}.")
    for error in unreadable:
        yield FoundFile(
            Path(error.filename).as_uri(),
            partial(_refuse, FileUnreadable(ReasonCode.UNREADABLE_FILE, f"{error.strerror}")),
        )


def _file(path: Path) -> FoundFile:
    path = path.absolute()
    return FoundFile(path.as_uri(), partial(_read_file, path))


def _is_hidden(name: str) -> bool:
    return (name.startswith(".") and name not in (".", "..")) or name == "__MACOSX"


def _refuse(error: Exception, limits: ImageLimits) -> bytes:
    raise error


def _read_file(path: Path, limits: ImageLimits) -> bytes:
    _refuse_by_name(path.name)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would block
            raise ImageRefused(ReasonCode.NOT_AN_IMAGE, "it is no regular file")
        check_size(status.st_size, limits)
        return path.read_bytes()
    except OSError as error:
        raise FileUnreadable(ReasonCode.UNREADABLE_FILE, f"{error.strerror}") from error


def _refuse_by_name(name: str) -> None:
    if _is_hidden(name):
        raise ImageRefused(ReasonCode.NOT_AN_IMAGE, "it is a hidden file")
    if name.lower().endswith(".zip"):
        raise ImageRefused(ReasonCode.ARCHIVE_INSIDE)


# ---------------------------------------------------------------------------------------------------------------------
# Zip archives


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(path)
    except OSError as error:
        raise IngestError(f"cannot read {path}: {error.strerror}.") from error
    except Exception as error:  # a damaged table of contents raises almost any exception
        raise IngestError(f"{path} is not a readable zip archive: {error}. Copy or download it again.") from error
    with archive:
        yield archive


def _members(path: Path, archive: zipfile.ZipFile) -> tuple[int, Iterator[FoundFile]]:
    uri = path.absolute().as_uri()
    members = [member for member in archive.infolist() if not member.is_dir()]
    files = (
        FoundFile(f"{uri}#{quote(m.filename, errors='replace')}", partial(_read_member, archive, m)) for m in members
    )
    return len(members), files


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limits: ImageLimits) -> bytes:
    for part in member.filename.split("/"):
        _refuse_by_name(part)
    if member.flag_bits & 1:
        raise FileUnreadable(ReasonCode.ENCRYPTED_FILE)
    check_size(member.file_size, limits)
    try:
        with archive.open(member) as file:
            data = file.read(limits.max_bytes + 1)  # the size in the header may be wrong
    except Exception as error:  # zlib, lzma, struct, RuntimeError …: each means that this member is damaged
        raise FileUnreadable(ReasonCode.DAMAGED_FILE, f"{error or type(error).__name__}") from error
    check_size(len(data), limits)
    return data
