"""Hostile and rare images: bombs, polyglots, unusual modes, damage; built by hand where Pillow cannot write them."""

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imgsearch.corpus.decoding.pool import Decoders
from imgsearch.errors import ImageError

SCRIPT = b"<html><script>alert(1)</script></html>"
RED, WHITE, GREY = (255, 0, 0), (255, 255, 255), (127, 127, 127)
Colour = float | tuple[int, ...]


def encoded(image: Image.Image, file_format: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def plain(mode: str, colour: Colour, size: tuple[int, int] = (40, 40)) -> Image.Image:
    return Image.new(mode, size, colour)


def photograph(width: int = 120, height: int = 90) -> Image.Image:
    """A picture whose four corners differ, so that turns are noticed."""
    y, x = np.mgrid[0:height, 0:width]
    return Image.fromarray(np.stack([y * 255 // height, x * 255 // width, (x * y) % 256], -1).astype(np.uint8))


def samples() -> dict[str, bytes]:
    """One valid image of every format and variant that is decoded."""
    picture = photograph()
    return {
        "JPEG": encoded(picture, "JPEG"),
        "progressive JPEG": encoded(picture, "JPEG", progressive=True),
        "CMYK JPEG": encoded(picture.convert("CMYK"), "JPEG"),
        "PNG": encoded(picture, "PNG"),
        "palette PNG": encoded(picture.quantize(16), "PNG"),
        "animated PNG": encoded(picture, "PNG", save_all=True, append_images=[picture.rotate(90)]),
        "GIF": encoded(picture, "GIF"),
        "animated GIF": encoded(picture, "GIF", save_all=True, append_images=[picture.rotate(90)]),
        "WebP": encoded(picture, "WEBP"),
        "lossless WebP": encoded(picture, "WEBP", lossless=True),
        "animated WebP": encoded(picture, "WEBP", save_all=True, append_images=[picture.rotate(90)]),
        "BMP": encoded(picture, "BMP"),
        "TIFF": encoded(picture, "TIFF"),
        "deflated TIFF": encoded(picture, "TIFF", compression="tiff_adobe_deflate"),
        "LZW TIFF": encoded(picture, "TIFF", compression="tiff_lzw"),
        "AVIF": encoded(picture, "AVIF"),
    }


def damaged(sample: bytes, rng: np.random.Generator) -> bytes:
    """`sample` with 1 to 16 bytes changed, half of them in its first 200, because parsers fail in headers."""
    data = bytearray(sample)
    for _ in range(int(rng.choice([1, 1, 4, 16]))):
        end = min(200, len(data)) if rng.random() < 0.5 else len(data)
        data[rng.integers(end)] = rng.integers(256)
    return bytes(data)


# ---------------------------------------------------------------------------------------------------------------------
# Rare modes


def ycck_jpeg() -> bytes:
    """A red JPEG in YCCK, as Photoshop writes it: Adobe's marker says transform 2, inks are stored inverted."""
    # Cyan (the inverse of red) as Y, Cb, Cr, and no black; Pillow inverts what it writes, hence 255 minus each.
    data = encoded(plain("CMYK", (255 - 179, 255 - 171, 255 - 1, 0)), "JPEG", quality=100)
    transform = data.index(b"Adobe") + 11
    assert data[transform] == 0
    return data[:transform] + b"\2" + data[transform + 1 :]


def png(width: int, height: int, depth: int, colour_type: int, pixel: bytes, transparent: bytes = b"") -> bytes:
    """A PNG whose rows repeat `pixel`; beyond 10,000 pixels it has only a header."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    rows = zlib.compress((b"\0" + pixel * width) * height) if width * height < 10_000 else b""
    extra = png_chunk(b"tRNS", transparent) if transparent else b""
    return (
        b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + extra + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")
    )


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def float_tiff(values: NDArray[np.float32]) -> bytes:
    """A little-endian TIFF of one strip of floats (h, w)."""
    height, width = values.shape
    raw = values.astype("<f4").tobytes()
    tags = [(256, width), (257, height), (258, 32), (259, 1), (262, 1), (273, 8), (277, 1), (278, height)]
    tags += [(279, len(raw)), (339, 3)]
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0" + struct.pack("<I", 8 + len(raw)) + raw + struct.pack("<H", len(tags)) + directory + b"\0\0\0\0"


# ---------------------------------------------------------------------------------------------------------------------
# Bombs and polyglots


def bombs() -> dict[str, bytes]:
    """Small files that claim, or unpack to, far more pixels than allowed."""
    gif_head = b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff,"
    return {
        "PNG of 30,000 x 30,000": png(30_000, 30_000, 8, 2, b""),
        "PNG of 9,400 x 9,400": real_png_bomb(9_400),
        "GIF frame beyond its canvas": gif_head + struct.pack("<HHHHB", 0, 0, 60_000, 60_000, 0) + b"\2\2\x4c\1\0;",
        "GIF canvas": b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + gif_head[10:] + bytes(10) + b"\2\2\x4c\1\0;",
        "icon": _icon_bomb(),
        "BMP": b"BM" + struct.pack("<IHHIIiiHHIIiiII", 74, 0, 0, 54, 40, 60_000, 60_000, 1, 24, 0, 0, 0, 0, 0, 0),
        "WebP": b"RIFF"
        + struct.pack("<I", 30)
        + b"WEBPVP8X"
        + struct.pack("<I", 10)
        + bytes(4)
        + b"\xff" * 6
        + bytes(8),
        "TIFF": _tiff_bomb(),
    }


def real_png_bomb(side: int) -> bytes:
    """A whole PNG of `side` x `side` white pixels, one bit each: a thousand times smaller than what it unpacks to."""
    return encoded(plain("1", 1, (side, side)), "PNG", optimize=True)


def _icon_bomb() -> bytes:
    inner = png(30_000, 30_000, 8, 2, b"")
    return struct.pack("<HHH", 0, 1, 1) + struct.pack("<BBBBHHII", 0, 0, 0, 0, 1, 32, len(inner), 22) + inner


def _tiff_bomb() -> bytes:
    data = float_tiff(np.zeros((4, 4), np.float32))
    return data.replace(struct.pack("<HHII", 256, 4, 1, 4), struct.pack("<HHII", 256, 4, 1, 1_000_000)).replace(
        struct.pack("<HHII", 257, 4, 1, 4), struct.pack("<HHII", 257, 4, 1, 1_000_000)
    )


def polyglots() -> dict[str, bytes]:
    """Images that a browser which guesses types would take for web pages."""
    jpeg, gif, whole_png = (encoded(photograph(), name) for name in ("JPEG", "GIF", "PNG"))
    comment = b"\xff\xfe" + struct.pack(">H", len(SCRIPT) + 2) + SCRIPT
    return {
        "JPEG with a page behind it": jpeg + SCRIPT,
        "JPEG with a page as its comment": jpeg[:2] + comment + jpeg[2:],
        "GIF with a page behind it": gif + SCRIPT,
        "PNG with a page as its text": whole_png[:33] + png_chunk(b"tEXt", b"Comment\0" + SCRIPT) + whole_png[33:],
        "JPEG with an archive behind it": jpeg + b"PK\5\6" + bytes(18),
    }


def drawings() -> dict[str, bytes]:
    """Formats that need other programs, or that have caused vulnerabilities in Pillow."""
    return {
        "SVG": b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><script>1</script></svg>",
        "EPS": encoded(photograph(), "EPS"),
        "PDF": encoded(photograph(), "PDF"),
        "PSD": b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 9, 9, 8, 3) + bytes(40),
        "FITS": b"SIMPLE  =                    T".ljust(80) + b"BITPIX  =                    8".ljust(80) + bytes(2720),
        "icon": encoded(photograph(), "ICO"),
        "WMF": b"\xd7\xcd\xc6\x9a" + bytes(100),
        "PPM": encoded(photograph(), "PPM"),
        "JPEG 2000": encoded(photograph(), "JPEG2000"),
    }


def many_frames(n: int) -> bytes:
    """A GIF of `n` frames of 1 x 1 pixel on a canvas of 64 x 64, the first frame white and the size of the canvas."""
    first = encoded(plain("P", 1, (64, 64)), "GIF")
    frame = b"!\xf9\4\4\1\0\0\0,\0\0\0\0\1\0\1\0\0\2\2\x4c\1\0"
    return first[:-1] + frame * n + b";"


def truncations(sample: bytes) -> Iterator[bytes]:
    """`sample` cut off at ten places."""
    return (sample[: len(sample) * part // 11] for part in range(1, 11))


def refusal(pool: Decoders, data: bytes) -> str:
    """The reason why the bytes are refused, "" where they are decoded."""
    (result,) = pool.images([data])
    return str(result) if isinstance(result, ImageError) else ""
