"""Landscapes of the gallery: sunset over the sea, forest, city and mountains.

Each function paints the whole canvas under a given sky: its colours, zenith first.
"""

import math
from random import Random

from imgsearch.demo.backdrops import any_colour, paint_cloud, ridge, scatter_stars
from imgsearch.demo.canvas import Canvas, Pen, Shade
from imgsearch.demo.palette import COLOURS, INK, WHITE, Colour, clear, darker, jittered, lighter, mix

Sky = tuple[Colour, ...]


def sunset(canvas: Canvas, rng: Random, sky: Sky) -> None:
    """A large low sun, its reflection on the water, and something dark in front of it."""
    pen = canvas.whole
    horizon = rng.uniform(0.42, 0.72)
    canvas.backdrop([*sky, sky[-1]], rng.uniform(-12, 12))
    sun = mix(rng.choice(((255, 226, 150), (255, 196, 110), (255, 150, 100), (255, 240, 210))), sky[-1], 0.15)
    x, radius = rng.uniform(0.15, 0.85), rng.uniform(0.09, 0.22)
    y = horizon - radius * rng.uniform(-0.2, 1.3)
    pen.glow(x, y, 0.75, 0.7, lighter(sun, 0.2), 0.8)
    disc = canvas.spot(x, y, radius * 2)
    disc.ellipse(0, 0, 1, 1, Shade((lighter(sun, 0.6), sun)))
    for _ in range(rng.randint(0, 6)):
        cloud, wide = mix(sky[0], sky[1], rng.random()), rng.uniform(0.12, 0.4)
        pen.ellipse(rng.random(), rng.uniform(0.05, horizon - 0.04), wide, rng.uniform(0.008, 0.024), clear(cloud, 0.6))
    water = mix(sky[0], sky[1], rng.uniform(0.1, 0.6))
    pen.box(-0.1, horizon, 1.1, 1.1, Shade((mix(water, sky[-1], 0.55), water, darker(water, 0.4))))
    for step in range(rng.randint(9, 16)):
        depth = (step + rng.random()) / 16
        wide = radius * (0.5 + 1.1 * depth) * rng.uniform(0.5, 1.1)
        pen.ellipse(
            x + rng.uniform(-0.04, 0.04),
            horizon + 0.015 + depth * (1 - horizon),
            wide,
            0.006 + 0.01 * depth,
            clear(sun, 0.75),
        )
    for _ in range(rng.randint(6, 18)):
        depth = rng.random()
        pen.ellipse(
            rng.random(), horizon + depth * (1 - horizon), 0.03 + 0.07 * depth, 0.004, clear(lighter(sky[-1], 0.2), 0.4)
        )
    _shore(canvas, rng, darker(sky[0], 0.6), horizon, left=x > 0.5)


def _shore(canvas: Canvas, rng: Random, dark: Colour, horizon: float, *, left: bool) -> None:
    """A silhouette: an island, gulls, nothing, or a palm or cliff on the side opposite the sun."""
    pen, what = canvas.whole, rng.choice(("island", "palm", "cliff", "gulls", "nothing"))
    if what == "island":
        x, wide = rng.random(), rng.uniform(0.15, 0.35)
        pen.blob([(x - wide, horizon + 0.01), (x - 0.05, horizon - wide * 0.35), (x + wide, horizon + 0.01)], dark)
    elif what == "cliff":
        cliff = [(0.0, 0.3), (0.18, 0.36), (0.24, 0.55), (0.4, 0.8), (0.5, 1.05), (0.0, 1.05)]
        pen.polygon([(x if left else 1 - x, y) for x, y in cliff], Shade((lighter(dark, 0.1), dark)))
    elif what == "palm":
        palm = canvas.spot(
            rng.uniform(0.1, 0.25) if left else rng.uniform(0.75, 0.9), 0.55, 1.0, turn=rng.uniform(-12, 12)
        )
        palm.line([(0, -0.6), (0.06, 0.0), (-0.02, 1.2)], 0.05, dark)
        for turn in range(-100, 101, 40):
            palm.placed(0, -0.6, 0.5, turn=turn).blob(
                [(0, 0.05), (0.12, -0.5), (0.3, -1.0), (0.0, -0.6), (-0.06, -0.2)], dark
            )
    elif what == "gulls":
        for _ in range(rng.randint(2, 5)):
            gull = canvas.spot(
                rng.random(), rng.uniform(0.1, horizon - 0.1), rng.uniform(0.06, 0.13), turn=rng.uniform(-20, 20)
            )
            gull.line([(-1, -0.2), (-0.4, -0.4), (0, 0), (0.4, -0.4), (1, -0.2)], 0.14, dark)


def forest(canvas: Canvas, rng: Random, sky: Sky) -> None:
    """Trees behind trees: firs, round crowns or bare trunks, paler with distance."""
    canvas.backdrop([*sky, lighter(sky[-1], 0.2)])
    season = (
        (70, 124, 78),
        (44, 92, 82),
        (196, 116, 48),
        (206, 164, 60),
        (150, 160, 74),
        (120, 140, 156),
        (84, 84, 130),
    )
    base = jittered(rng, rng.choice(season))
    ground = rng.uniform(0.72, 0.9)
    style = rng.choice(("firs", "crowns", "trunks", "mixed"))
    if rng.random() < 0.4:
        canvas.whole.glow(rng.random(), rng.uniform(0.1, 0.5), 0.5, 0.5, lighter(sky[-1], 0.7), 0.9)
    layers = 3
    for layer in range(layers):
        near = (layer + 1) / layers
        colour = mix(sky[-1], darker(base, 0.45 * near), 0.25 + 0.75 * near)
        foot = ground - 0.16 * (1 - near)
        canvas.whole.polygon(ridge(rng, foot, 0.02), Shade((lighter(colour, 0.12), darker(colour, 0.2))))
        count = round(rng.uniform(4, 6) + 6 * (1 - near))
        for k in range(count):
            x = (k + rng.uniform(0.1, 0.9)) / count * 1.1 - 0.05
            high = rng.uniform(0.55, 0.95) * (0.5 + 0.45 * near)
            tree = canvas.spot(x, foot + 0.03 - high / 2, high)
            kind = rng.choice(("firs", "crowns")) if style == "mixed" else style
            _tree(tree, rng, kind, jittered(rng, colour, 0.5))
    if rng.random() < 0.3:
        path = [(0.42, ground), (0.5, ground), (0.85, 1.05), (0.2, 1.05)]
        canvas.whole.polygon(path, clear(lighter(mix(base, (220, 190, 140), 0.7), 0.2), 0.8))


def _tree(pen: Pen, rng: Random, kind: str, colour: Colour) -> None:
    bark = darker(mix(colour, (120, 90, 70), 0.5), 0.3)
    if kind == "firs":
        pen.box(-0.05, 0.6, 0.05, 1.0, bark)
        wide = rng.uniform(0.34, 0.5)
        for step in range(3):
            top, low = -1.0 + 0.42 * step, -0.3 + 0.52 * step
            half = wide * (0.5 + 0.25 * step)
            pen.polygon([(0, top), (half, low), (-half, low)], darker(colour, 0.04 * step))
            pen.polygon([(0, top), (half * pen.canvas.light, low), (0, low)], lighter(colour, 0.12))
    elif kind == "crowns":
        pen.polygon([(-0.06, -0.1), (0.06, -0.1), (0.1, 1.0), (-0.1, 1.0)], bark)
        for _ in range(3):
            x, y, size = rng.uniform(-0.25, 0.25), rng.uniform(-0.6, -0.2), rng.uniform(0.32, 0.46)
            tone = jittered(rng, colour, 0.4)
            pen.ellipse(x, y, size, size * 0.95, darker(tone, 0.1))
            pen.ellipse(x + 0.08 * pen.canvas.light, y - 0.08, size * 0.72, size * 0.66, lighter(tone, 0.12))
    else:
        bark = lighter(bark, 0.75) if rng.random() < 0.3 else bark
        lean = rng.uniform(-0.08, 0.08)
        pen.polygon(
            [(lean - 0.07, -3.0), (lean + 0.07, -3.0), (0.12, 1.0), (-0.12, 1.0)],
            Shade((lighter(bark, 0.2), darker(bark, 0.2)), 90),
        )
        for _ in range(3):
            side, y = rng.choice((-1, 1)), rng.uniform(-1.6, -0.1)
            pen.line([(lean, y + 0.2), (lean + side * 0.4, y - 0.12)], 0.05, bark)
            pen.ellipse(lean + side * 0.42, y - 0.16, 0.3, 0.17, clear(colour, 0.9))


def city(canvas: Canvas, rng: Random, sky: Sky) -> None:
    """Towers with lit windows, sometimes with the moon or a river that reflects them."""
    pen = canvas.whole
    canvas.backdrop([*sky, sky[-1]])
    scatter_stars(pen, rng, 0.5)
    if rng.random() < 0.5:
        moon = canvas.spot(rng.random(), rng.uniform(0.08, 0.25), rng.uniform(0.1, 0.2))
        moon.glow(0, 0, 3, 3, WHITE, 0.4)
        moon.ellipse(0, 0, 1, 1, (250, 244, 214))
        if rng.random() < 0.5:
            moon.ellipse(0.45, -0.15, 0.9, 0.9, mix(sky[0], sky[1], 0.4))
    river = rng.random() < 0.35
    foot = rng.uniform(0.7, 0.8) if river else 1.05
    lamp = rng.choice(((255, 214, 120), (255, 236, 190), (255, 184, 96), (190, 224, 255)))
    for layer in range(3):
        wall = mix(darker(mix(sky[0], any_colour(rng), 0.3), 0.25 + 0.18 * layer), sky[-1], 0.36 - 0.17 * layer)
        x = -0.08
        while x < 1.02:
            wide = rng.uniform(0.09, 0.2)
            top = foot - rng.uniform(0.3, 0.72) * (1.08 - 0.27 * layer)
            _tower(pen, rng, (x, top, x + wide, foot), wall, lamp if layer else mix(lamp, wall, 0.45))
            x += wide + rng.choice((0.0, 0.0, 0.03))
    if river:
        water = darker(mix(sky[0], sky[1], 0.3), 0.3)
        pen.box(-0.1, foot, 1.1, 1.1, Shade((water, darker(water, 0.4))))
        for _ in range(40):
            x, depth = rng.random(), rng.random()
            pen.box(
                x,
                foot + depth * (1 - foot),
                x + 0.05,
                foot + depth * (1 - foot) + 0.012,
                clear(lamp, 0.45 * (1 - depth / 2)),
            )


def _tower(pen: Pen, rng: Random, box: tuple[float, float, float, float], wall: Colour, lamp: Colour) -> None:
    left, top, right, foot = box
    wall = jittered(rng, wall, 0.5)
    pen.box(left, top, right, foot, Shade((lighter(wall, 0.1), darker(wall, 0.2)), 50))
    cap = rng.random()
    if cap < 0.15:
        pen.polygon([(left, top + 0.002), ((left + right) / 2, top - 0.12), (right, top + 0.002)], wall)
    elif cap < 0.35:
        pen.line([((left + right) / 2, top), ((left + right) / 2, top - 0.09)], 0.012, wall)
    columns = rng.choice((2, 2, 3, 3))
    step, share = (right - left) / (columns + 0.35), rng.uniform(0.3, 0.75)
    high = rng.uniform(0.055, 0.085)
    for row in range(int((foot - top) / high)):
        for column in range(columns):
            if rng.random() < share:
                x, y = left + step * (column + 0.35), top + 0.02 + high * row
                if y + high * 0.55 < foot:
                    pen.canvas.ink.rectangle(_pixels(pen.canvas, x, y, x + step * 0.62, y + high * 0.55), fill=lamp)


def _pixels(canvas: Canvas, left: float, top: float, right: float, bottom: float) -> tuple[float, float, float, float]:
    """Return a box in pixels; without a matrix, thousands of windows are drawn faster."""
    return left * canvas.width, top * canvas.height, right * canvas.width, bottom * canvas.height


def mountain(canvas: Canvas, rng: Random, sky: Sky) -> None:
    """One to three peaks with snow, above a lake, a meadow or firs."""
    pen = canvas.whole
    canvas.backdrop([*sky, sky[-1]])
    if rng.random() < 0.35:
        sun = canvas.spot(rng.random(), rng.uniform(0.08, 0.3), rng.uniform(0.1, 0.18))
        sun.glow(0, 0, 3, 3, WHITE, 0.6)
        sun.ellipse(0, 0, 1, 1, lighter(sky[-1], 0.8))
    for _ in range(rng.randint(0, 3)):
        paint_cloud(canvas, rng, lighter(sky[-1], 0.5), rng.uniform(0.1, 0.4))
    rock = jittered(rng, rng.choice(((96, 104, 128), (124, 108, 104), (92, 116, 124), (140, 110, 90), (90, 84, 120))))
    foot = rng.uniform(0.68, 0.86)
    far = mix(rock, sky[-1], 0.6)
    pen.polygon(ridge(rng, foot - 0.22, 0.1), Shade((lighter(far, 0.2), far)))
    peaks = rng.randint(1, 3)
    centre = rng.uniform(0.3, 0.7)
    for k in range(peaks):
        x = centre if k == peaks - 1 else rng.choice((centre - 0.38, centre + 0.4)) + rng.uniform(-0.08, 0.08)
        top = rng.uniform(0.1, 0.28) + (0.0 if k == peaks - 1 else 0.15)
        _peak(pen, rng, x, top, foot + 0.04, mix(rock, sky[-1], 0.25 * (peaks - 1 - k)), mix(WHITE, sky[-1], 0.2))
    front = rng.choice(("lake", "meadow", "firs"))
    grass = jittered(rng, rng.choice((COLOURS["green"], (150, 150, 80), (70, 100, 90), (220, 226, 234))))
    if front == "lake":
        water = mix(sky[0], sky[-1], 0.35)
        pen.box(-0.1, foot, 1.1, 1.1, Shade((mix(water, rock, 0.4), water, darker(water, 0.3))))
        pen.polygon([(centre - 0.3, foot), (centre + 0.3, foot), (centre, 1.0)], clear(darker(rock, 0.2), 0.35))
        for _ in range(12):
            pen.ellipse(rng.random(), rng.uniform(foot, 1.0), 0.08, 0.004, clear(WHITE, 0.35))
    pen.polygon(
        ridge(rng, foot + (0.12 if front == "lake" else 0.0), 0.025), Shade((lighter(grass, 0.15), darker(grass, 0.3)))
    )
    for _ in range(rng.randint(5, 12) if front == "firs" else rng.randint(0, 3)):
        high = rng.uniform(0.14, 0.34)
        tree = canvas.spot(rng.random(), rng.uniform(foot + 0.06, 1.0) - high / 2, high)
        _tree(tree, rng, "firs", darker(mix(grass, COLOURS["green"], 0.5), 0.5))


def _peak(pen: Pen, rng: Random, x: float, top: float, foot: float, rock: Colour, snow: Colour) -> None:
    """A peak with a lit and a shaded flank and a zigzag of snow."""
    left, right = x - rng.uniform(0.35, 0.6), x + rng.uniform(0.35, 0.6)
    edge = x + rng.uniform(-0.04, 0.06)
    lit, dim = lighter(rock, 0.2), darker(rock, 0.28)
    sides = (lit, dim) if pen.canvas.light < 0 else (dim, lit)
    pen.polygon([(left, foot), (x, top), (edge, foot)], sides[0])
    pen.polygon([(edge, foot), (x, top), (right, foot)], sides[1])
    line = rng.uniform(0.25, 0.5)
    zigzag = [(1 - 2 * k / 8, line * rng.uniform(0.75, 1.25)) for k in range(9)]
    cap = [
        (x + (right - x if s > 0 else x - left) * s * d, top + (foot - top) * d * (1 - 0.25 * (k % 2)))
        for k, (s, d) in enumerate(zigzag)
    ]
    pen.polygon([(x, top), *cap], snow)
    shade = [point for point in cap if (point[0] > x) == (pen.canvas.light < 0)]
    pen.polygon(
        [(x, top), *shade, (x + 0.01 * math.copysign(1, -pen.canvas.light), top + (foot - top) * line)],
        darker(snow, 0.2),
    )
    pen.line([(x, top + (foot - top) * line), (edge, foot)], 0.006, clear(INK, 0.15))
