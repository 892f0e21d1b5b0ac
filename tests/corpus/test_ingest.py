"""Intake of images from crawls and folders: one verdict with a reason each."""

import os
import socket
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from imgsearch.corpus import ingest
from imgsearch.corpus.decoding.images import DEFAULT_LIMITS, ImageLimits, decode_image, encode_png
from imgsearch.corpus.decoding.pool import Decoders
from imgsearch.corpus.folders import folder_name
from imgsearch.corpus.ingest import FoundImage, Intake, Outcome, Verdict, add_paths, read_labelled_images
from imgsearch.corpus.reasons import Reason, ReasonCode
from imgsearch.corpus.store import Corpus
from imgsearch.errors import IngestError
from tests.support.progress import RecordedProgress


def found(url: str, data: bytes, alt: str = "") -> FoundImage:
    """An image of a page."""
    return FoundImage(url, data, "https://example.org/", alt)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two labelled folders of two images each, and other files usual in folders."""
    root = tmp_path / "pictures"
    for number, name in enumerate(("cat/1.png", "cat/2.png", "dog/1.png", "dog/2.PNG")):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture(number))
    (root / "notes.txt").write_text("the cat sat on the mat")
    (root / "labels.json").write_text('{"cat": 1}')
    (root / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    (root / ".hidden").mkdir()
    (root / ".hidden" / "3.png").write_bytes(picture(3))
    return root


def picture(number: int, side: int = 40) -> bytes:
    return encode_png(np.random.default_rng(number).integers(0, 256, (side, side, 3), np.uint8))


def archive(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as opened:
        for name, data in members.items():
            opened.writestr(name, data)
    return path


# ---------------------------------------------------------------------------------------------------------------------
# Intake


def test_one_outcome_each_in_order(corpus: Corpus) -> None:
    outcomes = Intake(corpus).keep(
        [
            found("https://example.org/a/0.png", picture(0), alt="nought"),
            found("https://example.org/a/0-again.png", picture(0)),
            found("https://example.org/page", b"<html>no image</html>"),
            found("https://example.org/a/1.png", picture(1)),
        ]
    )
    assert outcomes == [
        Outcome(Verdict.KEPT, row=0),
        Outcome(Verdict.DUPLICATE, Reason(ReasonCode.SAME_BYTES, "0"), 0),
        Outcome(Verdict.SKIPPED, Reason(ReasonCode.NOT_AN_IMAGE, "it looks like a web page (HTML)")),
        Outcome(Verdict.KEPT, row=1),
    ]
    assert [source.url for source in corpus.sources(0)] == [
        "https://example.org/a/0.png",
        "https://example.org/a/0-again.png",
    ]
    entry = corpus.entry(0)
    assert (entry.page_url, entry.alt, entry.label) == ("https://example.org/", "nought", "")
    assert (entry.width, entry.height, entry.n_bytes) == (40, 40, len(picture(0)))
    assert np.array_equal(corpus.thumbnails()[1], decode_image(picture(1)).thumbnail)


def test_a_crawl_that_lost_the_answer_asks_again_and_keeps(corpus: Corpus) -> None:
    intake, image = Intake(corpus), found("https://example.org/0.png", picture(0))
    elsewhere = found("https://example.net/0.png", picture(0))
    assert intake.keep([image]) == intake.keep([image]) == [Outcome(Verdict.KEPT, row=0)]
    assert intake.keep([elsewhere])[0].verdict is Verdict.DUPLICATE
    assert intake.keep([elsewhere])[0].verdict is Verdict.KEPT  # this place is known now
    assert len(corpus) == 1


def test_removed_images_stay_out(corpus: Corpus) -> None:
    intake = Intake(corpus)
    intake.keep([found("https://example.org/0.png", picture(0))])
    corpus.remove([0])
    outcome = intake.keep([found("https://example.net/other.png", picture(0))])[0]
    assert outcome.verdict is Verdict.SKIPPED
    assert outcome.reason == Reason(ReasonCode.REMOVED_EARLIER, "0")
    assert len(corpus.sources(0)) == 1


def test_previews_can_be_left_out(corpus: Corpus) -> None:
    Intake(corpus).keep([found("https://example.org/0.png", picture(0, side=100))])
    Intake(corpus, with_previews=False).keep([found("https://example.org/1.png", picture(1, side=100))])
    assert corpus.preview(0)
    assert corpus.preview(1) is None


def test_large_batches_are_decoded_in_order(corpus: Corpus) -> None:
    images = [found(f"https://example.org/{n}.png", picture(n) if n % 7 else b"text") for n in range(300)]
    outcomes = Intake(corpus).keep(images)
    assert [outcome.verdict == Verdict.SKIPPED for outcome in outcomes] == [n % 7 == 0 for n in range(300)]
    for image, outcome in zip(images, outcomes, strict=True):
        if outcome.row is not None:
            assert corpus.entry(outcome.row).url == image.url
            assert np.array_equal(corpus.thumbnails()[outcome.row], decode_image(image.data).thumbnail)


def test_an_empty_batch(corpus: Corpus) -> None:
    assert Intake(corpus).keep([]) == []


@pytest.mark.parametrize(
    ("url", "label"),
    [
        ("https://example.org/animals/cat/1.jpg?size=2", "cat"),
        ("https://example.org/1.jpg", ""),
        ("https://example.org/big%20cats/1.jpg#top", "big cats"),
        ("file:///data/pictures/dog/1.png", "dog"),
        ("file:///data/train.zip#train/airplane/0000.jpg", "airplane"),
        ("file:///data/train.zip#0000.jpg", ""),
        ("https://[no-address/cat/1.jpg", ""),
        ("file:///data/train.zip#a/b%23c/0.jpg", "b#c"),
    ],
)
def test_labels_come_from_folders(corpus: Corpus, url: str, label: str) -> None:
    assert folder_name(url) == label
    Intake(corpus, labels_from_folders=True).keep([found(url, picture(0))])
    assert corpus.labels() == [label]


# ---------------------------------------------------------------------------------------------------------------------
# Folders


def test_a_folder_is_taken_in(corpus: Corpus, folder: Path) -> None:
    seen = RecordedProgress()
    intake = Intake(corpus, labels_from_folders=True)
    report = add_paths(intake, [folder], on_progress=seen)
    assert report.counts == {"kept": 4, "duplicate": 0, "skipped": 3, "failed": 0}
    assert report.reasons == {"not an image": 3}
    assert seen.steps == [(7, 7)]
    assert corpus.labels() == ["cat", "cat", "dog", "dog"]
    assert corpus.entry(0).url == (folder / "cat" / "1.png").as_uri()
    assert (
        folder.joinpath("notes.txt").as_uri(),
        Reason(ReasonCode.NOT_AN_IMAGE, "it looks like text"),
    ) in report.problems


def test_a_corpus_inside_the_folder_is_left_alone(corpus: Corpus, tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(picture(1, side=100))
    assert add_paths(Intake(corpus), [tmp_path]).counts["kept"] == 1
    again = add_paths(Intake(corpus), [tmp_path])  # by now previews.bin begins like a JPEG
    assert (again.counts["duplicate"], sum(again.counts.values())) == (1, 1)


def test_adding_again_finds_duplicates_without_decoding(
    corpus: Corpus, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_paths(Intake(corpus), [folder / "cat"])
    monkeypatch.setattr(Decoders, "_answers", lambda *_: pytest.fail("decoded again"))
    report = add_paths(Intake(corpus), [folder / "cat"])
    assert report.counts["duplicate"] == 2
    assert report.reasons == {"already stored as another row": 2}
    (folder / "cat").rename(folder / "lion")
    assert add_paths(Intake(corpus), [folder / "lion"]).reasons == {"same bytes as another row": 2}
    assert len(corpus.sources(0)) == 2


def test_single_files_of_any_name(corpus: Corpus, tmp_path: Path) -> None:
    (tmp_path / "no suffix").write_bytes(picture(0))
    assert add_paths(Intake(corpus), [tmp_path / "no suffix"]).counts["kept"] == 1


def test_relative_paths_have_absolute_urls(corpus: Corpus, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    add_paths(Intake(corpus), [Path("cat"), Path("dog/1.png")])
    assert [entry.url for entry in corpus.entries([0, 2])] == [
        (folder / "cat/1.png").as_uri(),
        (folder / "dog/1.png").as_uri(),
    ]


def test_links_pipes_and_sockets_do_no_harm(corpus: Corpus, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "cat" / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "cat" / "nowhere.png").symlink_to(folder / "gone.png")
    (folder / "dog" / "linked.png").symlink_to(folder / "cat" / "1.png")
    os.mkfifo(folder / "pipe.png")
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.png")
        report = add_paths(Intake(corpus), [folder])
    assert report.counts == {"kept": 4, "duplicate": 1, "skipped": 5, "failed": 1}
    assert (
        (folder / "cat" / "nowhere.png").as_uri(),
        Reason(ReasonCode.UNREADABLE_FILE, "No such file or directory"),
    ) in report.problems


def test_unreadable_files_fail_with_a_reason(corpus: Corpus, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", forbidden)  # permissions do not stop root
    report = add_paths(Intake(corpus), [folder / "cat"])
    assert report.counts["failed"] == 2
    assert report.reasons == {"cannot be read": 2}


def test_unreadable_folders_fail_with_a_reason(corpus: Corpus, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.scandir

    def forbidden(path: str) -> object:
        if str(path).endswith("cat"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", forbidden)
    report = add_paths(Intake(corpus), [folder])
    assert (report.counts["kept"], report.counts["failed"]) == (2, 1)
    assert ((folder / "cat").as_uri(), Reason(ReasonCode.UNREADABLE_FILE, "Permission denied")) in report.problems
    with pytest.raises(IngestError, match=r"cannot read .*cat: Permission denied"):
        add_paths(Intake(corpus), [folder / "cat"])


def test_large_files_are_refused_unread(corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "large.png").open("wb") as file:
        file.truncate(DEFAULT_LIMITS.max_bytes + 1)
    monkeypatch.setattr(Path, "read_bytes", None)
    report = add_paths(Intake(corpus), [tmp_path / "large.png"])
    assert report.reasons == {"larger than 20 MB": 1}


def test_missing_paths_are_refused_before_anything_is_added(corpus: Corpus, folder: Path) -> None:
    with pytest.raises(IngestError, match=r"no file or folder .*gone"):
        add_paths(Intake(corpus), [folder, folder / "gone"])
    assert len(corpus) == 0


def test_stop_is_asked_between_batches(corpus: Corpus, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "BATCH_IMAGES", 2)
    report = add_paths(Intake(corpus), [folder / "cat", folder / "dog"], stop=lambda: len(corpus) >= 2)
    assert report.counts["kept"] == len(corpus) == 2


def test_batches_are_bounded_in_bytes(corpus: Corpus, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "BATCH_BYTES", 1)
    seen = RecordedProgress()
    add_paths(Intake(corpus), [folder / "cat"], on_progress=seen)
    assert seen.steps[:2] == [(1, 2), (2, 2)]


# ---------------------------------------------------------------------------------------------------------------------
# Archives


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_archive_is_taken_in(corpus: Corpus, tmp_path: Path, method: int) -> None:
    members = {"cat/1.png": picture(0), "cat/": b"", "big dog/2.png": picture(1), "readme.txt": b"hello"}
    path = archive(tmp_path / "a b.zip", members, method)
    report = add_paths(Intake(corpus, labels_from_folders=True), [path])
    assert report.counts == {"kept": 2, "duplicate": 0, "skipped": 1, "failed": 0}
    assert corpus.entry(1).url == f"{path.as_uri()}#big%20dog/2.png"
    assert corpus.labels() == ["cat", "big dog"]


def test_hostile_member_names_are_only_text(corpus: Corpus, tmp_path: Path) -> None:
    names = ["../../evil.png", "./good.png", "/etc/evil.png", "C:\\evil.png", "a\nb.png", "x" * 5000 + ".png"]
    path = archive(tmp_path / "evil.zip", {name: picture(number) for number, name in enumerate(names)})
    assert add_paths(Intake(corpus, labels_from_folders=True), [path]).counts["kept"] == len(names)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["evil.zip", "index"]


def test_what_others_leave_in_archives_is_passed_over(corpus: Corpus, tmp_path: Path) -> None:
    inner = archive(tmp_path / "inner.zip", {"1.png": picture(0)})
    members = {"__MACOSX/._1.png": picture(1), ".hidden.png": picture(2), "inner.zip": inner.read_bytes()}
    report = add_paths(Intake(corpus), [archive(tmp_path / "outer.zip", members)])
    assert report.counts == {"kept": 0, "duplicate": 0, "skipped": 3, "failed": 0}
    assert report.reasons == {"not an image": 2, "a zip archive inside a folder or archive": 1}


def test_bombs_are_refused_by_what_they_say_and_by_what_they_are(corpus: Corpus, tmp_path: Path) -> None:
    limits = ImageLimits(max_bytes=100_000)
    honest = archive(tmp_path / "honest.zip", {"bomb.png": bytes(10_000_000)})
    liar = tmp_path / "liar.zip"
    # The table of contents claims 10 bytes instead of ten million.
    liar.write_bytes(honest.read_bytes().replace(struct.pack("<I", 10_000_000), struct.pack("<I", 10)))
    report = add_paths(Intake(corpus, limits=limits), [honest, liar])
    assert report.counts == {"kept": 0, "duplicate": 0, "skipped": 1, "failed": 1}
    assert set(report.reasons) == {"larger than 0.1 MB", "damaged in its archive"}


def test_encrypted_members_are_reported(corpus: Corpus, tmp_path: Path) -> None:
    path = archive(tmp_path / "secret.zip", {"1.png": picture(0)})
    data = bytearray(path.read_bytes())
    data[6] |= 1  # the flag in the local header and in the table of contents
    data[data.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(data)
    report = add_paths(Intake(corpus), [path])
    assert report.counts["failed"] == 1
    assert report.reasons == {"encrypted in its archive": 1}


def test_a_damaged_member_costs_only_itself(corpus: Corpus, tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {"1.png": picture(0), "2.png": picture(1)}, zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    data[data.index(b"\x89PNG") + 100] ^= 255
    path.write_bytes(data)
    report = add_paths(Intake(corpus), [path])
    assert report.counts == {"kept": 1, "duplicate": 0, "skipped": 0, "failed": 1}
    assert report.reasons == {"damaged in its archive": 1}


@pytest.mark.parametrize("data", [b"", b"PK\3\4 and no more", b"not a zip at all", None])
def test_damaged_archives_are_refused(corpus: Corpus, tmp_path: Path, data: bytes | None) -> None:
    path = archive(tmp_path / "a.zip", {"1.png": picture(0)})
    path.write_bytes(path.read_bytes()[:-30] if data is None else data)
    with pytest.raises(IngestError, match=r"a\.zip is not a readable zip archive"):
        add_paths(Intake(corpus), [path])


def test_an_archive_is_known_by_its_beginning(corpus: Corpus, tmp_path: Path) -> None:
    path = archive(tmp_path / "no suffix", {"1.png": picture(0)})
    assert add_paths(Intake(corpus), [path]).counts["kept"] == 1


# ---------------------------------------------------------------------------------------------------------------------
# Labelled images


def test_labelled_images_of_a_folder_and_an_archive(folder: Path, tmp_path: Path) -> None:
    members = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.glob("*/*"))}
    for path in (folder, archive(tmp_path / "a.zip", members)):
        labelled = read_labelled_images(path)
        assert labelled.labels == ["cat", "cat", "dog", "dog"]
        assert labelled.thumbnails.shape == (4, 32, 32, 3)
        assert labelled.thumbnails.dtype == np.uint8
        assert np.array_equal(labelled.thumbnails[2], decode_image(picture(2)).thumbnail)
    assert len(read_labelled_images(folder).problems) == 3


def test_labelled_images_need_an_image(folder: Path) -> None:
    with pytest.raises(IngestError, match="no image in"):
        read_labelled_images(folder / "notes.txt")
    with pytest.raises(IngestError, match="no file or folder"):
        read_labelled_images(folder / "gone")


@pytest.mark.data
def test_real_photographs_are_all_taken_in(corpus: Corpus, shared_data: Path, tmp_path: Path) -> None:
    real = shared_data / "cifar10-train-jpeg.zip"
    with zipfile.ZipFile(real) as opened:
        names = opened.namelist()[::250]
        part = archive(tmp_path / "part.zip", {name: opened.read(name) for name in names})
    report = add_paths(Intake(corpus, labels_from_folders=True), [part])
    assert report.counts == {"kept": 200, "duplicate": 0, "skipped": 0, "failed": 0}
    assert len(set(corpus.labels())) == 10
    assert corpus.counts().preview_bytes == 0
