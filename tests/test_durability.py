"""Durability: bytes are synced before the record that names them, and files before they are renamed.

SIGKILL cannot show this, because the kernel still writes what a killed process left; so the tests record each fsync.
"""

from pathlib import Path

import numpy as np
import pytest

from imgsearch.autoencoder.codes import CODES_NAME, INFO_NAME, CodeWriter
from imgsearch.corpus.erasing import erase_removed
from imgsearch.corpus.store import RECORD_BYTES, Corpus
from imgsearch.paths import IndexPaths, replacing
from tests.corpus.test_store import image, images
from tests.support.power_cut import SyncedFiles


@pytest.fixture
def paths(tmp_path: Path) -> IndexPaths:
    return IndexPaths(tmp_path / "index")


@pytest.fixture
def synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SyncedFiles:
    return SyncedFiles(tmp_path, monkeypatch)


def test_image_bytes_are_synced_before_the_commit_of_the_rows_that_name_them(
    paths: IndexPaths, synced: SyncedFiles
) -> None:
    with Corpus.open_for_writing(paths) as corpus:
        for start, end in ((0, 2), (2, 5)):
            corpus.append(images(start, end))
            at_commit = synced.at_commits[-1]
            assert at_commit[paths.thumbnails.name] == b"".join(image(i).thumbnail.tobytes() for i in range(end))
            assert at_commit[paths.previews.name] == b"".join(image(i).preview or b"" for i in range(end))
        assert corpus.database.select("PRAGMA synchronous") == [(2,)]  # FULL: SQLite syncs its own commit


def test_erased_bytes_are_synced_as_zeros(paths: IndexPaths, synced: SyncedFiles) -> None:
    with Corpus.open_for_writing(paths) as corpus:
        corpus.append(images(0, 3))
        corpus.remove([1])
        erase_removed(corpus, paths)
    thumbnails = synced.now()[paths.thumbnails.name]
    assert thumbnails[RECORD_BYTES : 2 * RECORD_BYTES] == bytes(RECORD_BYTES)
    assert synced.now()[paths.previews.name] == bytes(len(image(1).preview or b"")) + (image(2).preview or b"")


def test_codes_are_synced_before_the_record_that_counts_them(tmp_path: Path, synced: SyncedFiles) -> None:
    folder = tmp_path / "codes"
    folder.mkdir()
    codes = np.arange(6, dtype=np.float16).reshape(3, 2)
    with CodeWriter(folder, "model", 2) as writer:
        writer.append(codes)
    assert synced.at_renames[INFO_NAME][CODES_NAME] == codes.tobytes()
    assert b'"rows": 3' in synced.renamed[INFO_NAME]


def test_a_replaced_file_is_synced_before_it_is_renamed(tmp_path: Path, synced: SyncedFiles) -> None:
    with replacing(tmp_path / "model.json") as temporary:
        temporary.write_bytes(b"new")
    assert synced.renamed == {"model.json": b"new"}
