"""Backgrounds of the gallery's objects, with the same places and colours for every kind.

Each function paints the whole canvas and returns the height (0..1 from the top) of the ground. Backgrounds do not
depend on the kind of object in front, so that they do not reveal it.
"""

import math
from collections.abc import Callable
from random import Random

from imgsearch.demo.canvas import Canvas, Pen, Shade
from imgsearch.demo.palette import (
    COLOURS,
    DAYS,
    EVENINGS,
    NIGHTS,
    SKIES,
    WHITE,
    WOOD,
    Colour,
    clear,
    darker,
    jittered,
    lighter,
    mix,
)

Backdrop = Callable[[Canvas, Random], float]


def any_colour(rng: Random) -> Colour:
    return jittered(rng, rng.choice(list(COLOURS.values())))


def paint_sky(canvas: Canvas, rng: Random, horizon: float = 1.0) -> tuple[Colour, ...]:
    """Paint a sky of any time of day, with clouds or stars, and return its colours, zenith first."""
    hour = rng.choice((*DAYS, *DAYS, *EVENINGS, "storm", *NIGHTS))
    stops = tuple(jittered(rng, stop, 0.7) for stop in SKIES[hour])
    canvas.backdrop([*stops, *(stops[-1:] if horizon < 0.7 else ())])
    if hour in NIGHTS:
        scatter_stars(canvas.whole, rng, horizon)
    if rng.random() < 0.6:
        for _ in range(rng.randint(1, 3)):
            paint_cloud(canvas, rng, lighter(stops[-1], 0.5), rng.uniform(0.05, horizon * 0.7))
    return stops


def scatter_stars(pen: Pen, rng: Random, horizon: float) -> None:
    for _ in range(rng.randint(10, 40)):
        x, y, size = rng.random(), rng.random() * horizon * 0.8, rng.uniform(0.002, 0.006)
        pen.ellipse(x, y, size, size, clear(WHITE, rng.uniform(0.4, 1.0)))


def paint_cloud(canvas: Canvas, rng: Random, colour: Colour, y: float) -> None:
    """Paint a soft cloud of a few overlapping puffs around height `y`."""
    pen = canvas.spot(rng.random(), y, rng.uniform(0.25, 0.6))
    for _ in range(rng.randint(3, 5)):
        x, radius = rng.uniform(-0.8, 0.8), rng.uniform(0.3, 0.6)
        pen.glow(x, -radius * 0.35 + rng.uniform(-0.1, 0.1), radius * 1.3, radius * 0.75, colour, rng.uniform(0.5, 0.9))


def ridge(rng: Random, height: float, roughness: float, steps: int = 24) -> list[tuple[float, float]]:
    """Return a line of hills from left to right around `height`, closed below the canvas."""
    waves = [(rng.uniform(0.5, 1.4) * 2**k, rng.random() * 7, roughness / 2**k) for k in range(3)]
    xs = [i / steps * 1.1 - 0.05 for i in range(steps + 1)]
    line = [(x, height + sum(a * math.sin(x * f * 5 + phase) for f, phase, a in waves)) for x in xs]
    return [*line, (1.1, 1.1), (-0.1, 1.1)]


def sky(canvas: Canvas, rng: Random) -> float:
    paint_sky(canvas, rng)
    return 0.92


def hills(canvas: Canvas, rng: Random) -> float:
    top = rng.uniform(0.5, 0.75)
    stops = paint_sky(canvas, rng, top)
    land = jittered(
        rng, rng.choice((COLOURS["green"], (150, 170, 90), (190, 150, 90), COLOURS["teal"], (214, 222, 232)))
    )
    for step in range(rng.randint(2, 4)):
        colour = mix(darker(land, 0.08 * step), stops[-1], max(0.0, 0.55 - 0.22 * step))
        canvas.whole.polygon(ridge(rng, top + 0.11 * step, 0.05), Shade((lighter(colour, 0.15), colour)))
    return rng.uniform(0.84, 0.94)


def meadow(canvas: Canvas, rng: Random) -> float:
    top = rng.uniform(0.3, 0.65)
    paint_sky(canvas, rng, top)
    grass = jittered(rng, rng.choice((COLOURS["green"], (124, 150, 70), (170, 170, 84), (70, 120, 96))))
    pen = canvas.whole
    pen.polygon(ridge(rng, top, 0.015), Shade((lighter(grass, 0.3), grass, darker(grass, 0.25))))
    bloom = any_colour(rng)
    for _ in range(rng.randint(0, 60)):
        x, depth = rng.random(), rng.random()
        y, size = top + 0.04 + (1 - top) * depth, 0.004 + 0.010 * depth
        pen.ellipse(x, y, size, size, lighter(bloom, rng.random() * 0.5))
    return rng.uniform(0.84, 0.93)


def open_sea(canvas: Canvas, rng: Random) -> float:
    top = rng.uniform(0.35, 0.6)
    stops = paint_sky(canvas, rng, top)
    water = mix(jittered(rng, rng.choice((COLOURS["blue"], COLOURS["teal"], (96, 170, 190)))), stops[0], 0.4)
    pen = canvas.whole
    pen.box(-0.1, top, 1.1, 1.1, Shade((mix(water, stops[-1], 0.5), water, darker(water, 0.25))))
    for _ in range(rng.randint(8, 22)):
        x, depth = rng.random(), rng.random()
        y, long = top + (1 - top) * depth, 0.02 + 0.09 * depth
        pen.ellipse(x, y, long, 0.002 + 0.003 * depth, clear(lighter(stops[-1], 0.4), 0.5))
    return rng.uniform(0.7, 0.9)


def sea(canvas: Canvas, rng: Random) -> float:
    """The sea with a strip of sand before it."""
    open_sea(canvas, rng)
    sand = jittered(rng, (226, 200, 150))
    canvas.whole.polygon(ridge(rng, rng.uniform(0.74, 0.86), 0.02), Shade((lighter(sand, 0.3), sand)))
    return 0.92


def studio(canvas: Canvas, rng: Random) -> float:
    colour = any_colour(rng)
    canvas.backdrop((lighter(colour, rng.uniform(0.2, 0.75)), mix(colour, any_colour(rng), 0.25)), rng.uniform(-70, 70))
    canvas.whole.glow(rng.random(), rng.random() * 0.6, 0.6, 0.6, lighter(colour, 0.7), 0.7)
    if rng.random() < 0.5:
        floor = darker(colour, rng.uniform(0.05, 0.3))
        canvas.whole.box(-0.1, rng.uniform(0.68, 0.8), 1.1, 1.1, Shade((floor, lighter(floor, 0.3))))
    return rng.uniform(0.84, 0.92)


def pattern(canvas: Canvas, rng: Random) -> float:
    """Dots, stripes, checks or confetti in two similar colours."""
    base = any_colour(rng)
    base = lighter(base, rng.uniform(0.2, 0.75)) if rng.random() < 0.7 else darker(base, 0.3)
    other = clear(mix(base, rng.choice((any_colour(rng), WHITE, darker(base))), rng.uniform(0.1, 0.3)), 0.85)
    canvas.backdrop((lighter(base, 0.15), darker(base, 0.08)), rng.uniform(-60, 60))
    step = rng.uniform(0.22, 0.5)
    pen = canvas.spot(0.5, 0.5, 1.0, turn=rng.choice((0, 0, 45, 90, rng.uniform(0, 180))))
    style = rng.choice(("dots", "stripes", "checks", "confetti"))
    count = math.ceil(1.7 / step)
    for i in range(-count, count + 1):
        if style == "stripes":
            pen.box(i * step, -2.4, (i + 0.45) * step, 2.4, other)
            continue
        for j in range(-count, count + 1):
            x, y = (i + 0.5 * (j % 2)) * step, j * step
            if style == "dots":
                pen.ellipse(x, y, step * 0.24, step * 0.24, other)
            elif style == "checks" and (i + j) % 2:
                pen.box(i * step, y, (i + 1) * step, y + step, other)
            elif style == "confetti" and rng.random() < 0.5:
                pen.ellipse(x, y, step * 0.1, step * 0.35, other, turn=rng.uniform(0, 180))
    return rng.uniform(0.84, 0.92)


def room(canvas: Canvas, rng: Random) -> float:
    wall = lighter(any_colour(rng), rng.uniform(0.25, 0.7))
    canvas.backdrop((wall, darker(wall, 0.2)), rng.uniform(-50, 50))
    pen = canvas.whole
    edge = rng.uniform(0.66, 0.78)
    if rng.random() < 0.6:  # a window or a picture on the wall
        x, y, wide, high = rng.uniform(0.0, 0.75), rng.uniform(0.05, 0.2), rng.uniform(0.2, 0.4), rng.uniform(0.25, 0.4)
        pen.box(x - 0.02, y - 0.02, x + wide + 0.02, y + high + 0.02, lighter(WOOD, rng.random() * 0.8))
        stops = SKIES[rng.choice((*DAYS, *EVENINGS, *NIGHTS))]
        pen.box(x, y, x + wide, y + high, Shade(stops))
        pen.box(x + wide / 2 - 0.008, y, x + wide / 2 + 0.008, y + high, lighter(WOOD, 0.5))
    table = jittered(rng, rng.choice((WOOD, lighter(WOOD, 0.5), darker(WOOD, 0.4), any_colour(rng))))
    pen.box(-0.1, edge, 1.1, 1.1, Shade((lighter(table, 0.25), table)))
    for _ in range(rng.randint(0, 5)):
        y = rng.uniform(edge, 1.0)
        pen.line([(-0.1, y), (1.1, y + rng.uniform(-0.02, 0.02))], 0.004, clear(darker(table), 0.5))
    pen.box(-0.1, edge, 1.1, edge + 0.012, clear(darker(table, 0.5), 0.4))
    return rng.uniform(0.85, 0.92)


def lights(canvas: Canvas, rng: Random) -> float:
    """Soft round lights, far out of focus."""
    base = any_colour(rng)
    base = darker(base, rng.uniform(0.3, 0.75)) if rng.random() < 0.6 else lighter(base, 0.3)
    canvas.backdrop((base, mix(base, any_colour(rng), 0.4)), rng.uniform(-90, 90))
    glimmer = [lighter(any_colour(rng), 0.4) for _ in range(2)]
    for _ in range(rng.randint(8, 22)):
        size = rng.uniform(0.04, 0.13)
        pen = canvas.spot(rng.random(), rng.random(), 2 * size)
        pen.ellipse(0, 0, 1, 1, clear(rng.choice(glimmer), rng.uniform(0.08, 0.26)))
    return rng.uniform(0.84, 0.92)


def leaves(canvas: Canvas, rng: Random) -> float:
    """A wall of leaves in the colours of one season."""
    base = jittered(rng, rng.choice((COLOURS["green"], (70, 120, 90), (176, 120, 60), (150, 160, 80), (90, 110, 130))))
    canvas.backdrop((darker(base, 0.2), darker(base, 0.6)), rng.uniform(-40, 40))
    leaf = [(0, -1), (0.42, -0.3), (0.36, 0.4), (0, 1), (-0.36, 0.4), (-0.42, -0.3)]
    for step in range(28):
        size = rng.uniform(0.2, 0.4)
        pen = canvas.spot(rng.random(), rng.random(), size, turn=rng.uniform(0, 360))
        pen.blob(leaf, clear(jittered(rng, darker(base, 0.5 - 0.017 * step)), 0.9))
    return rng.uniform(0.86, 0.94)


def street(canvas: Canvas, rng: Random) -> float:
    stops = paint_sky(canvas, rng, 0.5)
    pen = canvas.whole
    kerb = rng.uniform(0.68, 0.8)
    x = -0.05
    while x < 1.0:
        wide, top = rng.uniform(0.18, 0.36), rng.uniform(0.0, 0.4)
        front = mix(any_colour(rng), stops[1], 0.5)
        pen.box(x, top, x + wide, kerb, Shade((lighter(front, 0.15), darker(front, 0.12))))
        pane = rng.choice((darker(front, 0.35), lighter(front, 0.6), (250, 214, 130)))
        for row in range(4):
            for column in range(2):
                left, high = x + wide * (0.17 + 0.42 * column), top + 0.06 + 0.15 * row
                if high + 0.09 < kerb:
                    pen.box(left, high, left + wide * 0.24, high + 0.08, clear(pane, 0.8))
        x += wide
    road = jittered(rng, rng.choice(((96, 98, 108), (140, 134, 128), (70, 74, 92))))
    pen.box(-0.1, kerb, 1.1, 1.1, Shade((lighter(road, 0.3), darker(road, 0.1))))
    pen.box(-0.1, kerb, 1.1, kerb + 0.02, lighter(road, 0.5))
    return rng.uniform(0.88, 0.94)


def water(canvas: Canvas, rng: Random) -> float:
    """Below the surface of a sea or a pool."""
    base = jittered(rng, rng.choice(((40, 130, 170), COLOURS["teal"], (50, 90, 150), (90, 170, 180), (60, 120, 110))))
    canvas.backdrop((lighter(base, 0.45), base, darker(base, 0.45)), rng.uniform(-20, 20))
    pen = canvas.whole
    for _ in range(rng.randint(2, 5)):
        x, lean = rng.random(), rng.uniform(-0.3, 0.3)
        ray = [(x, -0.05), (x + 0.08, -0.05), (x + lean + 0.2, 1.05), (x + lean - 0.05, 1.05)]
        pen.polygon(ray, clear(WHITE, 0.09))
    for _ in range(rng.randint(0, 7)):
        x, lean, high = rng.random(), rng.uniform(-0.1, 0.1), rng.uniform(0.15, 0.45)
        weed = [(x - 0.02, 1.05), (x + lean, 1.0 - high / 2), (x + lean / 2, 1 - high), (x + lean + 0.04, 1 - high / 2)]
        pen.blob([*weed, (x + 0.03, 1.05)], clear(darker(jittered(rng, COLOURS["green"]), 0.3), 0.8))
    for _ in range(rng.randint(0, 12)):
        size = rng.uniform(0.006, 0.02)
        pen.ellipse(rng.random(), rng.random(), size, size, clear(WHITE, 0.45))
    if rng.random() < 0.4:
        pen.polygon(ridge(rng, 0.88, 0.03), lighter(mix((216, 190, 140), base, 0.5), 0.1))
    return 0.9


BACKDROPS: dict[str, tuple[Backdrop, str]] = {  # name: function, and its words in an alt text
    "sky": (sky, "in the open sky"),
    "hills": (hills, "in front of rolling hills"),
    "meadow": (meadow, "in a meadow"),
    "sea": (sea, "by the sea"),
    "open sea": (open_sea, "out at sea"),
    "studio": (studio, "on a plain background"),
    "pattern": (pattern, "on patterned paper"),
    "room": (room, "in a quiet room"),
    "lights": (lights, "in front of soft lights"),
    "leaves": (leaves, "among leaves"),
    "street": (street, "in a street"),
    "water": (water, "in clear water"),
}
