"""Decoding of images: correct tones in every mode, limits, and only ImageError for damaged bytes."""

import pickle
import struct
import time
import warnings
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageCms

from imgsearch.corpus.decoding.images import (
    DEFAULT_LIMITS,
    ImageLimits,
    decode_image,
    decode_picture,
    encode_jpeg,
    encode_png,
    encode_webp,
)
from imgsearch.errors import ImageError
from tests.support.strange_images import encoded, photograph, plain, png

RED, WHITE = (255, 0, 0), (255, 255, 255)


def tiff(values: NDArray[np.generic], bits: int, photometric: int, sample_format: int = 1) -> bytes:
    """A little-endian TIFF of one grey strip; `values` is (h, w)."""
    height, width = values.shape
    raw = values.tobytes()
    tags = [(256, width), (257, height), (258, bits), (259, 1), (262, photometric), (273, 8), (277, 1), (278, height)]
    tags += [(279, len(raw)), (339, sample_format)]
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0" + struct.pack("<I", 8 + len(raw)) + raw + struct.pack("<H", len(tags)) + directory + b"\0\0\0\0"


def grey(value: float, dtype: str) -> NDArray[np.generic]:
    return np.full((40, 40), value, dtype)


HALF_CLEAR_RED = plain("RGBA", (255, 0, 0, 128))
CLEAR = plain("RGBA", (0, 0, 0, 0))
TONES: list[tuple[str, Callable[[], bytes], tuple[int, int, int]]] = [
    ("RGB JPEG", lambda: encoded(plain("RGB", RED), "JPEG"), RED),
    ("CMYK JPEG", lambda: encoded(plain("CMYK", (0, 255, 255, 0)), "JPEG"), RED),
    ("CMYK TIFF", lambda: encoded(plain("CMYK", (0, 255, 255, 0)), "TIFF"), RED),
    ("YCbCr TIFF", lambda: encoded(plain("YCbCr", (128, 128, 128)), "TIFF"), (128, 128, 128)),
    ("palette PNG", lambda: encoded(plain("RGB", RED).quantize(4), "PNG"), RED),
    ("palette GIF", lambda: encoded(plain("RGB", RED).quantize(4), "GIF"), RED),
    ("palette BMP", lambda: encoded(plain("RGB", RED).quantize(4), "BMP"), RED),
    ("AVIF", lambda: encoded(plain("RGB", (255, 0, 0)), "AVIF", quality=100), RED),
    ("WebP", lambda: encoded(plain("RGB", RED), "WEBP", lossless=True), RED),
    (
        "1-bit stripes",
        lambda: encoded(stripes(), "TIFF", compression="group4"),
        (128,) * 3,
    ),
    ("16-bit grey PNG", lambda: png(40, 40, 16, 0, struct.pack(">H", 32767)), (127,) * 3),
    ("16-bit RGB PNG", lambda: png(40, 40, 16, 2, struct.pack(">HHH", 32767, 16384, 65535)), (127, 64, 255)),
    ("16-bit grey and alpha PNG", lambda: png(40, 40, 16, 4, struct.pack(">HH", 0, 32767)), (128,) * 3),
    ("16-bit TIFF", lambda: tiff(grey(16384, "<u2"), 16, 1), (64,) * 3),
    ("16-bit TIFF, white is zero", lambda: tiff(grey(16384, "<u2"), 16, 0), (191,) * 3),
    ("signed 16-bit TIFF", lambda: tiff(grey(16384, "<i2"), 16, 1, 2), (128,) * 3),
    ("32-bit TIFF", lambda: tiff(grey(3 * 2**30, "<u4"), 32, 1), (191,) * 3),
    ("float TIFF to 1", lambda: tiff(grey(0.25, "<f4"), 32, 1, 3), (64,) * 3),
    ("float TIFF to 255", lambda: tiff(grey(127, "<f4"), 32, 1, 3), (127,) * 3),
    ("float TIFF of NaN", lambda: tiff(grey(np.nan, "<f4"), 32, 1, 3), (0,) * 3),
    ("clear black PNG", lambda: encoded(CLEAR, "PNG"), WHITE),
    ("clear black WebP", lambda: encoded(CLEAR, "WEBP", lossless=True), WHITE),
    ("clear black AVIF", lambda: encoded(CLEAR, "AVIF"), WHITE),
    ("clear black TIFF", lambda: encoded(CLEAR, "TIFF"), WHITE),
    ("half clear red", lambda: encoded(HALF_CLEAR_RED, "PNG"), (255, 127, 127)),
    ("LA", lambda: encoded(plain("LA", (0, 127)), "PNG"), (128,) * 3),
    ("palette with alpha", lambda: encoded(CLEAR.quantize(4), "PNG"), WHITE),
    ("GIF with a clear colour", lambda: encoded(plain("P", 3), "GIF", transparency=3), WHITE),
    ("clear grey, 8 bits", lambda: png(40, 40, 8, 0, b"\x10", b"\0\x10"), WHITE),
    ("clear grey, 16 bits", lambda: png(40, 40, 16, 0, b"\x10\x01", b"\x10\x01"), WHITE),
    ("clear RGB", lambda: png(40, 40, 8, 2, b"\x10\x20\x30", b"\0\x10\0\x20\0\x30"), WHITE),
    ("multi-picture JPEG", lambda: encoded(plain("RGB", RED), "MPO", **more_frames()), RED),
    ("animated GIF", lambda: encoded(plain("RGB", RED), "GIF", **more_frames()), RED),
    ("animated WebP", lambda: encoded(plain("RGB", RED), "WEBP", **more_frames()), RED),
    ("animated PNG", lambda: encoded(plain("RGB", RED), "PNG", **more_frames()), RED),
]


def stripes() -> Image.Image:
    return Image.fromarray(np.tile(np.array([0, 255], np.uint8), (64, 32))).convert("1")


def more_frames() -> dict[str, object]:
    return {"save_all": True, "append_images": [plain("RGB", (0, 0, 255))]}


@pytest.mark.parametrize(("make", "colour"), [case[1:] for case in TONES], ids=[case[0] for case in TONES])
def test_true_tones(make: Callable[[], bytes], colour: tuple[int, int, int]) -> None:
    thumbnail = decode_image(make()).thumbnail
    assert thumbnail.shape == (32, 32, 3)
    assert thumbnail.dtype == np.uint8
    np.testing.assert_allclose(thumbnail.reshape(-1, 3).mean(axis=0), colour, atol=3)


def test_sixteen_bits_keep_their_whole_range() -> None:
    ramp = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype("<u2")
    thumbnail = decode_image(tiff(ramp, 16, 1)).thumbnail
    assert thumbnail.min() < 5
    assert thumbnail.max() > 250


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(orientation: int) -> None:
    upright = photograph()
    turn = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}.get(orientation)  # the inverse of what a viewer does
    stored = upright if turn is None else upright.transpose(Image.Transpose(turn))
    for file_format in ("JPEG", "PNG", "WEBP", "AVIF", "TIFF"):
        exif = Image.Exif()
        exif[0x0112] = orientation
        decoded = decode_image(encoded(stored, file_format, exif=exif))
        assert (decoded.width, decoded.height) == upright.size
        expected = decode_image(encoded(upright, file_format)).thumbnail.astype(int)
        assert np.abs(decoded.thumbnail - expected).mean() < 4, file_format


def test_damaged_exif_does_not_cost_the_picture() -> None:
    assert decode_image(encoded(photograph(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")).format == "JPEG"


def test_colour_profile_is_applied() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = srgb.replace(b"rXYZ", b"....").replace(b"gXYZ", b"rXYZ").replace(b"....", b"gXYZ")  # its red is green
    for mode, colour, profile, expected in (
        ("RGB", RED, srgb, RED),
        ("RGB", RED, swapped, (0, 255, 0)),
        ("L", 100, swapped, (100, 100, 100)),  # not a profile for greys
        ("RGB", RED, swapped[:200], RED),
        ("RGB", RED, b"no profile at all", RED),
    ):
        data = encoded(plain(mode, colour, (80, 80)), "PNG", icc_profile=profile)
        decoded = decode_image(data)
        np.testing.assert_allclose(decoded.thumbnail.reshape(-1, 3).mean(axis=0), expected, atol=3)
        assert decoded.preview is not None
        shown = np.asarray(Image.open(BytesIO(decoded.preview)))
        np.testing.assert_allclose(shown.reshape(-1, 3).mean(axis=0), expected, atol=3)


def test_thumbnail_is_the_mean_of_its_square() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (256, 320, 3), np.uint8)
    expected = pixels[:, 32:288].reshape(32, 8, 32, 8, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(decode_image(encode_png(pixels)).thumbnail, expected, atol=1)


def test_a_thumbnail_comes_back_as_it_was() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    assert np.array_equal(decode_image(encode_png(pixels)).thumbnail, pixels)


def test_a_jpeg_is_smaller_and_further_off_the_lower_its_quality() -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    low, high = encode_jpeg(pixels, quality=15), encode_jpeg(pixels, quality=90)
    assert len(low) < len(high)
    off_low, off_high = (np.abs(decode_picture(data).astype(int) - pixels).mean() for data in (low, high))
    assert off_high < off_low


def test_large_jpeg_is_averaged_though_decoded_small() -> None:
    picture = photograph(2400, 1600)
    exact = np.asarray(picture)[:, 400:2000].reshape(32, 50, 32, 50, 3).mean(axis=(1, 3))
    decoded = decode_image(encoded(picture, "JPEG", quality=95, subsampling=0))
    assert (decoded.width, decoded.height) == (2400, 1600)
    assert np.abs(decoded.thumbnail[..., :2] - exact[..., :2]).max() < 6


def test_query_and_stored_thumbnail_are_the_same() -> None:
    data = encoded(photograph(3000, 2000), "JPEG")
    assert np.array_equal(decode_image(data, with_preview=False).thumbnail, decode_image(data).thumbnail)


def test_pictures_come_back_whole() -> None:
    small = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)
    assert np.array_equal(decode_picture(encode_png(small)), small)
    assert decode_picture(encoded(photograph(3000, 2000), "JPEG")).shape == (500, 750, 3)
    assert decode_picture(encoded(plain("L", 7), "PNG")).shape == (40, 40, 3)
    with pytest.raises(ImageError, match="text"):
        decode_picture(b"some text")


@pytest.mark.parametrize("size", [(20_000, 1), (1, 20_000), (3, 9_000), (1, 1)])
def test_extreme_sides(size: tuple[int, int]) -> None:
    decoded = decode_image(encoded(plain("RGB", RED, size), "PNG"))
    assert (decoded.width, decoded.height) == size
    assert (decoded.thumbnail == RED).all()


# ---------------------------------------------------------------------------------------------------------------------
# Previews


@pytest.mark.parametrize(
    ("size", "preview_size"),
    [((64, 64), None), ((65, 20), (65, 20)), ((1000, 500), (256, 128)), ((5000, 10), (256, 1))],
)
def test_preview_size(size: tuple[int, int], preview_size: tuple[int, int] | None) -> None:
    preview = decode_image(encoded(plain("RGB", RED, size), "PNG")).preview
    if preview is None:
        assert preview_size is None
    else:
        assert Image.open(BytesIO(preview)).size == preview_size


def test_preview_can_be_left_out() -> None:
    assert decode_image(encoded(photograph(), "JPEG"), with_preview=False).preview is None


def test_preview_quality_steps_down_until_it_fits() -> None:
    noise = encode_png(np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8))
    free = decode_image(noise, limits=ImageLimits(max_preview_bytes=10**6)).preview
    tight = decode_image(noise, limits=ImageLimits(max_preview_bytes=20_000)).preview
    assert free is not None
    assert tight is not None
    assert len(tight) <= 20_000 < len(free)
    assert decode_image(noise, limits=ImageLimits(max_preview_bytes=100)).preview is None


def test_preview_holds_no_metadata() -> None:
    exif = Image.Exif()
    exif[0x010E] = "SECRET-PLACE"
    data = encoded(photograph(), "JPEG", exif=exif, comment=b"SECRET-PLACE")
    preview = decode_image(data).preview
    assert preview is not None
    assert b"SECRET-PLACE" in data
    assert b"SECRET-PLACE" not in preview


# ---------------------------------------------------------------------------------------------------------------------
# Refusals

BOMB_GIF = b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff," + struct.pack("<HHHHB", 0, 0, 8000, 8000, 0) + b"\2\2\x4c\1\0;"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\n <!DOCTYPE html><html><body>Not found", "web page"),
        (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        ("just wörds\nand lines\n".encode(), "text"),
        (b"\0\1\2\3" * 100, "not an image"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "PostScript"),
        (b"\0\0\0\x18ftypheic" + bytes(100), "HEIC"),
        (b"\0\0\0\x18ftypisom" + bytes(100), "video"),
        (encoded(photograph(), "ICO"), "icon"),
        (encoded(photograph(), "PPM"), "not an image"),
        (encoded(photograph(), "JPEG2000"), "JPEG 2000"),
        (encoded(photograph(), "JPEG")[:600], "[Tt]runcated"),
        (encoded(photograph(), "PNG")[:20], "[Tt]runcated"),
        (png(30_000, 30_000, 8, 2, b""), "more than 50 megapixels"),
        (png(9_400, 9_400, 1, 0, b""), "more than 50 megapixels: 9400 x 9400"),  # Pillow would only warn
        (png(10_000, 10_000, 1, 0, b""), "more than 50 megapixels: 10000 x 10000"),
        (BOMB_GIF, "more than 50 megapixels"),
        (bytes(DEFAULT_LIMITS.max_bytes + 1), "larger than 20 MB"),
    ],
)
def test_refusals_say_why(data: bytes, reason: str) -> None:
    with pytest.raises(ImageError, match=reason):
        decode_image(data)


SAMPLES = {
    "JPEG": encoded(photograph(), "JPEG"),
    "progressive JPEG": encoded(photograph(), "JPEG", progressive=True),
    "PNG": encoded(photograph(), "PNG"),
    "palette PNG": encoded(photograph().quantize(16), "PNG"),
    "GIF": encoded(photograph(), "GIF"),
    "WebP": encoded(photograph(), "WEBP"),
    "BMP": encoded(photograph(), "BMP"),
    "TIFF": encoded(photograph(), "TIFF"),
    "deflated TIFF": encoded(photograph(), "TIFF", compression="tiff_adobe_deflate"),
    "AVIF": encoded(photograph(), "AVIF"),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_hundred_damages_end_as_image_or_image_error(name: str) -> None:
    sample, rng = SAMPLES[name], np.random.default_rng(5)
    refused = 0
    for _ in range(100):
        data = bytearray(sample)
        for _ in range(int(rng.choice([1, 1, 4, 16]))):
            end = min(200, len(data)) if rng.random() < 0.5 else len(data)  # headers are where parsers fail
            data[rng.integers(end)] = rng.integers(256)
        started = time.process_time()
        refused += is_refused(bytes(data))
        assert time.process_time() - started < 2
    assert refused > 0


@pytest.mark.parametrize("name", SAMPLES)
def test_truncation_is_refused(name: str) -> None:
    data = SAMPLES[name]
    assert all(is_refused(data[: len(data) * part // 12]) for part in range(11))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(SAMPLES)), st.binary(max_size=300), st.integers(2, 60))
def test_any_bytes_after_a_true_beginning(name: str, rest: bytes, kept: int) -> None:
    is_refused(SAMPLES[name][:kept] + rest)


def is_refused(data: bytes) -> bool:
    """Whether the bytes are refused; any result but an image or an ImageError fails the test."""
    try:
        decode_image(data)
    except ImageError as refusal:
        return str(refusal) != ""
    return False


def test_webp_is_near_the_image_and_smaller_than_the_others() -> None:
    coarse = np.random.default_rng(5).integers(60, 196, (4, 4, 3), dtype=np.uint8)
    picture = np.asarray(Image.fromarray(coarse).resize((32, 32), Image.Resampling.BICUBIC))
    data = encode_webp(picture, quality=80)
    assert np.abs(decode_picture(data).astype(int) - picture).mean() < 6
    assert len(data) < min(len(encode_png(picture)), len(encode_jpeg(picture, quality=80)))


def test_unforeseen_failures_are_image_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    data = SAMPLES["PNG"]
    for error in (RecursionError("deep"), AttributeError("x"), OverflowError("y"), zlib.error("z")):

        def fail(*_: object, error: Exception = error, **__: object) -> None:
            raise error

        monkeypatch.setattr(Image, "open", fail)
        with pytest.raises(ImageError, match="damaged image"):
            decode_image(data)


def test_warning_filters_are_left_as_they_were() -> None:
    before = list(warnings.filters)
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(is_refused, [png(10_000, 10_000, 1, 0, b"")] * 40))
    assert list(warnings.filters) == before


def test_decoded_images_can_be_pickled() -> None:
    decoded = decode_image(SAMPLES["JPEG"])
    again = pickle.loads(pickle.dumps(decoded))
    assert np.array_equal(again.thumbnail, decoded.thumbnail)
    assert again.preview == decoded.preview
