"""Cases 30 to 38 and 40 of the hostile forty: what strangers call an image, and what becomes of it here.

Images are decoded as everywhere, in worker processes; where a site has a part, it is a real one on loopback.
"""

import gzip
import os
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import deadly_worker
import fuzz_images
import numpy as np
import pytest
from loopback_site import Answer, Site, serving
from numpy.typing import NDArray
from PIL import Image, ImageCms
from strange_images import (
    SCRIPT,
    bombs,
    damaged,
    drawings,
    encoded,
    float_tiff,
    many_frames,
    photograph,
    plain,
    png,
    polyglots,
    real_png_bomb,
    samples,
    truncations,
    ycck_jpeg,
)

from crawler.crawl import CrawlConfig, CrawlReport, crawl
from crawler.errors import FetchFailed
from crawler.fetch import FetchLimits, fetch_image
from imgsearch.corpus.decoding import CRASH, TOO_MUCH_MEMORY, TOO_MUCH_TIME, Decoders, WorkerLimits, decoders
from imgsearch.corpus.images import DEFAULT_LIMITS, DecodedImage, decode_image
from imgsearch.corpus.ingest import Intake, ReadImage, Verdict
from imgsearch.corpus.near_duplicates import COMPARED, NearDuplicates
from imgsearch.corpus.store import Corpus
from imgsearch.errors import DecoderError, ImageError
from imgsearch.paths import IndexPaths
from imgsearch.web import cards, query, server

RED, WHITE, GREY = (255, 0, 0), (255, 255, 255), (127, 127, 127)
MOST_RESIDENT_BYTES = 300_000_000
SAMPLES = samples()


@pytest.fixture(scope="module")
def pool() -> Iterator[Decoders]:
    """One worker whose images may take two seconds of the processor."""
    pool = Decoders(1, limits=WorkerLimits(cpu_seconds=2))
    yield pool
    pool.close()


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        yield site


@pytest.fixture
def corpus(tmp_path: Path) -> Iterator[Corpus]:
    with Corpus.open_for_writing(IndexPaths(tmp_path / "index")) as corpus:
        yield corpus


def crawled(site: Site, corpus: Corpus, folder: Path, *, limits: FetchLimits | None = None) -> CrawlReport:
    config = CrawlConfig(
        seeds=(site.url + "/",), delay_seconds=0, allow_private=True, tries=1, limits=limits or FetchLimits()
    )
    return crawl(config, folder / "crawl.sqlite", Intake(corpus).keep)


def show(site: Site, **images: tuple[bytes, str]) -> None:
    """A page with images, each given as its bytes and what the server calls them."""
    for name, (body, content_type) in images.items():
        site.answer(f"/{name}", Answer(body, headers={"Content-Type": content_type}))
    site.page("/", "".join(f'<img src="/{name}">' for name in images))


def stored_under(corpus: Corpus) -> set[str]:
    """The last parts of all addresses under which an image was kept."""
    return {source.url.rsplit("/", 1)[1] for row in range(len(corpus)) for source in corpus.sources(row)}


def refusal(pool: Decoders, data: bytes) -> str:
    """The reason why the bytes are refused, "" where they are decoded."""
    (result,) = pool.images([data])
    return str(result) if isinstance(result, ImageError) else ""


# ---------------------------------------------------------------------------------------------------------------------
# 30 to 32: what servers say and send


def test_case_30_bytes_decide_whatever_the_server_calls_them(site: Site, corpus: Corpus, tmp_path: Path) -> None:
    page = b"<!doctype html><title>no image</title>"
    show(
        site,
        page_as_jpeg=(page, "image/jpeg"),
        jpeg_as_text=(SAMPLES["JPEG"], "text/plain"),
        png_as_page=(SAMPLES["PNG"], "text/html"),
        webp_as_nothing=(SAMPLES["WebP"], ""),
        svg_as_png=(drawings()["SVG"], "image/png"),
    )
    report = crawled(site, corpus, tmp_path)
    assert stored_under(corpus) == {"jpeg_as_text", "png_as_page", "webp_as_nothing"}
    assert (report.kept, report.skipped, report.failed) == (3, 2, 0)


def test_case_31_a_page_that_answers_for_a_missing_image_is_no_image(
    site: Site, corpus: Corpus, tmp_path: Path
) -> None:
    show(
        site, gone_jpg=(b"<html><body>Sorry, this picture is gone.", "image/jpeg"), there=(SAMPLES["PNG"], "image/png")
    )
    report = crawled(site, corpus, tmp_path)
    assert stored_under(corpus) == {"there"}
    assert (report.kept, report.skipped) == (1, 1)
    assert any("page" in reason for reason in report.reasons)


@pytest.mark.parametrize("announced", [True, False])
def test_case_32_a_body_beyond_the_limit_is_cut(site: Site, corpus: Corpus, tmp_path: Path, announced: bool) -> None:
    body = SAMPLES["JPEG"] + bytes(300_000)
    large = Answer(body) if announced else Answer(chunks=[body[i : i + 50_000] for i in range(0, len(body), 50_000)])
    large.headers["Content-Type"] = "image/jpeg"
    show(site, small=(SAMPLES["JPEG"], "image/jpeg"), large=(b"", ""))
    site.answer("/large", large)
    report = crawled(site, corpus, tmp_path, limits=FetchLimits(image_bytes=200_000))
    assert stored_under(corpus) == {"small"}
    assert (report.kept, report.failed) == (1, 1)
    assert any("larger than" in reason for reason in report.reasons)


def test_case_32_what_is_compressed_counts_as_it_is_unpacked(site: Site) -> None:
    packed = gzip.compress(SAMPLES["JPEG"] + bytes(400_000_000), compresslevel=1, mtime=0)
    headers = {"Content-Type": "image/jpeg", "Content-Encoding": "gzip"}
    address = site.answer("/bomb", Answer(packed, headers=headers))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    with pytest.raises(FetchFailed, match="larger than 20 MB"):
        fetch_image(address, allow_private=True)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before < 100_000_000


# ---------------------------------------------------------------------------------------------------------------------
# 33: bombs


def test_case_33_bombs_are_refused_before_they_are_unpacked() -> None:
    pool = Decoders(1)
    try:
        reasons = {name: refusal(pool, data) for name, data in bombs().items()}
        resident = peak_bytes(pool.pids()[0])
    finally:
        pool.close()
    assert all(reasons.values()), reasons
    by_size = [name for name, reason in reasons.items() if "more than 50 megapixels" in reason]
    assert len(by_size) >= len(reasons) - 2, reasons
    assert "icon" in reasons["icon"]
    assert resident < MOST_RESIDENT_BYTES


def test_case_33_pixels_are_counted_from_the_header_alone(pool: Decoders) -> None:
    assert refusal(pool, real_png_bomb(9_400)) == "more than 50 megapixels: 9400 x 9400"
    assert refusal(pool, real_png_bomb(7_000)) == ""


def test_case_33_what_is_too_large_is_not_even_sent_to_a_worker() -> None:
    pool = Decoders(1)
    assert "larger than 20 MB" in refusal(pool, bytes(DEFAULT_LIMITS.max_bytes + 1))
    assert pool.pids() == []


def peak_bytes(pid: int) -> int:
    """The most memory that a process has had at a time."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return 1024 * int(found[1])


# ---------------------------------------------------------------------------------------------------------------------
# 34 and 35: the right way up, in the right colours


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_case_34_all_eight_orientations_are_the_same_picture(pool: Decoders, file_format: str) -> None:
    upright = photograph()
    undone = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # orientation → the turn that gives it, as Pillow numbers them
    expected = pool.image(encoded(upright, file_format)).thumbnail.astype(int)
    for orientation in range(1, 9):
        stored = upright.transpose(Image.Transpose(undone[orientation])) if orientation in undone else upright
        exif = Image.Exif()
        exif[0x0112] = orientation
        decoded = pool.image(encoded(stored, file_format, exif=exif))
        assert (decoded.width, decoded.height) == upright.size
        assert np.abs(decoded.thumbnail - expected).mean() < 4, orientation


def swapped_profile() -> bytes:
    """A colour profile whose red is sRGB's green, and the other way round."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return srgb.replace(b"rXYZ", b"....").replace(b"gXYZ", b"rXYZ").replace(b"....", b"gXYZ")


TONES = {
    "CMYK": (encoded(plain("CMYK", (0, 255, 255, 0)), "JPEG", quality=100), RED),
    "YCCK": (ycck_jpeg(), RED),
    "LA": (encoded(plain("LA", (0, 128)), "PNG"), GREY),
    "LA, clear": (encoded(plain("LA", (0, 0)), "PNG"), WHITE),
    "palette and tRNS": (encoded(plain("RGB", RED).quantize(4), "PNG", transparency=0), WHITE),
    "palette and tRNS, a half": (encoded(plain("RGB", RED).quantize(4), "PNG", transparency=b"\x80"), (255, 127, 127)),
    "16-bit grey": (png(40, 40, 16, 0, b"\x7f\xff"), GREY),
    "16-bit RGB": (png(40, 40, 16, 2, b"\x7f\xff\xff\xff\0\0"), (127, 255, 0)),
    "1 bit": (encoded(Image.fromarray(np.tile(np.array([0, 255], np.uint8), (64, 32))).convert("1"), "PNG"), GREY),
    "ICC": (encoded(plain("RGB", RED), "PNG", icc_profile=swapped_profile()), (0, 255, 0)),
    "float TIFF": (float_tiff(np.full((40, 40), 0.5, np.float32)), GREY),
}


@pytest.mark.parametrize("name", TONES)
def test_case_35_mean_colours_are_true(pool: Decoders, name: str) -> None:
    data, colour = TONES[name]
    mean = pool.image(data).thumbnail.reshape(-1, 3).mean(axis=0)
    np.testing.assert_allclose(mean, colour, atol=3)


# ---------------------------------------------------------------------------------------------------------------------
# 36: more than one picture, and none at all


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "PNG"])
def test_case_36_of_an_animation_the_first_frame_counts(pool: Decoders, file_format: str) -> None:
    frames = [plain("RGB", (0, 0, 255)), plain("RGB", (0, 255, 0))]
    data = encoded(plain("RGB", RED), file_format, save_all=True, append_images=frames, duration=40)
    np.testing.assert_allclose(pool.image(data).thumbnail.reshape(-1, 3).mean(axis=0), RED, atol=3)


def test_case_36_further_frames_cost_nothing(pool: Decoders) -> None:
    few, many = many_frames(1), many_frames(400_000)
    assert len(many) < DEFAULT_LIMITS.max_bytes
    pool.image(few)
    assert cpu_seconds(pool, many) < cpu_seconds(pool, few) + 0.2
    assert pool.image(many).width == 64


def test_case_36_no_other_program_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = tmp_path / "started"
    for name in ("gs", "gswin64c", "gswin32c", "gswin", "djpeg", "convert"):
        (tmp_path / name).write_text(f"#!/bin/sh\n: > {started}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    pool = Decoders(1)
    try:
        reasons = {name: refusal(pool, data) for name, data in drawings().items()}
    finally:
        pool.close()
    assert not started.exists()
    assert all(reason.startswith("not an image") for reason in reasons.values()), reasons
    assert [name for name in ("SVG", "PDF", "Photoshop", "PostScript", "icon") if name not in str(reasons)] == []


def test_case_36_polyglots_are_kept_as_pixels_alone(pool: Decoders) -> None:
    for name, data in polyglots().items():
        decoded = pool.image(data)
        assert decoded.preview is not None, name
        assert SCRIPT not in decoded.preview + decoded.thumbnail.tobytes(), name
        assert b"PK\5\6" not in decoded.preview, name


def cpu_seconds(pool: Decoders, data: bytes) -> float:
    (pid,) = pool.pids()
    before = _cpu_seconds_of(pid)
    pool.image(data)
    return _cpu_seconds_of(pid) - before


def _cpu_seconds_of(pid: int) -> float:
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


# ---------------------------------------------------------------------------------------------------------------------
# 37: damage


@pytest.mark.parametrize("name", SAMPLES)
def test_case_37_a_hundred_damages_neither_kill_nor_hold_up_a_worker(pool: Decoders, name: str) -> None:
    rng = np.random.default_rng(37)
    pool.image(SAMPLES[name])
    before = pool.pids()
    results = pool.images([damaged(SAMPLES[name], rng) for _ in range(100)])  # two seconds of the processor for each
    assert pool.pids() == before
    refused = [result for result in results if isinstance(result, ImageError)]
    assert refused
    assert all(str(reason) for reason in refused)


@pytest.mark.parametrize("name", SAMPLES)
def test_case_37_truncated_images_are_refused(pool: Decoders, name: str) -> None:
    whole = pool.image(SAMPLES[name]).thumbnail
    for result in pool.images(list(truncations(SAMPLES[name]))):
        # An animation may be cut behind its first frame, which is all that is wanted of it.
        assert isinstance(result, ImageError) or np.array_equal(result.thumbnail, whole)


@pytest.fixture(scope="module")
def frail() -> Iterator[Decoders]:
    """One worker that some images kill."""
    pool = Decoders(1, limits=WorkerLimits(cpu_seconds=0.3, wall_seconds=0.5), command=deadly_worker.COMMAND)
    yield pool
    pool.close()


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        (deadly_worker.CRASH, CRASH),
        (deadly_worker.EXIT, CRASH),
        (deadly_worker.BABBLE, CRASH),
        (deadly_worker.ENDLESS, CRASH),
        (deadly_worker.SPIN, TOO_MUCH_TIME),
        (deadly_worker.SLEEP, TOO_MUCH_TIME),
        (deadly_worker.EAT, TOO_MUCH_MEMORY),
        (deadly_worker.KILLED, TOO_MUCH_MEMORY),
    ],
)
def test_case_37_an_image_that_kills_its_worker_is_refused_alone(frail: Decoders, word: bytes, reason: str) -> None:
    good = SAMPLES["JPEG"]
    first, second, third = frail.images([good, word, good])
    assert isinstance(second, ImageError)
    assert str(second) == reason
    expected = decode_image(good)
    for result in (first, third, frail.image(good)):
        assert isinstance(result, DecodedImage)
        assert np.array_equal(result.thumbnail, expected.thumbnail)
        assert result.preview == expected.preview
    assert len(frail.pids()) == 1


def test_case_37_memory_and_time_have_limits_that_real_images_meet() -> None:
    large = encoded(plain("RGB", RED, (6_000, 6_000)), "PNG")
    for limits, reason in (
        (WorkerLimits(memory_bytes=50_000_000), TOO_MUCH_MEMORY),
        (WorkerLimits(cpu_seconds=0.02), TOO_MUCH_TIME),
        (WorkerLimits(wall_seconds=0.02), TOO_MUCH_TIME),
    ):
        pool = Decoders(1, limits=limits)
        assert refusal(pool, large) == reason
        assert refusal(pool, SAMPLES["BMP"]) == ""
        pool.close()


def test_case_37_a_worker_that_was_killed_in_its_sleep_is_replaced(pool: Decoders) -> None:
    pool.image(SAMPLES["PNG"])
    (pid,) = pool.pids()
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert refusal(pool, SAMPLES["PNG"]) == ""
    assert pool.pids() != [pid]


def test_case_37_a_worker_that_cannot_start_is_not_the_images_fault(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("raise SystemExit(3)")
    with pytest.raises(DecoderError, match=r"ended at once.*status 3"):
        Decoders(1, command=[str(tmp_path / "broken.py")]).image(SAMPLES["PNG"])


def test_case_37_workers_end_with_the_program_that_started_them() -> None:
    program = (
        "import sys; from imgsearch.corpus.decoding import decoders; pool = decoders();"
        "pool.images([b'no image'] * 2); print(*pool.pids(), flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    assert parent.stdin is not None
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert pids
    parent.kill()
    parent.wait()
    parent.stdout.close()
    parent.stdin.close()
    until = time.monotonic() + 5
    while (left := [pid for pid in pids if is_running(pid)]) and time.monotonic() < until:
        time.sleep(0.01)
    assert not left


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_case_37_the_long_fuzz_tells_failures_from_refusals() -> None:
    outcomes = fuzz_images.fuzz(minutes=0.001, seed=1)
    assert set(outcomes) == set(SAMPLES)
    assert {outcome for counts in outcomes.values() for outcome in counts} <= {"decoded", "refused"}
    assert fuzz_images.judged(ImageError(CRASH)) == "failed"


def test_one_image_after_another_starts_one_worker() -> None:
    pool = Decoders(4)
    for _ in range(5):
        pool.image(SAMPLES["GIF"])
    assert len(pool.pids()) == 1
    pool.close()
    assert pool.pids() == []


def test_many_images_come_back_in_their_order_from_several_workers() -> None:
    pool = Decoders(2)
    images = [encoded(plain("RGB", (i, 0, 0)), "PNG") for i in range(200)] + [b""]
    results = pool.images(images)
    pool.close()
    assert [result.thumbnail[0, 0, 0] for result in results if isinstance(result, DecodedImage)] == list(range(200))
    assert str(results[-1]) == "empty: there are no bytes"


# ---------------------------------------------------------------------------------------------------------------------
# 38: the same picture twice


def test_case_38_the_same_bytes_under_three_addresses_are_one_image(site: Site, corpus: Corpus, tmp_path: Path) -> None:
    same = (SAMPLES["JPEG"], "image/jpeg")
    show(site, one=same, two=same, three=same)
    report = crawled(site, corpus, tmp_path)
    assert (report.kept, report.duplicate) == (1, 2)
    assert len(corpus) == 1
    assert corpus.entry(0).digest == sha256(SAMPLES["JPEG"]).hexdigest()
    assert stored_under(corpus) == {"one", "two", "three"}


def pictures(n: int, side: int = 200) -> list[Image.Image]:
    """Different pictures with something to see: coarse noise, enlarged."""
    rng = np.random.default_rng(38)
    coarse = rng.integers(0, 256, (n, 6, 6, 3), np.uint8)
    return [Image.fromarray(some).resize((side, side), Image.Resampling.BICUBIC) for some in coarse]


def keep(corpus: Corpus, *images: bytes, intake: Intake | None = None) -> list[int | None]:
    """Take the images in; the row that each is flagged as a near-duplicate of."""
    found = [ReadImage(f"file:///{sha256(data).hexdigest()}", data) for data in images]
    outcomes = (intake or Intake(corpus)).keep(found)
    return [corpus.entry(outcome.row).near_duplicate_of for outcome in outcomes if outcome.row is not None]


def test_case_38_recompressed_and_resized_copies_are_flagged_and_kept(corpus: Corpus) -> None:
    first, second = pictures(2)
    whole = encoded(first, "PNG")
    small = encoded(first.resize((120, 120)), "PNG")
    copies = [encoded(first, "JPEG", quality=quality) for quality in (90, 50, 20)]
    assert keep(corpus, encoded(second, "PNG"), whole, copies[0], small) == [None, None, 1, 1]  # in one batch
    assert keep(corpus, copies[1], encoded(first, "WEBP"), copies[2]) == [1, 1, 1]  # and in a later run
    assert len(corpus) == 7
    assert corpus.counts().near_duplicates == 5
    corpus.remove([2])
    assert corpus.counts().near_duplicates == 4


def test_case_38_only_copies_are_flagged(corpus: Corpus) -> None:
    # In greys there is nothing to see in these.
    plains = [encoded(plain("RGB", (tone, 255 - tone, 0)), "PNG") for tone in range(0, 256, 5)]
    assert keep(corpus, *plains, *(encoded(picture, "PNG") for picture in pictures(300, side=32))) == [None] * 352
    assert keep(corpus, encoded(plain("RGB", (50, 205, 0)), "BMP")) == [10]


def test_case_38_a_copy_is_found_among_many_wherever_the_original_lies(corpus: Corpus) -> None:
    intake, many = Intake(corpus), pictures(2_000, side=32)
    for start in range(0, 2_000, 250):
        assert not any(keep(corpus, *(encoded(some, "PNG") for some in many[start : start + 250]), intake=intake))
    copies = [encoded(many[row], "JPEG", quality=92) for row in range(0, 2_000, 101)]
    assert keep(corpus, *copies, intake=intake) == list(range(0, 2_000, 101))
    assert keep(corpus, *(copy + b"again" for copy in copies)) == list(range(0, 2_000, 101))  # never a copy's copy


def test_case_38_what_is_near_to_a_copy_alone_is_an_original() -> None:
    chain = np.array([0, 0b1111, 0b1111_1111], np.uint64)  # each 4 bits from the one before
    alike = np.zeros((3, 32, 32, 3), np.uint8)
    assert NearDuplicates(chain[:0], np.zeros(0, np.int64)).add(chain, alike, 0, lambda _: alike[:0]) == [None, 0, None]


def test_case_38_a_crowd_of_look_alikes_costs_no_more(corpus: Corpus) -> None:
    hashes, rows = np.zeros(100_000, np.uint64), np.arange(100_000)
    crowd = NearDuplicates(hashes, rows)
    asked: list[int] = []

    def read(some: NDArray[np.int64]) -> NDArray[np.uint8]:
        asked.append(len(some))
        return np.full((len(some), 32, 32, 3), 255, np.uint8)

    # Each has a hundred thousand images to be compared with, none of which is like it.
    assert crowd.add(hashes[:512], np.zeros((512, 32, 32, 3), np.uint8), 100_000, read) == [None] * 512
    assert asked == [512 * COMPARED]


def test_case_38_a_corpus_from_before_is_read_and_mended(tmp_path: Path) -> None:
    paths = IndexPaths(tmp_path)
    (first,) = pictures(1)
    with Corpus.open_for_writing(paths) as corpus:
        keep(corpus, encoded(first, "PNG"))
    with sqlite3.connect(paths.corpus_database) as database:
        database.executescript("DROP TABLE perceptual; PRAGMA user_version = 2")
    database.close()
    with Corpus.open(paths) as corpus:
        assert corpus.entry(0).near_duplicate_of is None
        assert corpus.counts().near_duplicates == 0
    with Corpus.open_for_writing(paths) as corpus:
        assert keep(corpus, encoded(first, "JPEG")) == [0]


# ---------------------------------------------------------------------------------------------------------------------
# 40: what visitors upload


class StrangersFile:
    """What Streamlit's uploader gives of a file."""

    def __init__(self, name: str, data: bytes) -> None:
        self.name, self.file_id, self._data = name, name, data

    def getvalue(self) -> bytes:
        return self._data


NAMES = ("../../x", "/etc/passwd", "<script>alert(1)</script>", "a\0b.png", "\u202egnp.exe", "n" * 5_000, "'\";--.jpg")
PLACE = b"SECRET-PLACE"


def strangers_files() -> list[StrangersFile]:
    """A hundred files: bombs, polyglots, drawings, damage, sound ones with a secret, and 50 MB of nothing."""
    exif = Image.Exif()
    exif[0x010E] = PLACE.decode()
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.5), 27: PLACE})  # GPS: where it was taken
    secret = encoded(photograph(), "JPEG", exif=exif, comment=PLACE)
    rng = np.random.default_rng(40)
    contents = [*bombs().values(), *polyglots().values(), *drawings().values(), bytes(50_000_000), b"", secret]
    contents += [damaged(sample, rng) for sample in SAMPLES.values() for _ in range(4)]
    contents += [secret + bytes([number]) for number in range(100 - len(contents))]
    assert len(contents) == 100
    return [StrangersFile(f"{n} {NAMES[n % len(NAMES)]}", data) for n, data in enumerate(contents)]


def test_case_40_a_hundred_uploads_of_strangers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    visit = query.Visit()
    monkeypatch.setattr(query, "this_visit", lambda: visit)
    monkeypatch.setattr(query, "ask", lambda _: None)
    (tmp_path / "below" / "here").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "below" / "here")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    decoders().close()  # workers that start here, and so with these folders, from now on
    taken: dict[str, query.ImageQuery | query.Refusal] = {}
    files = strangers_files()
    for start in range(0, 100, query.MOST_UPLOADS):
        query.take_uploads(files[start : start + query.MOST_UPLOADS])  # type: ignore[arg-type] # as much as is used
        taken |= visit.uploads
    assert [path.name for path in tmp_path.rglob("*")] == ["below", "here"]
    assert len(taken) == 100
    images = {name: upload for name, upload in taken.items() if isinstance(upload, query.ImageQuery)}
    refusals = {name: upload for name, upload in taken.items() if isinstance(upload, query.Refusal)}
    assert len(images) > 20
    assert len(refusals) > 30
    for image in images.values():
        assert PLACE not in image.picture + image.thumbnail.tobytes()
        assert SCRIPT not in image.picture
        assert not Image.open(BytesIO(image.picture)).getexif()
        assert_harmless(cards.small(image.picture, image.name, chosen=False) + cards.query_label(image.name, "x"))
    for refused in refusals.values():
        assert refused.reason
        assert_harmless(cards.notice(refused.reason, name=refused.name, refused=True))


def assert_harmless(html: str) -> None:
    assert "<script" not in html
    assert not re.search(r"[\x00-\x08\u202a-\u202e]", html)
    assert len(re.sub(r"base64,[^\"]*", "", html)) < 3_000


def test_case_40_a_reason_quotes_nothing_that_a_page_would_run() -> None:
    for data in (b"<svg onload=alert(1)>", b"\x89PNG\r\n\x1a\n<script>", b"II*\0<script>alert(1)</script>"):
        with pytest.raises(ImageError) as refused:
            query.image_query(data, "name")
        assert_harmless(cards.notice(str(refused.value), refused=True))


def test_case_40_uploads_are_opened_by_workers_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("opened in this process"))
    upload = query.image_query(SAMPLES["WebP"], "x.webp")
    assert (upload.width, upload.height, upload.format) == (120, 90, "WEBP")


def test_case_40_the_server_takes_no_larger_upload_than_an_image_may_be() -> None:
    settings = tomllib.loads(server.SETTINGS.read_text(encoding="utf-8"))
    assert settings["server"]["maxUploadSize"] * 1_000_000 <= DEFAULT_LIMITS.max_bytes
    assert f"--server.maxUploadSize={settings['server']['maxUploadSize']}" in server.streamlit_command("127.0.0.1", 1)


def test_case_40_the_same_workers_serve_what_is_added(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("opened in this process"))
    images = [next(iter(bombs().values())), SAMPLES["GIF"], SAMPLES["AVIF"][:100]]
    outcomes = Intake(corpus).keep([ReadImage(f"file:///{n}", data) for n, data in enumerate(images)])
    assert [outcome.verdict for outcome in outcomes] == [Verdict.SKIPPED, Verdict.KEPT, Verdict.SKIPPED]
