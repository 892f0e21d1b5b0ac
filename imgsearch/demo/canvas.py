"""A canvas for smooth, shaded shapes: points and colours in, a Pillow image out.

Everything is drawn enlarged and reduced at the end, which makes the edges soft.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageChops, ImageDraw

from imgsearch.demo.palette import Colour


@dataclass(frozen=True)
class Shade:
    """A fill that runs through several colours over the bounding box of a shape."""

    stops: tuple[Colour, ...]
    turn: float = 0.0  # degrees: 0 runs from top to bottom, 90 from left to right
    ball: bool = (
        False  # runs outwards from a highlight at the upper left or right, depending on the light of the canvas
    )


Fill = Colour | tuple[int, int, int, int] | Shade  # RGB, RGB with opacity, or a gradient


class Canvas:
    """An RGB image of `width` x `height` pixels, drawn `scale` times larger. `light` is -1 (left) or 1 (right)."""

    def __init__(self, width: int, height: int, *, scale: int = 2, light: int = -1) -> None:
        self.scale = scale
        self.light = light
        self.width, self.height = width * scale, height * scale  # pixels while drawing
        self.short = min(self.width, self.height)
        self.image = Image.new("RGB", (self.width, self.height))
        self.ink = ImageDraw.Draw(self.image, "RGBA")  # on an RGB image this mode blends fills by their opacity

    @property
    def whole(self) -> "Pen":
        """Return a pen whose coordinates run from 0 to 1 over the whole canvas."""
        return Pen(self, np.array([[self.width, 0.0, 0.0], [0.0, self.height, 0.0]]))

    def spot(self, x: float, y: float, size: float, *, turn: float = 0.0, mirrored: bool = False) -> "Pen":
        """Return a pen whose square -1..1 is centred on (x, y), in fractions, and spans `size` of the short side."""
        half = self.short * size / 2
        return Pen(self, _affine(x * self.width, y * self.height, half, half, turn, mirrored))

    def backdrop(self, stops: Sequence[Colour], turn: float = 0.0) -> None:
        """Fill the canvas with a gradient."""
        self.image.paste(_gradient(Shade(tuple(stops), turn), (self.width, self.height), self.light))

    def finish(
        self, *, gains: tuple[float, float, float], lift: int, grain: int, corner: tuple[int, int]
    ) -> Image.Image:
        """Reduce to the final size, then colour (`gains` per channel, `lift` of the blacks) and add grain (0..3)."""
        image = self.image.reduce(self.scale)
        tones = np.arange(256)
        table = [lift + gain * tones * (255 - lift) / 255 for gain in gains]
        image = image.point(np.clip(np.concatenate(table), 0, 255).astype(int).tolist())
        if grain:
            x, y = corner
            tile = _grain(grain).crop((x, y, x + image.width, y + image.height))
            image = ImageChops.add(image, tile, scale=1, offset=-128)
        return image


@dataclass(frozen=True)
class Pen:
    """Draws on a canvas in its own coordinates: placed, enlarged, turned and mirrored by one affine matrix."""

    canvas: Canvas
    matrix: NDArray[np.float64]  # (2, 3)

    def placed(
        self,
        x: float,
        y: float,
        width: float = 1.0,
        height: float | None = None,
        turn: float = 0.0,
        mirrored: bool = False,
    ) -> "Pen":
        """Return a pen with its origin at (x, y), its unit `width` (and `height`) of ours, rotated clockwise."""
        inner = _affine(x, y, width, width if height is None else height, turn, mirrored)
        joined = self.matrix[:, :2] @ inner
        joined[:, 2] += self.matrix[:, 2]
        return Pen(self.canvas, joined)

    def polygon(self, points: ArrayLike, fill: Fill) -> None:
        """Draw a filled polygon through `points` (n, 2)."""
        pixels = np.asarray(points, dtype=np.float64) @ self.matrix[:, :2].T + self.matrix[:, 2]
        if isinstance(fill, Shade):
            self._shaded(pixels, fill)
        else:
            self.canvas.ink.polygon(pixels.ravel().tolist(), fill=fill)

    def blob(self, points: ArrayLike, fill: Fill) -> None:
        """Draw a filled smooth closed curve through `points` (n, 2), n >= 3."""
        self.polygon(smooth(points), fill)

    def ellipse(self, x: float, y: float, rx: float, ry: float, fill: Fill, turn: float = 0.0) -> None:
        """Draw a filled ellipse around (x, y) with radii `rx` and `ry`, rotated clockwise by degrees."""
        if not (turn or self.matrix[0, 1] or isinstance(fill, Shade)):  # not rotated: Pillow alone is faster
            (wide, _, left), (_, high, top) = self.matrix.tolist()
            cx, cy, wide, high = left + wide * x, top + high * y, abs(wide * rx), abs(high * ry)
            self.canvas.ink.ellipse((cx - wide, cy - high, cx + wide, cy + high), fill=fill)
            return
        points = _circle() * (rx, ry)
        if turn:
            points = points @ _rotation(turn).T
        self.polygon(points + np.array((x, y)), fill)

    def box(self, left: float, top: float, right: float, bottom: float, fill: Fill, radius: float = 0.0) -> None:
        """Draw a filled rectangle with corners rounded by `radius`."""
        corners = np.array([(right, bottom), (left, bottom), (left, top), (right, top)], dtype=np.float64)
        if radius:
            quarter = _circle().reshape(4, -1, 2) * radius
            inward = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * radius
            corners = ((corners + inward)[:, None] + quarter).reshape(-1, 2)
        self.polygon(corners, fill)

    def line(self, points: ArrayLike, width: float, fill: Colour | tuple[int, int, int, int]) -> None:
        """Draw a line through `points` (n, 2); `width` in units of this pen."""
        pixels = np.asarray(points, dtype=np.float64) @ self.matrix[:, :2].T + self.matrix[:, 2]
        (a, b, _), (c, d, _) = self.matrix.tolist()
        thickness = max(1, round(width * math.sqrt(abs(a * d - b * c))))
        self.canvas.ink.line(pixels.ravel().tolist(), fill=fill, width=thickness, joint="curve")

    def glow(self, x: float, y: float, rx: float, ry: float, colour: Colour, strength: float) -> None:
        """Draw a soft spot that fades towards its rim: light, a shadow, a cloud. `strength` is 0..1."""
        centre = self.matrix[:, :2] @ (x, y) + self.matrix[:, 2]
        reach = np.linalg.norm(self.matrix[:, :2], axis=0) * (rx, ry)  # a glow is not rotated
        left, top = np.rint(centre - reach).astype(int).tolist()
        right, bottom = np.rint(centre + reach).astype(int).tolist()
        if right > left and bottom > top:
            mask = _soft(round(strength * 20)).resize((right - left, bottom - top), Image.Resampling.BILINEAR)
            self.canvas.image.paste(colour, (left, top, right, bottom), mask)

    def _shaded(self, pixels: NDArray[np.float64], fill: Shade) -> None:
        """Fill a polygon, given in pixels, with a gradient over its bounding box."""
        left, top = np.floor(pixels.min(axis=0)).astype(int).tolist()
        right, bottom = np.ceil(pixels.max(axis=0)).astype(int).tolist()
        size = (right - left + 1, bottom - top + 1)
        mask = Image.new("L", size)
        ImageDraw.Draw(mask).polygon((pixels - (left, top)).ravel().tolist(), fill=255)
        self.canvas.image.paste(_gradient(fill, size, self.canvas.light), (left, top), mask)


def smooth(points: ArrayLike) -> NDArray[np.float64]:
    """Return a closed Catmull-Rom curve through `points` (n, 2): (8 n, 2)."""
    corners = np.asarray(points, dtype=np.float64)
    return np.asarray(_spline(len(corners)) @ corners)


@cache
def _spline(n: int) -> NDArray[np.float64]:
    """Return the weights of n corners in a closed Catmull-Rom curve with 8 points to a corner: (8 n, n)."""
    t = np.arange(8) / 8
    weights = (2 * t**2 - t**3 - t, 3 * t**3 - 5 * t**2 + 2, 4 * t**2 - 3 * t**3 + t, t**3 - t**2)
    matrix = np.zeros((n, 8, n))
    for corner in range(n):
        for step, weight in zip((-1, 0, 1, 2), weights, strict=True):
            matrix[corner, :, (corner + step) % n] += weight / 2
    return matrix.reshape(8 * n, n)


def _affine(x: float, y: float, width: float, height: float, turn: float, mirrored: bool) -> NDArray[np.float64]:
    matrix = np.empty((2, 3))
    matrix[:, :2] = _rotation(turn) * (-width if mirrored else width, height)
    matrix[:, 2] = x, y
    return matrix


def _rotation(turn: float) -> NDArray[np.float64]:
    angle = math.radians(turn)
    return np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


@cache
def _circle() -> NDArray[np.float64]:
    """Return the unit circle in four quarters of ten points, clockwise on screen from the right: (40, 2)."""
    angles = (np.arange(4)[:, None] * np.pi / 2 + np.linspace(0, np.pi / 2, 10)).ravel()
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _gradient(shade: Shade, size: tuple[int, int], light: int) -> Image.Image:
    upright = shade.turn == 0 and not shade.ball  # the same in every column: compute one column
    shares = _column(len(shade.stops)) if upright else _grid(len(shade.stops), round(shade.turn), shade.ball, light)
    small = Image.fromarray((shares @ np.array(shade.stops, dtype=np.float32)).astype(np.uint8))
    return small.resize(size, Image.Resampling.NEAREST if upright else Image.Resampling.BILINEAR)


@cache
def _column(stops: int) -> NDArray[np.float32]:
    """Return the share of each stop along a gradient of 256 steps: (256, 1, stops)."""
    return _shares(np.linspace(0, 1, 256)[:, None], stops)


@cache
def _grid(stops: int, turn: int, ball: bool, light: int) -> NDArray[np.float32]:
    """Return the share of each stop on 24 x 24 points, (24, 24, stops); enlarged, it looks smooth."""
    y, x = np.mgrid[0:24, 0:24] / 23.0
    if ball:
        return _shares(np.hypot(x - 0.5 - 0.17 * light, y - 0.32) / 0.78, stops)
    angle = math.radians(turn)
    return _shares((x - 0.5) * math.sin(angle) + (y - 0.5) * math.cos(angle) + 0.5, stops)


def _shares(along: NDArray[np.float64], stops: int) -> NDArray[np.float32]:
    places = np.clip(along, 0, 1)[..., None] * (stops - 1)
    return np.asarray(np.maximum(0, 1 - np.abs(places - np.arange(stops))), dtype=np.float32)


@cache
def _soft(strength: int) -> Image.Image:
    """Return the mask of a glow: `strength` twentieths opaque in the middle, transparent at the rim."""
    axis = np.linspace(-1, 1, 48)
    distance = np.hypot(axis[:, None], axis[None, :])
    return Image.fromarray((np.clip(1 - distance, 0, 1) ** 1.5 * 255 * strength / 20).astype(np.uint8))


@cache
def _grain(strength: int) -> Image.Image:
    """Return a tile of grey noise around 128, twice as wide as the largest image."""
    noise = np.random.default_rng(strength).normal(128, 2.0 * strength, (640, 640))
    tile = Image.fromarray(np.clip(noise, 0, 255).astype(np.uint8))
    return Image.merge("RGB", (tile, tile, tile))
