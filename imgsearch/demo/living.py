"""Living things of the gallery: flower, fish, butterfly, bird, cat and face.

Each function draws one of them within -1..1 (y grows downwards) with a given pen in two given colours. Position, size
and angle are those of the pen.
"""

import math
from random import Random

import numpy as np

from imgsearch.demo.canvas import Pen, Shade
from imgsearch.demo.palette import COLOURS, INK, WHITE, WOOD, Colour, clear, darker, jittered, lighter, mix


def flower(pen: Pen, rng: Random, main: Colour, second: Colour) -> None:
    """A blossom with two rings of petals on a stem with leaves."""
    stem = jittered(rng, COLOURS["green"])
    bend = rng.uniform(-0.25, 0.25)
    radius = rng.uniform(0.66, 0.9)
    head = pen.placed(0, radius - 1.0, radius)
    pen.line([(0, radius - 1), (bend * 0.6, 0.5), (bend, 1.6), (bend, 2.5)], 0.07, darker(stem, 0.1))
    for side in rng.sample((-1, 1), rng.randint(1, 2)):
        leaf = pen.placed(bend * 0.7, rng.uniform(0.55, 0.8), 0.5, turn=side * rng.uniform(40, 75))
        leaf.blob([(0, 0), (0.3, -0.5), (0, -1.2), (-0.3, -0.5)], Shade((lighter(stem, 0.2), stem)))
        leaf.line([(0, 0), (0, -1)], 0.05, darker(stem, 0.2))
    petals = rng.choice((5, 5, 6, 8, 8, 10, 13))
    wide = min(0.42, 1.9 / petals) * rng.uniform(0.9, 1.3)
    tip = rng.uniform(0.5, 1.1)  # below 1: rounded petals, above: pointed ones
    petal = [(0, 0), (wide * 0.7, -0.4), (wide, -0.72), (wide * 0.45 / tip, -0.97), (0, -1.0 - 0.06 * tip)]
    petal += [(-x, y) for x, y in petal[:0:-1]]
    start = rng.uniform(0, 360)
    for ring, length in ((0, 1.0), (1, rng.uniform(0.68, 0.86))):
        for k in range(petals):
            angle = start + 360 * (k + 0.5 * ring) / petals
            tone = jittered(rng, lighter(main, 0.22) if ring else darker(main, 0.06), 0.35)
            one = head.placed(0, 0, length, turn=angle)
            one.blob(petal, tone if ring else darker(tone, 0.14))
            one.polygon([(-0.05, 0), (0.05, 0), (0, -0.75)], clear(darker(tone, 0.35), 0.6))
    heart = rng.uniform(0.2, 0.36)
    head.ellipse(0, 0, heart, heart, Shade((lighter(second), second, darker(second)), ball=True))
    for k in range(16):
        far = heart * 0.85 * math.sqrt((k + 0.5) / 16)
        head.ellipse(far * math.cos(k * 2.4), far * math.sin(k * 2.4), 0.03, 0.03, darker(second, 0.35))


def fish(pen: Pen, rng: Random, main: Colour, second: Colour) -> None:
    """A fish from the side, its head to the left."""
    fat = rng.uniform(0.32, 0.62)
    fin = lighter(second, 0.15)
    sweep = rng.uniform(0.35, 0.6)
    pen.blob(
        [(0.42, 0), (0.7, -0.25), (0.98, -sweep), (0.84, 0), (0.98, sweep), (0.7, 0.25)], Shade((fin, darker(fin)))
    )
    crest = fat + rng.uniform(0.12, 0.32)
    pen.blob([(-0.45, -fat * 0.6), (-0.1, -crest), (0.35, -crest * 0.8), (0.3, -fat * 0.4)], Shade((fin, second)))
    pen.blob([(-0.1, fat * 0.7), (0.05, crest * 0.95), (0.3, crest * 0.8), (0.25, fat * 0.4)], Shade((second, fin)))
    body = [(-0.92, 0.02), (-0.7, -fat * 0.62), (-0.25, -fat), (0.25, -fat * 0.72), (0.62, -0.1)]
    body += [(0.62, 0.1), (0.25, fat * 0.72), (-0.25, fat), (-0.7, fat * 0.62)]
    pen.blob(body, Shade((darker(main, 0.2), main, lighter(main, 0.55))))
    style = rng.choice(("bands", "scales", "line", "plain"))
    for k in range(rng.randint(2, 4) if style == "bands" else 0):
        x = -0.28 + 0.24 * k
        high = fat * (1.0 - 0.3 * abs(x + 0.25) - max(0.0, x) * 0.75) * 0.93
        bulge = 0.06
        band = [(x - 0.05, -high), (x + 0.06, -high), (x + 0.06 + bulge, 0), (x + 0.06, high), (x - 0.05, high)]
        pen.polygon([*band, (x - 0.05 + bulge, 0)], clear(second, 0.9))
    for k in range(24 if style == "scales" else 0):
        x, y = -0.3 + 0.14 * (k % 6), (-0.55 + 0.36 * (k // 6) + 0.18 * (k % 2)) * fat * (1 - 0.09 * (k % 6))
        pen.ellipse(x, y, 0.06, 0.06, clear(darker(main, 0.3), 0.35))
    if style == "line":
        pen.blob([(-0.4, -0.05), (0.2, -0.12), (0.6, 0), (0.2, 0.06)], clear(second, 0.9))
    pen.line([(-0.46, -fat * 0.7), (-0.38, 0), (-0.46, fat * 0.7)], 0.035, clear(darker(main, 0.4), 0.7))
    pen.blob([(-0.2, fat * 0.15), (0.14, fat * 0.1), (0.2, fat * 0.45), (-0.05, fat * 0.4)], Shade((fin, second)))
    pen.ellipse(-0.62, -fat * 0.2, 0.12, 0.12, WHITE)
    pen.ellipse(-0.64, -fat * 0.2, 0.07, 0.075, INK)
    pen.line([(-0.9, 0.06), (-0.76, 0.1)], 0.03, darker(main, 0.5))


def butterfly(pen: Pen, rng: Random, main: Colour, second: Colour) -> None:
    """A butterfly from above, wings spread or half folded."""
    rim = darker(main, rng.choice((0.85, 0.7, 0.45)))
    fold = [rng.uniform(0.75, 1.0)] * 2 if rng.random() < 0.6 else [rng.uniform(0.55, 0.7), 1.0]
    reach, drop = rng.uniform(0.75, 0.95), rng.uniform(0.6, 0.95)
    upper = [(0.02, -0.1), (0.3, -0.62), (0.75, -reach), (0.98, -reach * 0.8), (0.86, -0.3), (0.45, 0.06), (0.04, 0.08)]
    lower = [(0.03, 0.02), (0.5, 0.08), (0.78, 0.32), (0.66, drop * 0.8), (0.4, drop), (0.14, 0.5)]
    spots = [(rng.uniform(0.3, 0.75), rng.uniform(0.05, 0.1)) for _ in range(rng.randint(1, 3))]
    for side, wide in zip((False, True), fold, strict=True):
        wing = pen.placed(0, 0, wide, 1.0, mirrored=side)
        for outline, tone in ((lower, mix(main, second, 0.45)), (upper, main)):
            wing.blob(outline, rim)
            middle = np.mean(outline, axis=0)
            inner = middle * 0.97 + (np.array(outline) - middle) * 0.78
            wing.blob(inner, Shade((lighter(tone, 0.3), tone)))
            for vein in range(2, 5):
                wing.line([outline[0], inner[vein]], 0.022, clear(rim, 0.55))
            for share, size in spots:
                x, y = middle * (0.5 + share)
                wing.ellipse(x, y, size, size, second if tone == main else lighter(second, 0.5))
    pen.ellipse(0, 0.08, 0.075, 0.5, Shade((lighter(INK, 0.35), INK)))
    pen.ellipse(0, -0.45, 0.085, 0.1, INK)
    for side_sign in (-1, 1):
        pen.line([(0, -0.5), (side_sign * 0.12, -0.75), (side_sign * 0.26, -0.9)], 0.025, INK)
        pen.ellipse(side_sign * 0.26, -0.9, 0.03, 0.03, INK)


def bird(pen: Pen, rng: Random, main: Colour, second: Colour) -> None:
    """A small bird on a twig, looking left."""
    belly = lighter(second, 0.4)
    lift = rng.uniform(-0.25, 0.3)
    pen.blob(
        [(0.35, 0.2), (0.62, 0.1 - lift * 0.4), (1.02, -0.05 - lift), (0.98, 0.2 - lift), (0.5, 0.45)],
        darker(main, 0.4),
    )
    pen.line([(-1.3, 0.9 + lift / 4), (0, 0.84), (1.3, 0.9 - lift / 3)], 0.11, darker(WOOD, 0.25))
    for x in (-0.12, 0.12):
        pen.line([(x, 0.55), (x - 0.03, 0.84)], 0.05, darker(COLOURS["orange"], 0.3))
    fat = rng.uniform(0.42, 0.56)
    pen.blob(
        [
            (-0.5, -0.25),
            (-0.2, -0.35),
            (0.3, -0.18),
            (0.62, 0.2),
            (0.3, 0.2 + fat * 0.85),
            (-0.25, 0.2 + fat),
            (-0.62, 0.25),
        ],
        Shade((main, main, belly)),
    )
    head = rng.uniform(0.36, 0.42)
    pen.polygon([(-0.72, -0.5), (-1.02, -0.36), (-0.72, -0.3)], Shade((COLOURS["yellow"], COLOURS["orange"])))
    if rng.random() < 0.3:
        pen.blob([(-0.5, -0.7), (-0.3, -1.02), (0.02, -0.98), (-0.2, -0.6)], darker(second, 0.1))
    pen.ellipse(-0.42, -0.42, head, head * 0.95, Shade((lighter(main, 0.3), main, darker(main, 0.1)), ball=True))
    if rng.random() < 0.6:
        pen.ellipse(-0.5, -0.3, head * 0.6, head * 0.5, clear(belly, 0.9))
    pen.ellipse(-0.52, -0.48, 0.085, 0.085, WHITE)
    pen.ellipse(-0.54, -0.48, 0.06, 0.06, INK)
    wing = pen.placed(0.08, 0.05, 1.0, turn=rng.uniform(-14, 14))
    wing.blob([(-0.3, -0.1), (0.1, -0.18), (0.45, 0.08), (0.78, 0.34), (0.2, 0.36), (-0.22, 0.2)], darker(main, 0.3))
    wing.blob([(-0.26, -0.07), (0.1, -0.13), (0.36, 0.08), (0.46, 0.2), (0.1, 0.22), (-0.18, 0.12)], second)


def cat(pen: Pen, rng: Random, main: Colour, second: Colour) -> None:
    """A cat with a collar: sitting and facing the viewer, or its head alone."""
    fur = rng.choice((WOOD, (96, 92, 98), (214, 150, 92), (236, 226, 210), (60, 56, 66)))
    coat = jittered(rng, mix(fur, second, 0.28))
    if rng.random() < 0.3:
        _cat_head(pen.placed(0, 0.12, 0.98), rng, coat)
        pen.box(-0.5, 0.8, 0.5, 0.94, main, 0.06)
        return
    lean = rng.choice((-1, 1))
    tail = [(lean * x, y) for x, y in ((0.3, 0.85), (0.75, 0.9), (0.9, 0.5), (0.72, 0.2))]
    pen.line(tail, 0.17, darker(coat, 0.12))
    pen.ellipse(*tail[-1], 0.085, 0.085, darker(coat, 0.12))
    pen.blob(
        [(-0.3, -0.2), (0.3, -0.2), (0.52, 0.4), (0.56, 0.9), (0.2, 1.0), (-0.2, 1.0), (-0.56, 0.9), (-0.52, 0.4)],
        Shade((coat, darker(coat, 0.22))),
    )
    pen.ellipse(0, 0.25, 0.26, 0.4, lighter(coat, 0.35))
    for x in (-0.2, 0.2):
        pen.box(x - 0.12, 0.4, x + 0.12, 0.98, lighter(coat, 0.1), 0.1)
        pen.ellipse(x, 0.94, 0.15, 0.08, lighter(coat, 0.4))
    pen.ellipse(0, -0.02, 0.36, 0.11, main)
    pen.ellipse(0, 0.07, 0.07, 0.07, COLOURS["yellow"])
    _cat_head(pen.placed(0, -0.42, 0.6, turn=rng.uniform(-14, 14)), rng, coat)


def _cat_head(pen: Pen, rng: Random, coat: Colour) -> None:
    dark = darker(coat, 0.35)
    for side in (-1, 1):
        ear = [(side * x, y) for x, y in ((0.2, -0.55), (0.72, -1.0), (0.84, -0.2))]
        pen.polygon(ear, coat)
        pen.polygon([(x * 0.95 + side * 0.02, y * 0.82 - 0.05) for x, y in ear], mix(coat, COLOURS["pink"], 0.5))
    pen.ellipse(0, 0, 0.92, 0.74, Shade((lighter(coat, 0.2), coat, darker(coat, 0.15)), ball=True))
    if rng.random() < 0.6:
        for x in (-0.24, 0.0, 0.24):
            pen.polygon([(x - 0.07, -0.7), (x + 0.07, -0.7), (x * 0.8, -0.34)], dark)
        for side in (-1, 1):
            pen.polygon([(side * 0.92, 0.0), (side * 0.55, 0.1), (side * 0.9, 0.16)], dark)
    pen.ellipse(0, 0.32, 0.4, 0.3, lighter(coat, 0.6))
    iris = rng.choice((COLOURS["green"], COLOURS["yellow"], (120, 190, 210)))
    for side in (-1, 1):
        pen.ellipse(side * 0.38, -0.06, 0.19, 0.2, lighter(iris, 0.25))
        pen.ellipse(side * 0.38, -0.06, rng.choice((0.06, 0.12)), 0.18, INK)
        pen.ellipse(side * 0.38 - 0.05, -0.13, 0.045, 0.045, WHITE)
        for y in (0.24, 0.34):
            pen.line([(side * 0.3, y), (side * 1.05, y + 0.12 * (y - 0.26) * 10 - 0.1)], 0.025, clear(WHITE, 0.8))
    pen.polygon([(-0.1, 0.18), (0.1, 0.18), (0, 0.3)], (214, 120, 124))
    pen.line([(-0.18, 0.42), (0, 0.34), (0, 0.3), (0, 0.34), (0.18, 0.42)], 0.035, dark)


def face(pen: Pen, rng: Random, main: Colour, second: Colour) -> None:
    """A person from the chest up: head, hair, clothes in the main colour."""
    skin = jittered(
        rng, rng.choice(((250, 216, 188), (236, 188, 150), (206, 150, 108), (160, 106, 74), (112, 74, 54))), 0.5
    )
    hair = jittered(
        rng, rng.choice(((44, 36, 40), (92, 60, 42), (150, 92, 48), (224, 186, 112), (170, 168, 172), second))
    )
    style = rng.choice(("short", "short", "long", "long", "bun", "curls", "cap", "bald"))
    if style == "long":
        pen.blob(
            [(-0.5, -0.75), (0.5, -0.75), (0.72, 0.0), (0.66, 0.75), (-0.66, 0.75), (-0.72, 0.0)], darker(hair, 0.15)
        )
    if style == "bun":
        pen.ellipse(rng.uniform(-0.15, 0.15), -0.95, 0.26, 0.24, hair)
    if style == "curls":
        for k in range(13):
            angle = math.radians(150 + 240 * k / 12)
            pen.ellipse(0.6 * math.cos(angle), -0.25 + 0.62 * math.sin(angle), 0.24, 0.24, jittered(rng, hair, 0.4))
    pen.blob(
        [(-0.5, 0.68), (0.5, 0.68), (0.98, 0.95), (1.1, 1.8), (-1.1, 1.8), (-0.98, 0.95)],
        Shade((main, darker(main, 0.3))),
    )
    pen.box(-0.2, 0.35, 0.2, 0.78, darker(skin, 0.16), 0.08)
    pen.ellipse(0, 0.74, 0.28, 0.13, darker(skin, 0.1))
    for side in (-1, 1):
        pen.ellipse(side * 0.54, -0.1, 0.1, 0.15, darker(skin, 0.08))
    jaw = rng.uniform(0.3, 0.42)
    outline = [
        (0, -0.82),
        (0.42, -0.65),
        (0.55, -0.15),
        (jaw + 0.06, 0.32),
        (0, 0.56),
        (-jaw - 0.06, 0.32),
        (-0.55, -0.15),
    ]
    pen.blob([*outline, (-0.42, -0.65)], Shade((lighter(skin, 0.16), skin, darker(skin, 0.14)), ball=True))
    _features(pen, rng, skin, hair)
    part = rng.uniform(-0.35, 0.35)
    if style in ("short", "long", "bun"):
        fringe = [(-0.6, -0.1), (-0.6, -0.6), (-0.2, -0.95), (0.3, -0.95), (0.62, -0.6), (0.6, -0.1), (0.46, -0.38)]
        pen.blob([*fringe, (part, -0.58), (-0.46, -0.38)], Shade((lighter(hair, 0.18), hair)))
    elif style == "cap":
        pen.blob(
            [(-0.6, -0.4), (-0.45, -0.85), (0, -1.0), (0.45, -0.85), (0.6, -0.4), (0, -0.5)],
            Shade((second, darker(second))),
        )
        pen.blob([(-0.6, -0.42), (0, -0.55), (0.6, -0.42), (0.75, -0.3), (0, -0.4), (-0.75, -0.3)], darker(second, 0.4))
    elif style == "curls":
        for k in range(6):
            pen.ellipse(-0.42 + 0.17 * k, -0.66 - 0.1 * (k % 2), 0.19, 0.19, jittered(rng, hair, 0.4))


def _features(pen: Pen, rng: Random, skin: Colour, hair: Colour) -> None:
    """Eyes, brows, nose, mouth; sometimes glasses or a beard."""
    shade, gaze, tilt = darker(skin, 0.35), rng.uniform(-0.03, 0.03), rng.uniform(-0.05, 0.03)
    iris = rng.choice(((70, 50, 40), (70, 50, 40), (60, 96, 130), (74, 110, 70)))
    if rng.random() < 0.22:
        beard = [(-0.52, -0.05), (-0.3, 0.2), (0.3, 0.2), (0.52, -0.05), (0.42, 0.42), (0, 0.68), (-0.42, 0.42)]
        pen.blob(beard, clear(hair, 0.95))
    for side in (-1, 1):
        x = side * 0.24
        pen.ellipse(x, -0.12, 0.12, 0.085, WHITE)
        pen.ellipse(x + gaze, -0.12, 0.065, 0.075, iris)
        pen.ellipse(x + gaze, -0.12, 0.035, 0.04, INK)
        pen.line([(x - 0.14 * side, -0.28 - tilt), (x + 0.12 * side, -0.27)], 0.05, darker(hair, 0.3))
        pen.glow(side * 0.33, 0.12, 0.16, 0.12, (226, 110, 100), 0.45)
    pen.line([(0.0, -0.06), (0.07, 0.1), (-0.02, 0.12)], 0.035, clear(shade, 0.8))
    smile = rng.uniform(0.01, 0.12)
    lip = mix(shade, (196, 60, 70), 0.6)
    if rng.random() < 0.4:
        pen.blob([(-0.18, 0.24), (0, 0.26), (0.18, 0.24), (0.09, 0.36), (-0.09, 0.36)], lip)
        pen.blob([(-0.13, 0.255), (0, 0.265), (0.13, 0.255), (0, 0.3)], WHITE)
    else:
        pen.line(
            [(-0.18, 0.29 - smile / 2), (-0.07, 0.29 + smile / 2), (0.07, 0.29 + smile / 2), (0.18, 0.29 - smile / 2)],
            0.05,
            lip,
        )
    if rng.random() < 0.25:
        for side in (-1, 1):
            ring = [(side * 0.25 + 0.19 * math.cos(a), -0.12 + 0.16 * math.sin(a)) for a in np.linspace(0, 6.4, 20)]
            pen.line(ring, 0.035, INK)
        pen.line([(-0.06, -0.13), (0.06, -0.13)], 0.035, INK)
