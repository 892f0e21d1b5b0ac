"""Objects of the gallery: car, house, balloon, sailing boat, fruit, mushroom and umbrella.

Each function draws one of them within -1..1 (y grows downwards; standing objects have their foot at 1) with a given pen
in two given colours.
"""

import math
from random import Random

from imgsearch.demo.canvas import Pen, Shade
from imgsearch.demo.palette import COLOURS, INK, WHITE, WOOD, Colour, clear, darker, jittered, lighter, mix

_GLASS = ((196, 226, 238), (110, 150, 176))


def car(pen: Pen, rng: Random, main: Colour, second: Colour) -> None:
    """A car from the side, its front to the left: hatchback, saloon, van or pick-up."""
    pen.glow(0, 0.98, 1.15, 0.12, INK, 0.9)
    roofs = {
        "hatchback": [(-0.55, 0.2), (-0.28, -0.28), (0.1, -0.4), (0.6, -0.34), (0.9, 0.18)],
        "saloon": [(-0.5, 0.18), (-0.22, -0.26), (0.05, -0.34), (0.35, -0.26), (0.66, 0.18)],
        "van": [(-0.8, 0.15), (-0.6, -0.36), (-0.4, -0.5), (0.88, -0.5), (0.94, 0.2)],
        "pick-up": [(-0.5, 0.18), (-0.26, -0.34), (0.0, -0.4), (0.22, -0.36), (0.26, 0.2)],
    }
    style = rng.choice(list(roofs))
    roof = roofs[style]
    pen.polygon(roof, Shade((lighter(main, 0.3), main)))
    nose = rng.uniform(0.2, 0.3)
    body = [(-0.98, 0.62), (-0.97, nose + 0.1), (-0.86, nose), (-0.5, 0.16), (0.9, 0.16), (0.97, 0.26), (0.98, 0.66)]
    pen.polygon([*body, (0.9, 0.74), (-0.9, 0.74)], Shade((lighter(main, 0.22), main, darker(main, 0.4))))
    left, right, top, low = roof[0][0], roof[-1][0], min(y for _, y in roof), 0.14
    pane = Shade(_GLASS, turn=30)
    post = left + (right - left) * rng.uniform(0.45, 0.55)
    front = [(left + 0.12, low), (roof[1][0] + 0.08, roof[1][1] + 0.1), (post - 0.04, top + 0.11), (post - 0.04, low)]
    pen.polygon(front, pane)
    if style != "pick-up":
        back_x = roof[-2][0] - 0.02
        pen.polygon(
            [(post + 0.04, low), (post + 0.04, top + 0.11), (back_x, roof[-2][1] + 0.1), (right - 0.16, low)], pane
        )
    pen.line([(post, 0.2), (post, 0.66)], 0.02, darker(main, 0.4))
    pen.box(post + 0.06, 0.28, post + 0.18, 0.32, darker(main, 0.5))
    if rng.random() < 0.4:
        pen.box(-0.95, 0.42, 0.96, 0.5, second)
    pen.ellipse(-0.9, 0.34, 0.07, 0.08, (255, 240, 180))
    pen.box(0.9, 0.28, 0.98, 0.42, (214, 60, 50))
    pen.box(-1.0, 0.62, 1.0, 0.72, darker(main, 0.65), 0.04)
    rim, size = lighter(COLOURS["grey"], rng.random() * 0.6), rng.uniform(0.23, 0.29)
    for x in (-0.56, 0.58):
        pen.ellipse(x, 1.0 - size, size * 1.14, size * 1.14, darker(main, 0.7))
        pen.ellipse(x, 1.0 - size, size, size, (38, 38, 44))
        pen.ellipse(x, 1.0 - size, size * 0.55, size * 0.55, rim)
        pen.ellipse(x, 1.0 - size, size * 0.2, size * 0.2, darker(rim, 0.5))


def house(pen: Pen, rng: Random, main: Colour, second: Colour) -> None:
    """A small house with a pitched roof, seen from the front or from a corner."""
    pen.glow(0, 1.0, 1.2, 0.12, INK, 0.7)
    wall, roof = lighter(main, rng.uniform(0.1, 0.5)), darker(second, rng.uniform(0.05, 0.4))
    lit = (252, 220, 130) if rng.random() < 0.4 else (176, 206, 222)
    eaves, peak = rng.uniform(-0.2, 0.1), rng.uniform(-1.0, -0.75)
    if rng.random() < 0.7:
        x = rng.choice((-0.5, 0.42))
        pen.box(x, peak + 0.02, x + 0.2, eaves, Shade((darker(wall, 0.35), darker(wall, 0.15)), 90))
    corner = rng.uniform(0.0, 0.25) if rng.random() < 0.5 else 0.84
    if corner < 0.5:  # gable on the left, the long side on the right
        pen.box(corner, eaves, 0.9, 1.0, Shade((darker(wall, 0.3), darker(wall, 0.18))))
        middle = (corner - 0.88) / 2
        pen.polygon(
            [(-0.88, 1), (-0.88, eaves), (middle, peak), (corner, eaves), (corner, 1)], Shade((lighter(wall), wall))
        )
        pen.polygon(
            [(middle, peak - 0.04), (0.62, peak - 0.04), (1.0, eaves + 0.06), (corner + 0.06, eaves + 0.06)],
            Shade((lighter(roof, 0.1), darker(roof, 0.2))),
        )
        pen.line([(-0.98, eaves + 0.08), (middle, peak), (corner + 0.06, eaves + 0.06)], 0.09, darker(roof, 0.25))
        _window(pen, (corner + 0.9) / 2 - 0.15, eaves + 0.24, 0.15, lit)
        places = rng.choice([(corner - 0.38, [-0.72]), (-0.7, [corner - 0.44])])
    else:
        pen.box(-0.82, eaves, 0.82, 1.0, Shade((lighter(wall, 0.2), wall, darker(wall, 0.12)), 60))
        ridge = rng.choice((0.0, 0.0, 0.5))
        pen.polygon(
            [(-1, eaves + 0.05), (-ridge, peak), (ridge, peak), (1, eaves + 0.05)], Shade((lighter(roof, 0.15), roof))
        )
        if not ridge and eaves - peak > 0.7:
            pen.ellipse(0, (eaves * 2 + peak) / 3, 0.12, 0.12, lighter(wall, 0.5))
        places = rng.choice([(-0.16, [-0.64, 0.34]), (-0.64, [-0.12, 0.38]), (0.3, [-0.64, -0.14])])
    door = jittered(rng, mix(second, WOOD, 0.4))
    x, windows = places  # of the door and of the windows beside it
    pen.box(x, 0.42, x + 0.32, 1.0, Shade((lighter(door, 0.15), door)))
    pen.ellipse(x + 0.26, 0.72, 0.025, 0.025, WHITE)
    for left in windows:
        _window(pen, left, eaves + 0.24, 0.15, lit)
    for _ in range(rng.randint(0, 3)):
        bush, size = jittered(rng, darker(COLOURS["green"], 0.2)), rng.uniform(0.12, 0.24)
        pen.ellipse(
            rng.choice((-0.85, -0.6, 0.75, 0.9)), 1.0 - size * 0.5, size * 1.2, size, Shade((lighter(bush), bush))
        )


def _window(pen: Pen, x: float, y: float, half: float, lit: Colour) -> None:
    pen.box(x - 0.03, y - 0.03, x + 2 * half + 0.03, y + 2 * half + 0.03, WHITE)
    pen.box(x, y, x + 2 * half, y + 2 * half, Shade((lighter(lit, 0.3), lit)))
    pen.line([(x + half, y), (x + half, y + 2 * half)], 0.035, WHITE)
    pen.line([(x, y + half), (x + 2 * half, y + half)], 0.035, WHITE)


def balloon(pen: Pen, rng: Random, main: Colour, second: Colour) -> None:
    """A hot-air balloon with coloured gores and a basket; sometimes a toy balloon on a string."""
    if rng.random() < 0.2:
        pen.line([(0, 0.5), (0.06, 0.8), (-0.05, 1.1), (0.04, 1.6)], 0.025, clear(WHITE, 0.9))
        pen.polygon([(-0.1, 0.56), (0.1, 0.56), (0, 0.42)], darker(main, 0.25))
        outline = [
            (0, -0.98),
            (0.55, -0.75),
            (0.72, -0.25),
            (0.42, 0.28),
            (0, 0.48),
            (-0.42, 0.28),
            (-0.72, -0.25),
            (-0.55, -0.75),
        ]
        pen.blob(outline, Shade((lighter(main, 0.6), main, darker(main, 0.3)), ball=True))
        return
    wide = rng.uniform(0.68, 0.8)
    angles = [math.radians(-90 + 125 * k / 11) for k in range(12)]
    profile = [*((math.cos(angle), 0.72 * math.sin(angle) - 0.28) for angle in angles), (0.2, 0.56)]
    gores = rng.choice((4, 6, 8))
    trim = second if rng.random() < 0.7 else lighter(main, 0.75)
    for x in (-0.11, 0.11):
        pen.line([(x * 1.5, 0.54), (x, 0.8)], 0.025, INK)
    pen.box(-0.15, 0.76, 0.15, 1.0, Shade((lighter(WOOD, 0.2), darker(WOOD, 0.3))), 0.04)
    for k in range(gores):
        edges = [math.sin(math.pi * (share / gores - 0.5)) for share in (k, k + 1)]
        outline = [(edges[0] * x * wide, y) for x, y in profile] + [(edges[1] * x * wide, y) for x, y in profile[::-1]]
        shadow = abs(sum(edges) / 2 - 0.35 * pen.canvas.light) * 0.34
        pen.polygon(outline, darker(trim if k % 2 else main, shadow))
    if rng.random() < 0.35:
        band = [(x, y) for x, y in profile if -0.7 < y < 0.1]
        pen.polygon(
            [(-x * wide, y) for x, y in band] + [(x * wide, y) for x, y in band[::-1]], clear(darker(second, 0.2), 0.85)
        )
    pen.glow(0.3 * pen.canvas.light, -0.55, 0.42, 0.4, WHITE, 0.7)


def sailboat(pen: Pen, rng: Random, main: Colour, second: Colour) -> None:
    """A boat with one or two sails on the water, with its reflection."""
    pen.glow(0, 0.92, 1.1, 0.16, darker(main, 0.5), 0.7)
    mast = rng.uniform(-0.12, 0.12)
    pen.line([(mast, 0.6), (mast, -1.0)], 0.05, darker(WOOD, 0.3))
    belly = rng.uniform(0.0, 0.14)
    sail = lighter(main, rng.choice((0.1, 0.1, 0.75)))
    aft = [(mast + 0.05, -0.95), (mast + 0.36 + belly, -0.3), (mast + 0.68, 0.4), (mast + 0.05, 0.42)]
    pen.polygon(aft, Shade((lighter(sail, 0.2), sail, darker(sail, 0.15)), 60))
    if rng.random() < 0.5:
        pen.polygon(
            [(mast + 0.05, -0.25), (mast + 0.39 + belly, -0.24), (mast + 0.46 + belly, -0.06), (mast + 0.05, -0.04)],
            second,
        )
    if rng.random() < 0.85:
        jib = lighter(second, rng.uniform(0.2, 0.7))
        pen.polygon(
            [(mast - 0.05, -0.8), (mast - 0.05, 0.4), (mast - 0.72, 0.44), (mast - 0.32 - belly, -0.1)],
            Shade((lighter(jib, 0.2), jib)),
        )
    hull = darker(second, 0.1) if sail[0] > 215 else lighter(second, 0.1)
    pen.polygon([(-0.92, 0.5), (0.9, 0.54), (0.66, 0.88), (-0.6, 0.9)], Shade((lighter(hull, 0.2), darker(hull, 0.35))))
    pen.polygon([(-0.92, 0.5), (0.9, 0.54), (0.86, 0.6), (-0.86, 0.57)], WHITE)
    if rng.random() < 0.6:
        pen.polygon([(mast, -1.0), (mast + 0.24, -0.93), (mast, -0.86)], COLOURS["red"])
    for step in range(4):
        y, wide = 0.93 + 0.07 * step, 0.75 - 0.14 * step
        pen.ellipse(rng.uniform(-0.15, 0.15), y, wide, 0.018, clear(lighter(sail, 0.3), 0.55))


def fruit(pen: Pen, rng: Random, main: Colour, second: Colour) -> None:
    """An apple, orange, pear, strawberry, banana or pair of cherries on a plate in the main colour."""
    pen.glow(0, 0.94, 1.35, 0.3, INK, 0.6)
    pen.ellipse(0, 0.9, 1.12, 0.2, darker(main, 0.2))
    pen.ellipse(0, 0.87, 1.08, 0.18, lighter(main, 0.25))
    pen.ellipse(0, 0.88, 0.8, 0.11, main)
    pen = pen.placed(0, -0.02, 0.96, turn=rng.uniform(-18, 18))
    green = jittered(rng, COLOURS["green"])
    style = rng.choice(("apple", "apple", "orange", "pear", "strawberry", "cherries", "banana"))
    ripe = {
        "apple": ((206, 50, 48), (150, 190, 70), (236, 190, 80)),
        "orange": ((242, 146, 44), (236, 120, 70)),
        "pear": ((196, 200, 84), (222, 180, 70), (190, 110, 70)),
        "strawberry": ((218, 50, 62), (232, 90, 90)),
        "cherries": ((176, 28, 52), (206, 50, 60), (90, 30, 60)),
        "banana": ((246, 214, 70), (236, 196, 60), (190, 200, 80)),
    }[style]
    skin = mix(jittered(rng, rng.choice(ripe)), second, 0.1)
    round_shade = Shade((lighter(skin, 0.6), skin, darker(skin, 0.35)), ball=True)
    if style == "cherries":
        for x, y in ((-0.45, 0.5), (0.42, 0.58)):
            pen.line([(x, y - 0.3), (x * 0.6, -0.4), (0.1, -0.95)], 0.06, darker(green, 0.2))
            pen.ellipse(x, y, 0.44, 0.42, round_shade)
        _leaf(pen.placed(0.1, -0.9, 0.8, turn=-60), green)
        return
    if style == "banana":
        outer = [(-0.92, -0.42), (-0.75, 0.25), (-0.2, 0.78), (0.45, 0.85), (0.92, 0.55)]
        inner = [(0.86, 0.42), (0.4, 0.36), (-0.1, 0.16), (-0.55, -0.3), (-0.72, -0.55)]
        pen.blob(outer + inner, Shade((lighter(skin, 0.35), skin, darker(skin, 0.3)), turn=-30))
        pen.line([(-0.78, -0.4), (-0.55, 0.15), (-0.05, 0.52), (0.8, 0.5)], 0.03, clear(darker(skin, 0.4), 0.5))
        pen.polygon([(-0.93, -0.42), (-0.74, -0.55), (-0.78, -0.75), (-0.95, -0.68)], darker(WOOD, 0.3))
        pen.ellipse(0.9, 0.49, 0.07, 0.08, darker(WOOD, 0.5))
        return
    shapes = {
        "apple": [(0, -0.55), (0.45, -0.72), (0.88, -0.35), (0.82, 0.35), (0.4, 0.92), (0, 0.84)],
        "orange": [(0, -0.8), (0.5, -0.7), (0.86, -0.2), (0.8, 0.4), (0.4, 0.88), (0, 0.95)],
        "pear": [(0, -0.82), (0.3, -0.65), (0.4, -0.2), (0.76, 0.3), (0.58, 0.85), (0, 0.95)],
        "strawberry": [(0, -0.55), (0.5, -0.65), (0.82, -0.25), (0.6, 0.35), (0.22, 0.86), (0, 0.95)],
    }
    half = shapes[style]
    pen.blob(half + [(-x, y) for x, y in half[-2:0:-1]], round_shade)
    if style == "strawberry":
        for k in range(18):
            x, y = -0.55 + 0.27 * (k % 5) + 0.13 * (k // 5 % 2), -0.3 + 0.27 * (k // 5)
            if abs(x) < 0.66 - 0.55 * max(0.0, y):
                pen.ellipse(x, y, 0.035, 0.055, (250, 222, 140))
        for turn in (-80, -40, 0, 40, 80):
            _leaf(pen.placed(0, -0.52, 0.5, turn=turn), green)
        return
    pen.line([(0, -0.6), (0.04, -0.8), (0.12, -1.0)], 0.08, darker(WOOD, 0.3))
    if rng.random() < 0.75:
        _leaf(pen.placed(0.05, -0.78, 0.75, turn=rng.choice((-65, 65))), green)


def _leaf(pen: Pen, colour: Colour) -> None:
    pen.blob(
        [(0, 0), (0.24, -0.35), (0.18, -0.7), (0, -1), (-0.18, -0.7), (-0.24, -0.35)],
        Shade((lighter(colour, 0.2), colour)),
    )
    pen.line([(0, 0), (0, -0.85)], 0.04, darker(colour, 0.25))


def mushroom(pen: Pen, rng: Random, main: Colour, second: Colour) -> None:
    """A mushroom with a dotted cap."""
    pen.glow(0, 0.98, 0.7, 0.12, INK, 0.8)
    pale = lighter(mix(second, (236, 222, 196), 0.75), 0.2)
    foot, waist = rng.uniform(0.28, 0.4), rng.uniform(0.18, 0.28)
    stem = [(-waist, -0.1), (waist, -0.1), (waist, 0.4), (foot, 0.9), (0.0, 1.0), (-foot, 0.9), (-waist, 0.4)]
    pen.blob(stem, Shade((darker(pale, 0.25), pale, darker(pale, 0.15)), 70))
    if rng.random() < 0.5:
        pen.blob(
            [(-waist, 0.1), (waist, 0.1), (waist + 0.12, 0.3), (0, 0.34), (-waist - 0.12, 0.3)], lighter(pale, 0.5)
        )
    brim, peak = rng.uniform(-0.1, 0.16), rng.uniform(-1.0, -0.8)
    pen.ellipse(0, brim, 0.9, 0.17, Shade((darker(pale, 0.4), pale)))
    cap = [
        (-0.98, brim),
        (-0.82, (brim + peak) / 2 - 0.12),
        (-0.35, peak),
        (0.35, peak),
        (0.82, (brim + peak) / 2 - 0.12),
        (0.98, brim),
    ]
    pen.blob(
        [*cap, (0.5, brim + 0.02), (-0.5, brim + 0.02)], Shade((lighter(main, 0.4), main, darker(main, 0.3)), ball=True)
    )
    if rng.random() < 0.75:
        for x, share, size in (
            (-0.5, 0.55, 0.14),
            (0.05, 0.25, 0.16),
            (0.5, 0.62, 0.12),
            (-0.05, 0.72, 0.12),
            (-0.75, 0.82, 0.08),
            (0.75, 0.86, 0.07),
        ):
            pen.ellipse(x, peak + (brim - peak) * share, size, size * 0.75, clear(lighter(pale, 0.6), 0.95))


def umbrella(pen: Pen, rng: Random, main: Colour, second: Colour) -> None:
    """An open umbrella with a crook, usually in the rain."""
    pen.line([(0, -0.98), (0, 0.72), (0.05, 0.9), (0.17, 0.95), (0.28, 0.88), (0.3, 0.74)], 0.075, darker(WOOD, 0.35))
    gores = rng.choice((4, 5, 6))
    low = rng.uniform(-0.06, 0.12)
    trim = second if rng.random() < 0.5 else darker(main, 0.16)
    for k in range(gores):
        x0, x1 = (math.sin(math.pi * (share / gores - 0.5)) for share in (k, k + 1))
        arc = [math.cos(t * math.pi / 12) for t in range(7)]
        rise = [math.sin(t * math.pi / 12) for t in range(7)]
        left = [(x0 * c, low - (0.88 + low) * r) for c, r in zip(arc, rise, strict=True)]
        right = [(x1 * c, low - (0.88 + low) * r) for c, r in zip(arc, rise, strict=True)]
        scallop = [(x1 + (x0 - x1) * t / 4, low - 0.12 * math.sin(math.pi * t / 4)) for t in range(1, 4)]
        shadow = abs((x0 + x1) / 2 - 0.4 * pen.canvas.light) * 0.36
        pen.polygon([*left, *right[::-1], *scallop], darker(trim if k % 2 else main, shadow))
    pen.glow(0.25 * pen.canvas.light, -0.5, 0.4, 0.3, WHITE, 0.5)
    if rng.random() < 0.6:
        slant = rng.uniform(-0.12, 0.12)
        for _ in range(rng.randint(10, 26)):
            x, y = rng.uniform(-2, 2), rng.uniform(-2, 2)
            pen.line([(x, y), (x + slant, y + 0.22)], 0.02, clear(WHITE, 0.5))
