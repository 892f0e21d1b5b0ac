"""Cases 30 to 36 and the crawl's part of 38: files with wrong types, bombs, odd images and duplicates.

Images are decoded as everywhere, in worker processes; where a site has a part, it is a real one on loopback.
"""

import gzip
import os
import re
import resource
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from crawler.crawl import CrawlConfig, CrawlReport, crawl
from crawler.errors import FetchFailed
from crawler.fetching.fetch import FetchLimits, fetch_image
from imgsearch.corpus.decoding.images import DEFAULT_LIMITS
from imgsearch.corpus.decoding.pool import Decoders
from imgsearch.corpus.ingest import Intake
from imgsearch.corpus.store import Corpus
from imgsearch.workflows.crawled_images import keep_in
from tests.support.loopback_site import Answer, Site
from tests.support.strange_images import (
    GREY,
    RED,
    SCRIPT,
    WHITE,
    bombs,
    drawings,
    encoded,
    float_tiff,
    many_frames,
    photograph,
    plain,
    png,
    polyglots,
    real_png_bomb,
    refusal,
    samples,
    ycck_jpeg,
)

MOST_RESIDENT_BYTES = 300_000_000
SAMPLES = samples()


def crawled(site: Site, corpus: Corpus, folder: Path, *, limits: FetchLimits | None = None) -> CrawlReport:
    config = CrawlConfig(
        seeds=(site.url + "/",), delay_seconds=0, allow_private=True, tries=1, limits=limits or FetchLimits()
    )
    return crawl(config, folder / "crawl.sqlite", keep_in(Intake(corpus)))


def show(site: Site, **images: tuple[bytes, str]) -> None:
    """A page with images, each given as its bytes and its Content-Type."""
    for name, (body, content_type) in images.items():
        site.answer(f"/{name}", Answer(body, headers={"Content-Type": content_type}))
    site.page("/", "".join(f'<img src="/{name}">' for name in images))


def stored_under(corpus: Corpus) -> set[str]:
    """The last parts of all URLs at which an image was kept."""
    return {source.url.rsplit("/", 1)[1] for row in range(len(corpus)) for source in corpus.sources(row)}


# ---------------------------------------------------------------------------------------------------------------------
# 30 to 32: types and bodies


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


def test_case_38_the_same_bytes_under_three_addresses_are_one_image(site: Site, corpus: Corpus, tmp_path: Path) -> None:
    same = (SAMPLES["JPEG"], "image/jpeg")
    show(site, one=same, two=same, three=same)
    report = crawled(site, corpus, tmp_path)
    assert (report.kept, report.duplicate) == (1, 2)
    assert len(corpus) == 1
    assert corpus.entry(0).digest == sha256(SAMPLES["JPEG"]).hexdigest()
    assert stored_under(corpus) == {"one", "two", "three"}


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
    """The peak memory of a process."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return 1024 * int(found[1])


# ---------------------------------------------------------------------------------------------------------------------
# 34 and 35: the right way up, in the right colours


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_case_34_all_eight_orientations_are_the_same_picture(pool: Decoders, file_format: str) -> None:
    upright = photograph()
    undone = {
        2: 0,
        3: 3,
        4: 1,
        5: 5,
        6: 2,
        7: 6,
        8: 4,
    }  # orientation → the transposition that produces it (Pillow)
    expected = pool.image(encoded(upright, file_format)).thumbnail.astype(int)
    for orientation in range(1, 9):
        stored = upright.transpose(Image.Transpose(undone[orientation])) if orientation in undone else upright
        exif = Image.Exif()
        exif[0x0112] = orientation
        decoded = pool.image(encoded(stored, file_format, exif=exif))
        assert (decoded.width, decoded.height) == upright.size
        assert np.abs(decoded.thumbnail - expected).mean() < 4, orientation


def swapped_profile() -> bytes:
    """A colour profile with red and green of sRGB swapped."""
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
