"""Distorted copies of thumbnails: cropped, mirrored, recoloured, compressed, written over; all still recognisable.

The functions depend only on thumbnail, seed and row, so that a row is always distorted in the same way.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from imgsearch.corpus.decoding.images import SIDE, decode_picture, encode_jpeg

Range = tuple[float, float]  # least and most

TEXT_STROKE = 0.5  # pixels around each letter: bold


@dataclass(frozen=True)
class Strengths:
    """Ranges from which each copy draws its strength evenly.

    With the defaults a person still recognises the copies at a glance. Weaker copies are found by every method, raw
    pixels included, and show no difference between methods.
    """

    crop_area: Range = (0.4, 0.7)  # share of the area that is kept, at a random position
    shift_pixels: Range = (4, 8)  # distance, in any direction; the edge's pixels are repeated
    darker: Range = (0.4, 0.65)  # factor of one half of the copies
    brighter: Range = (1.5, 2.0)  # factor of the other half
    stronger_channel: Range = (1.3, 1.6)  # factor of one channel of a colour cast
    weaker_channel: Range = (0.45, 0.65)  # factor of another channel
    jpeg_quality: Range = (8, 20)  # of Pillow, with its default halved colour resolution
    rotate_degrees: Range = (8, 20)  # in either direction; the corners are filled by reflection
    text_letters: Range = (3, 4)  # number of letters
    text_size: Range = (11, 14)  # of the font, in pixels; smaller where the letters would not fit side by side


DEFAULT_STRENGTHS = Strengths()
MILD_STRENGTHS = Strengths(  # of copies that anyone would call the same picture
    crop_area=(0.8, 0.95),
    shift_pixels=(1, 3),
    darker=(0.75, 0.9),
    brighter=(1.1, 1.3),
    stronger_channel=(1.08, 1.2),
    weaker_channel=(0.82, 0.92),
    jpeg_quality=(40, 70),
    rotate_degrees=(2, 6),
    text_letters=(2, 3),
    text_size=(7, 9),
)

Picture = NDArray[np.uint8]  # (32, 32, 3)


def distort(
    thumbnails: NDArray[np.uint8],
    name: str,
    rows: NDArray[np.int64],
    *,
    seed: int = 0,
    strengths: Strengths = DEFAULT_STRENGTHS,
) -> NDArray[np.uint8]:
    """(n, 32, 32, 3) one distorted copy of each thumbnail (n, 32, 32, 3).

    Args:
        thumbnails: the originals.
        name: the distortion, one of `DISTORTIONS`.
        rows: (n,) the row of each thumbnail; row and seed determine its strength.
        seed: see `rows`.
        strengths: the ranges of strengths.
    """
    change, number = _CHANGES[name], DISTORTIONS.index(name)
    copies = np.empty_like(thumbnails)
    for copy, thumbnail, row in zip(copies, thumbnails, rows.tolist(), strict=True):
        copy[:] = change(thumbnail, np.random.default_rng([seed, number, row]), strengths)
    return copies


# ----------------------------------------------------------------------------------------------------------------------
# geometric distortions


def _crop(picture: Picture, rng: np.random.Generator, strengths: Strengths) -> Picture:
    side = SIDE * rng.uniform(*strengths.crop_area) ** 0.5
    left, top = rng.uniform(0, SIDE - side, 2)
    box = (left, top, left + side, top + side)
    return np.asarray(Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box))


def _shift(picture: Picture, rng: np.random.Generator, strengths: Strengths) -> Picture:
    distance, angle = rng.uniform(*strengths.shift_pixels), rng.uniform(0, 2 * np.pi)
    down, right = round(distance * np.sin(angle)), round(distance * np.cos(angle))
    places = np.arange(SIDE)
    lines, columns = np.clip(places - down, 0, SIDE - 1), np.clip(places - right, 0, SIDE - 1)
    shifted: Picture = picture[lines][:, columns]
    return shifted


def _mirror(picture: Picture, _: np.random.Generator, __: Strengths) -> Picture:
    return picture[:, ::-1]


def _rotate(picture: Picture, rng: np.random.Generator, strengths: Strengths) -> Picture:
    degrees = rng.uniform(*strengths.rotate_degrees) * rng.choice([-1, 1])
    margin = SIDE // 2  # a corner turns outwards by less
    wider = np.pad(picture, ((margin, margin), (margin, margin), (0, 0)), mode="reflect")
    turned = np.asarray(Image.fromarray(wider).rotate(degrees, Image.Resampling.BILINEAR))
    return turned[margin:-margin, margin:-margin]


# ----------------------------------------------------------------------------------------------------------------------
# colour distortions


def _brightness(picture: Picture, rng: np.random.Generator, strengths: Strengths) -> Picture:
    return _with_gain(picture, rng.uniform(*(strengths.darker if rng.random() < 0.5 else strengths.brighter)))


def _colour(picture: Picture, rng: np.random.Generator, strengths: Strengths) -> Picture:
    gains = np.array([rng.uniform(*strengths.stronger_channel), rng.uniform(*strengths.weaker_channel), 1.0])
    return _with_gain(picture, rng.permutation(gains))


def _with_gain(picture: Picture, gain: float | NDArray[np.float64]) -> Picture:
    """Multiply by one gain, or by one per channel (3,)."""
    gained: Picture = np.rint(picture * gain).clip(0, 255).astype(np.uint8)
    return gained


# ----------------------------------------------------------------------------------------------------------------------
# compression and overlays


def _jpeg(picture: Picture, rng: np.random.Generator, strengths: Strengths) -> Picture:
    return decode_picture(encode_jpeg(picture, quality=round(rng.uniform(*strengths.jpeg_quality))))


def _text(picture: Picture, rng: np.random.Generator, strengths: Strengths) -> Picture:
    """A few bold letters somewhere, in a random colour."""
    n_letters, size = round(rng.uniform(*strengths.text_letters)), rng.uniform(*strengths.text_size)
    letters = "".join(chr(ord("A") + letter) for letter in rng.integers(0, 26, n_letters))
    mask = Image.new("L", (SIDE, SIDE))
    draw = ImageDraw.Draw(mask)
    font = ImageFont.load_default(size)
    left, _, right, _ = draw.textbbox((0, 0), letters, font, stroke_width=TEXT_STROKE)
    font = ImageFont.load_default(size * min(1, SIDE / (right - left)))
    left, top, right, bottom = draw.textbbox((0, 0), letters, font, stroke_width=TEXT_STROKE)
    x, y = rng.uniform(0, max(SIDE - right + left, 0)), rng.uniform(0, max(SIDE - bottom + top, 0))
    draw.text((x - left, y - top), letters, 255, font, stroke_width=TEXT_STROKE)
    covered = np.asarray(mask, dtype=np.float32)[:, :, None] / 255  # (32, 32, 1)
    colour = rng.integers(0, 256, 3)
    return np.rint(picture * (1 - covered) + colour * covered).astype(np.uint8)


_CHANGES: dict[str, Callable[[Picture, np.random.Generator, Strengths], Picture]] = {
    "crop": _crop,
    "shift": _shift,
    "mirror": _mirror,
    "brightness": _brightness,
    "colour": _colour,
    "jpeg": _jpeg,
    "rotate": _rotate,
    "text": _text,
}
DISTORTIONS = tuple(_CHANGES)
