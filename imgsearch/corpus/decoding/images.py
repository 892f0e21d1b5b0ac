"""Decode image bytes into a 32x32 thumbnail and a small preview. The only module that decodes untrusted image bytes.

`decode_image` is a pure function; untrusted bytes are passed to it in a worker process (`pool`), which may crash.
"""

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import (  # a plugin registers itself when imported; naming ours keeps Pillow from loading every one it has
    AvifImagePlugin,  # noqa: F401  (imported to be registered)
    ExifTags,
    Image,
    ImageCms,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,  # noqa: F401  (imported to be registered)
)

from imgsearch.corpus.decoding.signatures import reason_to_refuse
from imgsearch.corpus.reasons import ImageRefused, ReasonCode

SIDE = 32  # a thumbnail is SIDE x SIDE pixels
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF")  # never EPS, PDF, FITS …: they start other programs
PREVIEWLESS_SIDE = 64  # up to this longest side, an image has no preview: the thumbnail shows about as much
PREVIEW_QUALITIES = (80, 65, 50, 35, 20)  # JPEG qualities, tried in turn until the preview fits

# Images are first reduced to no less than these sides, far more than a thumbnail needs.
_WORKING_LONG_SIDE, _WORKING_SHORT_SIDE = 512, 2 * SIDE


@dataclass(frozen=True)
class ImageLimits:
    """Limits of accepted images and of previews."""

    max_bytes: int = 20_000_000  # of the encoded image
    max_pixels: int = 50_000_000  # width x height, read from the header before anything is decoded
    preview_side: int = 256  # longest side of a preview, pixels
    max_preview_bytes: int = 65_536


DEFAULT_LIMITS = ImageLimits()


@dataclass(frozen=True)
class DecodedImage:
    """The stored part of an image."""

    thumbnail: NDArray[np.uint8]  # (32, 32, 3) RGB
    preview: bytes | None  # JPEG without metadata; None where the original is small or previews are off
    width: int  # of the original, after EXIF orientation
    height: int
    format: str  # one of FORMATS


def decode_image(data: bytes, *, limits: ImageLimits = DEFAULT_LIMITS, with_preview: bool = True) -> DecodedImage:
    """Decode one image: first frame, upright, on white, in sRGB; its centred square averaged to 32x32.

    The thumbnail is the same with and without a preview, so that queries equal stored images.

    Raises:
        ImageRefused: no image of `FORMATS`, or damaged, truncated or beyond `limits`.
    """
    with _refusals(data, limits):
        upright = _open_upright(data, limits)
        with_preview = with_preview and max(upright.width, upright.height) > PREVIEWLESS_SIDE
        return DecodedImage(
            thumbnail=_thumbnail(upright.image, upright.profile),
            preview=_preview(upright.image, upright.profile, limits) if with_preview else None,
            width=upright.width,
            height=upright.height,
            format=upright.format,
        )


def decode_picture(data: bytes, *, limits: ImageLimits = DEFAULT_LIMITS) -> NDArray[np.uint8]:
    """Decode the whole picture for drawing, (h, w, 3) RGB uint8; large ones reduced to at most about 1,024 pixels.

    Raises:
        ImageRefused: as `decode_image`.
    """
    with _refusals(data, limits):
        upright = _open_upright(data, limits)
        return np.asarray(_srgb(upright.image, upright.profile))


def check_size(n_bytes: int, limits: ImageLimits) -> None:
    """Raise ImageRefused if an encoded image is too large, before it is read."""
    if n_bytes > limits.max_bytes:
        raise ImageRefused(ReasonCode.TOO_LARGE, f"{limits.max_bytes / 1e6:g} {n_bytes:,}")


def encode_png(image: NDArray[np.uint8]) -> bytes:
    """Return PNG bytes of an (h, w, 3) RGB uint8 image."""
    encoded = BytesIO()
    Image.fromarray(image).save(encoded, "PNG")
    return encoded.getvalue()


def encode_jpeg(image: NDArray[np.uint8], *, quality: int) -> bytes:
    """Return JPEG bytes of an (h, w, 3) RGB uint8 image."""
    encoded = BytesIO()
    Image.fromarray(image).save(encoded, "JPEG", quality=quality)
    return encoded.getvalue()


def encode_webp(image: NDArray[np.uint8], *, quality: int) -> bytes:
    """Return WebP bytes of an (h, w, 3) RGB uint8 image of at most 16,383 pixels a side; smaller than JPEG."""
    encoded = BytesIO()
    Image.fromarray(image).save(encoded, "WEBP", quality=quality)
    return encoded.getvalue()


# ---------------------------------------------------------------------------------------------------------------------
# From bytes to pixels


class _Upright(NamedTuple):
    image: Image.Image  # L, RGB or CMYK, at about the working size
    profile: bytes | None  # the colour profile of its pixels
    width: int  # of the original, upright
    height: int
    format: str


def _open_upright(data: bytes, limits: ImageLimits) -> _Upright:
    with Image.open(BytesIO(data), formats=FORMATS) as opened:
        width, height = opened.size
        if width < 1 or height < 1:
            raise ImageRefused(ReasonCode.NO_PIXELS)
        if width * height > limits.max_pixels:
            raise ImageRefused(ReasonCode.TOO_MANY_PIXELS, f"{limits.max_pixels / 1e6:g} {width} x {height}")
        file_format = "JPEG" if opened.format == "MPO" else str(opened.format)  # MPO: a JPEG followed by more images
        working_size = _working_size(width, height)
        if working_size != opened.size:
            # JPEG can be decoded at 1/2, 1/4 or 1/8 of its size, each pixel a mean; other formats ignore the call.
            opened.draft(None, working_size)
        opened.load()
        orientation = _orientation(opened)  # a TIFF is upright already: Pillow rotates it on loading
        profile = opened.info.get("icc_profile")
        image = _on_white(_reduced(_averageable(opened)))
    if orientation >= 5:  # a quarter turn
        width, height = height, width
    upright = image.transpose(_TURNS[orientation]) if orientation in _TURNS else image
    return _Upright(upright, profile, width, height, file_format)


def _working_size(width: int, height: int) -> tuple[int, int]:
    scale = max(_WORKING_LONG_SIDE / max(width, height), _WORKING_SHORT_SIDE / min(width, height))
    scale = min(scale, 1.0)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _averageable(image: Image.Image) -> Image.Image:
    """The picture in a mode whose pixels can be averaged: L, RGB, CMYK, LA or RGBA."""
    if image.mode.startswith(("I", "F")):
        return _eight_bit(image)
    if image.mode in ("L", "RGB", "CMYK", "LA", "RGBA") and "transparency" not in image.info:
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _eight_bit(image: Image.Image) -> Image.Image:
    """Scale a grey of 16 or 32 bits, or of floats, to 8 bits. Pillow's own conversion clips it to white instead."""
    values = np.asarray(image)
    bits, is_signed, white_is_zero = 16, False, False
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        tags = image.tag_v2
        bits = tags.get(TiffImagePlugin.BITSPERSAMPLE, (bits,))[0]
        is_signed = tags.get(TiffImagePlugin.SAMPLEFORMAT, (1,))[0] == 2
        white_is_zero = tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == 0
    if image.mode == "F":
        # No header defines white for floats: take the first of the usual values that none exceeds.
        brightest = float(values.max(where=np.isfinite(values), initial=0))
        white = next((usual for usual in (1.0, 255.0, 65535.0) if brightest <= usual), brightest)
    else:
        if bits == 32 and not is_signed:
            values = values.view(np.uint32)  # Pillow keeps unsigned 32-bit greys in a signed array
        white = 2.0 ** (bits - is_signed) - 1
    tones = np.multiply(values, 255 / white, dtype=np.float32)
    if image.mode == "F":
        np.nan_to_num(tones, copy=False, posinf=255)
    np.clip(tones, 0, 255, out=tones)
    if white_is_zero:
        np.subtract(255, tones, out=tones)
    if "transparency" in image.info:  # PNG's one transparent grey, onto white
        tones[values == image.info["transparency"]] = 255
    return Image.fromarray(np.rint(tones, out=tones).astype(np.uint8))


def _reduced(image: Image.Image) -> Image.Image:
    """The image averaged by an integer factor, if it is much larger than the working size."""
    factor = min(max(image.size) // _WORKING_LONG_SIDE, min(image.size) // _WORKING_SHORT_SIDE)
    return image.reduce(factor) if factor > 1 else image


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode not in ("LA", "RGBA"):
        return image
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")


_TURNS = {  # EXIF orientation → transposition that sets the picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _orientation(image: Image.Image) -> int:
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # metadata is as untrusted as pixels, but with damaged metadata the picture is still accepted
        return 1
    return orientation if orientation in _TURNS else 1


# ---------------------------------------------------------------------------------------------------------------------
# From pixels to thumbnail and preview


def _thumbnail(image: Image.Image, profile: bytes | None) -> NDArray[np.uint8]:
    width, height = image.size
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    box = (left, top, left + side, top + side)
    if image.size != (SIDE, SIDE):
        image = image.resize((SIDE, SIDE), Image.Resampling.BOX, box=box)
    small = _srgb(image, profile)
    return np.frombuffer(small.tobytes(), np.uint8).reshape(SIDE, SIDE, 3)


def _preview(image: Image.Image, profile: bytes | None, limits: ImageLimits) -> bytes | None:
    """The smaller copy to show; None if even the lowest quality exceeds `max_preview_bytes`."""
    scale = min(1.0, limits.preview_side / max(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    picture = _srgb(image.resize(size, Image.Resampling.LANCZOS), profile)
    picture.info = {}  # the JPEG encoder would store a comment from here
    for quality in PREVIEW_QUALITIES:
        encoded = BytesIO()
        picture.save(encoded, "JPEG", quality=quality)
        if encoded.tell() <= limits.max_preview_bytes:
            return encoded.getvalue()
    return None


def _srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """An L, RGB or CMYK image converted to sRGB, by its colour profile if it has a valid one."""
    transform = _transform_to_srgb(profile, image.mode) if profile else None
    if transform is not None:
        return transform.apply(image)
    return image if image.mode == "RGB" else image.convert("RGB")


@lru_cache(maxsize=8)  # collections share the profile of a camera, and building a transform takes milliseconds
def _transform_to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if source.profile.xcolor_space.strip() != {"L": "GRAY"}.get(mode, mode):
            return None
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except Exception:  # a damaged profile is ignored, as in viewers
        return None


# ---------------------------------------------------------------------------------------------------------------------
# Errors and warnings of Pillow


@contextmanager
def _refusals(data: bytes, limits: ImageLimits) -> Iterator[None]:
    """Turn every failure of Pillow to decode `data` into an ImageRefused with its reason."""
    if not data:
        raise ImageRefused(ReasonCode.EMPTY)
    check_size(len(data), limits)
    try:
        with pillow_quiet():
            yield
    except ImageRefused:
        raise
    except UnidentifiedImageError as error:
        raise ImageRefused.for_reason(reason_to_refuse(data)) from error
    except Image.DecompressionBombError as error:
        raise ImageRefused(ReasonCode.TOO_MANY_PIXELS, f"{limits.max_pixels / 1e6:g}") from error
    except MemoryError as error:
        raise ImageRefused(ReasonCode.DECODING_MEMORY) from error
    except Exception as error:
        # Damaged bytes make Pillow's parsers raise almost any exception (OSError, SyntaxError, struct.error,
        # IndexError …), and each means the same here: these bytes cannot be decoded.
        raise ImageRefused(ReasonCode.DAMAGED_IMAGE, f"{error or type(error).__name__}") from error


_warnings_lock = threading.Lock()
_warnings_users = 0
_warnings_filter = ExitStack()
_log_handler = logging.NullHandler()


@contextmanager
def pillow_quiet() -> Iterator[None]:
    """Suppress Pillow's warnings (large sizes, odd metadata): images are refused by `ImageLimits`, or accepted.

    Python's warning filters belong to the whole process and `catch_warnings` is not thread-safe: the first decoder sets
    the filter, and the last one removes it.
    """
    global _warnings_users
    with _warnings_lock:
        _warnings_users += 1
        if _warnings_users == 1:
            _warnings_filter.enter_context(warnings.catch_warnings())
            warnings.filterwarnings("ignore", module=r"PIL\.")
            # Without configured logging Python prints logged errors; a handler prevents that.
            logging.getLogger("PIL").addHandler(_log_handler)
    try:
        yield
    finally:
        with _warnings_lock:
            _warnings_users -= 1
            if _warnings_users == 0:
                _warnings_filter.close()
