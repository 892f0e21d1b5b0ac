"""The corpus on disk: rows survive crashes, full disks, second writers and many readers unchanged."""

import multiprocessing
import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from imgsearch.corpus.store import RECORD_BYTES, Corpus, NewImage, Source
from imgsearch.errors import CorpusError, Hint, ImgSearchError, IndexDirectoryError, UnknownRowError
from imgsearch.paths import IndexPaths
from tests.support.hints import raises_with_hint
from tests.support.progress import RecordedProgress
from tests.support.waiting import wait_until

FORK = multiprocessing.get_context("fork")  # a child that starts at once, with what it needs
# Python warns of forking beside threads, which other tests' libraries leave behind; these children touch none of them.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")


@pytest.fixture
def paths(tmp_path: Path) -> IndexPaths:
    return IndexPaths(tmp_path / "index")


@pytest.fixture
def corpus(paths: IndexPaths) -> Iterator[Corpus]:
    with Corpus.open_for_writing(paths) as opened:
        yield opened


def image(number: int, **changes: object) -> NewImage:
    """A deterministic image per number; every third has no preview."""
    rng = np.random.default_rng(number)
    values: dict[str, object] = {
        "digest": sha256(str(number).encode()).hexdigest(),
        "thumbnail": rng.integers(0, 256, (32, 32, 3), np.uint8),
        "preview": rng.bytes(int(rng.integers(1, 3000))) if number % 3 else None,
        "width": 640,
        "height": 480,
        "n_bytes": 12_345,
        "url": f"https://example.org/{number}.jpg",
        "page_url": "https://example.org/",
        "alt": f"picture {number}",
        "label": "even" if number % 2 == 0 else "",
    }
    return NewImage(**(values | changes))  # type: ignore[arg-type]  # the values fit the fields of the same names


def images(start: int, end: int) -> list[NewImage]:
    return [image(number) for number in range(start, end)]


# ---------------------------------------------------------------------------------------------------------------------
# Storing and reading


def test_rows_come_back_as_they_went_in(paths: IndexPaths, corpus: Corpus) -> None:
    assert corpus.append(images(0, 5)) == [0, 1, 2, 3, 4]
    assert corpus.append(images(5, 7)) == [5, 6]
    with Corpus.open(paths) as reader:
        assert len(reader) == 7
        for row, new in enumerate(images(0, 7)):
            assert np.array_equal(reader.thumbnails()[row], new.thumbnail)
            assert reader.preview(row) == new.preview
            entry = reader.entry(row)
            assert (entry.digest, entry.url, entry.page_url, entry.alt) == (new.digest, new.url, new.page_url, new.alt)
            assert (entry.width, entry.height, entry.n_bytes) == (640, 480, 12_345)
            assert entry.preview_bytes == len(new.preview or b"")
            assert entry.added_at == pytest.approx(time.time(), abs=60)
            assert entry.removed is False
        assert reader.labels() == ["even", "", "even", "", "even", "", "even"]
        assert reader.verify() == []


def test_an_empty_corpus(corpus: Corpus) -> None:
    assert len(corpus) == 0
    assert corpus.append([]) == []
    assert corpus.thumbnails().shape == (0, 32, 32, 3)
    assert corpus.live_rows().dtype == np.int64
    assert corpus.labels() == []
    assert corpus.verify() == []
    assert corpus.find_digests([]) == {}
    with pytest.raises(UnknownRowError, match="it is empty"):
        corpus.entry(0)


def test_entries_keep_the_order_asked_for(corpus: Corpus) -> None:
    corpus.append(images(0, 1200))
    rows = np.random.default_rng(0).integers(0, 1200, 2000)
    assert [entry.row for entry in corpus.entries(rows)] == rows.tolist()
    with pytest.raises(UnknownRowError, match="no row 1200: its rows are 0 to 1199"):
        corpus.entries([3, 1200])


@pytest.mark.parametrize("ask", [Corpus.entry, Corpus.preview, Corpus.sources])
@pytest.mark.parametrize("row", [-1, 2, 10**12])
def test_unknown_rows_are_refused(corpus: Corpus, ask: Callable[[Corpus, int], object], row: int) -> None:
    corpus.append(images(0, 2))
    with pytest.raises(UnknownRowError, match=f"no row {row}"):
        ask(corpus, row)


def test_digests_are_found_removed_ones_too(corpus: Corpus) -> None:
    corpus.append(images(0, 700))
    corpus.remove([5])
    found = corpus.find_digests([image(number).digest for number in range(690, 710)] + [image(5).digest])
    assert sorted(entry.row for entry in found.values()) == [5, *range(690, 700)]
    assert found[image(5).digest].removed


def test_a_digest_is_stored_once(corpus: Corpus) -> None:
    corpus.append(images(0, 3))
    for batch in ([image(7), image(1)], [image(8), image(8)]):
        with pytest.raises(CorpusError, match="refuses an image"):
            corpus.append(batch)
    assert len(corpus) == 3
    assert corpus.counts().bytes_on_disk >= 3 * RECORD_BYTES
    assert corpus.append(images(3, 5)) == [3, 4]
    assert corpus.verify() == []


def test_deleted_texts_are_overwritten_at_once_and_not_only_by_compact(corpus: Corpus, paths: IndexPaths) -> None:
    corpus.append([image(0, alt="secret words"), image(1)])
    corpus.database.select("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"secret words" in paths.corpus_database.read_bytes()
    with corpus.database.transaction() as connection:
        connection.execute("DELETE FROM source WHERE row = 0")
    corpus.database.select("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"secret words" not in paths.corpus_database.read_bytes()


def test_half_characters_do_not_stop_a_crawl(corpus: Corpus) -> None:
    corpus.append([image(0, url="https://example.org/\ud800", alt="half \udfff", label="\ud800")])
    corpus.add_sources([(0, Source("https://example.org/\udfff/"))])
    assert corpus.entry(0).alt == "half ?"
    assert corpus.rows_of_url("https://example.org/\ud800") == [0]


def test_wrong_thumbnails_are_refused_before_anything_is_written(corpus: Corpus) -> None:
    for wrong in (np.zeros((32, 32), np.uint8), np.zeros((32, 32, 3), np.float32)):
        with pytest.raises(ValueError, match="a thumbnail is"):
            corpus.append([image(0, thumbnail=wrong)])
    assert len(corpus) == 0


def test_an_image_is_found_under_every_url(corpus: Corpus) -> None:
    corpus.append(images(0, 2))
    elsewhere = Source("https://example.net/copy", "https://example.net/", "a copy")
    for _ in range(2):  # idempotent
        corpus.add_sources([(1, elsewhere), (0, elsewhere)])
    assert corpus.sources(1) == [Source("https://example.org/1.jpg", "https://example.org/", "picture 1"), elsewhere]
    assert corpus.rows_of_url("https://example.net/copy") == [0, 1]
    assert corpus.rows_of_url("https://example.org/1.jpg") == [1]
    assert corpus.rows_of_url("https://example.org/") == []
    assert corpus.entry(1).url == "https://example.org/1.jpg"
    with pytest.raises(UnknownRowError):
        corpus.add_sources([(2, elsewhere)])


def test_removing_and_restoring(paths: IndexPaths, corpus: Corpus) -> None:
    corpus.append(images(0, 6))
    with Corpus.open(paths) as reader:
        before = reader.change_count(), corpus.change_count()
        assert corpus.remove([1, 4, 4]) == 2
        assert corpus.remove([4]) == 0
        assert (reader.change_count() > before[0], corpus.change_count() > before[1]) == (True, True)
        assert reader.removed_rows().tolist() == [1, 4]
        assert reader.live_rows().tolist() == [0, 2, 3, 5]
        assert reader.live_rows().dtype == np.int64
        counts = reader.counts()
        assert (counts.rows, counts.images, counts.removed) == (6, 4, 2)
        assert counts.preview_bytes == sum(len(new.preview or b"") for new in images(0, 6))
        assert corpus.restore([4, 0]) == 1
        assert reader.removed_rows().tolist() == [1]
        with pytest.raises(UnknownRowError):
            corpus.remove([6])


def test_change_count_stays_while_nothing_changes(paths: IndexPaths, corpus: Corpus) -> None:
    corpus.append(images(0, 2))
    with Corpus.open(paths) as reader:
        assert reader.change_count() == reader.change_count()


# ---------------------------------------------------------------------------------------------------------------------
# Readers and writers


def test_readers_see_what_a_writer_commits(paths: IndexPaths, corpus: Corpus) -> None:
    corpus.append(images(0, 2))
    with Corpus.open(paths) as reader:
        old = reader.thumbnails()
        corpus.append(images(2, 4))
        assert len(reader.thumbnails()) == 4
        assert np.array_equal(reader.thumbnails()[3], image(3).thumbnail)
        assert len(old) == 2
        assert np.array_equal(old[1], image(1).thumbnail)
        assert not old.flags.writeable


def test_a_second_writer_is_told_to_wait(paths: IndexPaths, corpus: Corpus) -> None:
    with pytest.raises(IndexDirectoryError, match="another process is"):
        Corpus.open_for_writing(paths)
    corpus.close()
    Corpus.open_for_writing(paths).close()


def test_many_threads_share_one_corpus(paths: IndexPaths, corpus: Corpus) -> None:
    corpus.append(images(0, 50))
    failures: list[BaseException] = []
    with Corpus.open(paths) as reader:

        def read(seed: int) -> None:
            try:
                rng = random.Random(seed)
                for _ in range(40):
                    row = rng.randrange(50)
                    assert reader.entry(row).digest == image(row).digest
                    assert reader.preview(row) == image(row).preview
                    assert np.array_equal(reader.thumbnails()[row], image(row).thumbnail)
                    assert len(reader.live_rows()) >= 50
            except BaseException as failure:  # reported by the assertion below, in the thread of the test
                failures.append(failure)

        threads = [threading.Thread(target=read, args=(seed,)) for seed in range(6)]
        for thread in threads:
            thread.start()
        for start in range(50, 80, 5):
            corpus.append(images(start, start + 5))
        for thread in threads:
            thread.join()
    assert failures == []


def test_reading_needs_a_corpus(paths: IndexPaths) -> None:
    for _ in range(2):
        with raises_with_hint(CorpusError, Hint.ADD_IMAGES, match="no corpus in "):
            Corpus.open(paths)
        paths.corpus.mkdir(parents=True, exist_ok=True)
        paths.corpus_database.touch()  # a writer that was killed at once leaves this


def run_as_nobody(work: Callable[[], str]) -> str:
    """The result of `work` in a child process without the permissions of root."""
    receiver, sender = FORK.Pipe(duplex=False)

    def child() -> None:
        if os.geteuid() == 0:
            os.setuid(65_534)
        try:
            sender.send(work())
        except ImgSearchError as error:
            sender.send(f"{type(error).__name__}: {error}")

    process = FORK.Process(target=child)
    process.start()
    answer = receiver.recv() if receiver.poll(20) else "no answer"
    process.join()
    return str(answer)


@pytest.fixture
def read_only(paths: IndexPaths) -> Iterator[IndexPaths]:
    """A corpus of three rows in directories that nobody may write."""
    with Corpus.open_for_writing(paths) as corpus:
        corpus.append(images(0, 3))
    ancestors = [folder for folder in paths.root.parents if folder.stat().st_uid == os.getuid()][:-1]
    modes = {folder: folder.stat().st_mode for folder in ancestors}
    for folder in ancestors:
        folder.chmod(modes[folder] | 0o055)
    paths.corpus.chmod(0o555)
    paths.root.chmod(0o555)
    yield paths
    paths.corpus.chmod(0o755)
    paths.root.chmod(0o755)
    for folder in ancestors:
        folder.chmod(modes[folder])


def test_a_read_only_directory_can_be_read(read_only: IndexPaths) -> None:
    def read() -> str:
        with Corpus.open(read_only) as reader:
            return f"{len(reader)} rows, {reader.verify()}, {reader.change_count() == reader.change_count()}"

    assert run_as_nobody(read) == "3 rows, [], True"


def test_a_read_only_directory_cannot_be_written(read_only: IndexPaths) -> None:
    def write() -> str:
        with Corpus.open_for_writing(read_only):
            return "written"

    assert run_as_nobody(write).startswith("IndexDirectoryError: cannot use ")


# ---------------------------------------------------------------------------------------------------------------------
# Crashes and damage


@pytest.mark.parametrize("file", ["thumbnails", "previews"])
def test_bytes_past_the_last_row_are_cut_off(paths: IndexPaths, file: str) -> None:
    with Corpus.open_for_writing(paths) as corpus:
        corpus.append(images(0, 4))
    with getattr(paths, file).open("ab") as rest:
        rest.write(b"x" * 5_000)
    with Corpus.open(paths) as reader:
        assert reader.verify() == []
    with Corpus.open_for_writing(paths) as corpus:
        assert "5,000 bytes of unfinished images were cut off; all 4 stored images are whole" in corpus.recovered
        assert corpus.append([image(4)]) == [4]
        assert corpus.verify() == []
    with Corpus.open_for_writing(paths) as corpus:
        assert corpus.recovered == ""


@pytest.mark.parametrize("file", ["thumbnails", "previews"])
@pytest.mark.parametrize("is_missing", [True, False])
def test_missing_bytes_are_named(paths: IndexPaths, file: str, is_missing: bool) -> None:
    with Corpus.open_for_writing(paths) as corpus:
        corpus.append(images(0, 5))
    path: Path = getattr(paths, file)
    if is_missing:
        path.unlink()
    else:
        os.truncate(path, path.stat().st_size - 1)
    with pytest.raises(CorpusError, match=f"damaged: .*{path.name} .*bytes belong to stored images"):
        Corpus.open_for_writing(paths)
    with Corpus.open(paths) as reader:
        assert [path.name in problem for problem in reader.verify()] == [True]
        with pytest.raises(CorpusError, match="damaged"):
            reader.thumbnails() if file == "thumbnails" else reader.preview(4)


def test_a_lost_database_does_not_cost_the_images(paths: IndexPaths) -> None:
    with Corpus.open_for_writing(paths) as corpus:
        corpus.append(images(0, 5))
    paths.corpus_database.unlink()
    with pytest.raises(CorpusError, match=r"corpus\.sqlite is missing"):
        Corpus.open_for_writing(paths)
    assert paths.thumbnails.stat().st_size == 5 * RECORD_BYTES


def test_a_damaged_database_is_named(paths: IndexPaths) -> None:
    with Corpus.open_for_writing(paths) as corpus:
        corpus.append(images(0, 5))
    paths.corpus_database.write_bytes(b"this is no database" * 1000)
    for opening in (Corpus.open, Corpus.open_for_writing):
        with pytest.raises(CorpusError, match="damaged"):
            opening(paths)


def test_another_format_is_refused(paths: IndexPaths) -> None:
    with Corpus.open_for_writing(paths):
        pass
    database = sqlite3.connect(paths.corpus_database)
    database.execute("PRAGMA user_version = 7")
    database.close()
    for opening in (Corpus.open, Corpus.open_for_writing):
        with pytest.raises(CorpusError, match="format 7"):
            opening(paths)


def test_verify_finds_changed_bytes(paths: IndexPaths) -> None:
    with Corpus.open_for_writing(paths) as corpus:
        corpus.append(images(0, 5))
    with paths.thumbnails.open("r+b") as file:
        file.seek(3 * RECORD_BYTES + 77)
        file.write(bytes([image(3).thumbnail.reshape(-1)[77] ^ 1]))
    with paths.previews.open("r+b") as file:
        file.write(bytes([(image(1).preview or b"?")[0] ^ 1]))
    seen = RecordedProgress()
    with Corpus.open(paths) as reader:
        problems = reader.verify(on_progress=seen)
    assert [problem.partition(":")[0] for problem in problems] == ["row 1", "row 3"]
    assert seen.steps == [(5, 5)]


@pytest.mark.parametrize("failing_call", [1, 2, 3])
def test_a_full_disk_costs_only_the_batch(
    corpus: Corpus, paths: IndexPaths, monkeypatch: pytest.MonkeyPatch, failing_call: int
) -> None:
    corpus.append(images(0, 3))
    calls = 0
    real = os.pwrite

    def full(descriptor: int, data: bytes, offset: int) -> int:
        nonlocal calls
        calls += 1
        if calls >= failing_call:
            raise OSError(28, "No space left on device")
        return real(descriptor, data[: len(data) // 2], offset)

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        with pytest.raises(IndexDirectoryError, match="No space left"):
            corpus.append(images(3, 9))
    assert len(corpus) == 3
    assert paths.thumbnails.stat().st_size == 3 * RECORD_BYTES
    assert corpus.append(images(3, 9)) == [3, 4, 5, 6, 7, 8]
    assert corpus.verify() == []


def test_a_full_database_costs_only_the_batch(corpus: Corpus, paths: IndexPaths) -> None:
    corpus.append(images(0, 3))
    pages = corpus._database.select("PRAGMA page_count")[0][0]
    corpus._database.select(f"PRAGMA max_page_count = {pages + 1}")
    with pytest.raises(IndexDirectoryError, match=r"corpus\.sqlite: database or disk is full"):
        corpus.append(images(3, 300))
    assert len(corpus) == 3
    assert paths.thumbnails.stat().st_size == 3 * RECORD_BYTES
    corpus._database.select(f"PRAGMA max_page_count = {2**30}")
    corpus.append(images(3, 300))
    assert corpus.verify() == []


def test_an_interruption_after_the_commit_loses_nothing(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    real = corpus._database.transaction

    class Interrupted:
        def __enter__(self) -> sqlite3.Connection:
            self.inner = real()
            return self.inner.__enter__()

        def __exit__(self, *_: object) -> None:
            self.inner.__exit__(None, None, None)
            raise KeyboardInterrupt

    monkeypatch.setattr(corpus._database, "transaction", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        corpus.append(images(0, 3))
    assert len(corpus) == 3
    assert corpus.verify() == []


def append_for_ever(paths: IndexPaths) -> None:
    with Corpus.open_for_writing(paths) as corpus:
        while True:
            start = len(corpus)
            corpus.append(images(start, start + random.randint(1, 60)))


def has_grown(path: Path, size: int) -> bool:
    """Whether there are more than `size` bytes in the file."""
    return path.exists() and path.stat().st_size > size


def test_sigkill_at_random_moments_leaves_no_row_half_there(paths: IndexPaths) -> None:
    rng, rows, mended = random.Random(3), 0, 0
    for _ in range(12):
        writer = FORK.Process(target=append_for_ever, args=(paths,))
        writer.start()
        wait_until(partial(has_grown, paths.thumbnails, rows * RECORD_BYTES))
        time.sleep(rng.uniform(0.0, 0.1))
        writer.kill()
        writer.join()
        with Corpus.open_for_writing(paths) as corpus:
            assert len(corpus) >= rows
            rows = len(corpus)
            mended += bool(corpus.recovered)
            assert corpus.verify() == []
            assert paths.thumbnails.stat().st_size == rows * RECORD_BYTES
            for row in rng.sample(range(rows), min(rows, 20)):
                assert np.array_equal(corpus.thumbnails()[row], image(row).thumbnail)
                assert corpus.preview(row) == image(row).preview
    assert rows > 0
    assert mended > 0  # else no kill hit a write


def test_a_reader_needs_no_writer_to_mend_first(paths: IndexPaths) -> None:
    writer = FORK.Process(target=append_for_ever, args=(paths,))
    writer.start()
    wait_until(partial(has_grown, paths.thumbnails, 100 * RECORD_BYTES))
    with Corpus.open(paths) as reader:
        assert reader.verify() == []  # while it writes
        writer.kill()
        writer.join()
        assert reader.verify() == []
    with Corpus.open(paths) as reader:
        assert reader.verify() == []
