"""A gallery of drawn images: kinds of scene that a person recognises at sight.

`draw` composes one image: a background, one or several objects of the kind at any size and angle, something in front of
them, and the light of a time of day. The kinds share backgrounds and colours, so that raw pixels reveal little about
the kind. The same kind, number and seed always give the same image.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from random import Random

from PIL import Image

from imgsearch.demo import landscapes, living, things
from imgsearch.demo.backdrops import BACKDROPS
from imgsearch.demo.canvas import Canvas, Pen, Shade
from imgsearch.demo.palette import COLOURS, DAYS, EVENINGS, NIGHTS, SKIES, Colour, darker, jittered, lighter, mix

IMAGES_PER_KIND = 200

_LONG_SIDES = (96, 96, 112, 112, 128, 128, 144, 144, 160, 160, 176, 192, 208, 224, 256, 320)  # pixels
_ASPECTS = (1.0, 1.0, 1.15, 1.25, 1.33)
_MIME = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_SUFFIX = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp"}

Thing = Callable[[Pen, Random, Colour, Colour], None]
Landscape = Callable[[Canvas, Random, landscapes.Sky], None]


@dataclass(frozen=True)
class _Landscape:
    paint: Landscape
    words: str
    skies: tuple[str, ...]


@dataclass(frozen=True)
class _Thing:
    paint: Thing
    words: str  # with a placeholder for the colour
    places: tuple[str, ...]
    stands: bool = False  # on the ground of the background, else anywhere
    turn: float = 10.0  # degrees to either side
    others: int = 0  # smaller objects around it, at most


_AIRY = ("sky", "sky", "hills", "sea", "meadow", "lights", "studio", "pattern", "street")
_FIRM = ("meadow", "hills", "street", "studio", "pattern", "sea", "lights")
_ANYWHERE = ("leaves", "meadow", "lights", "studio", "pattern", "sky", "room", "water", "hills")
_INDOORS = ("room", "room", "studio", "pattern", "lights", "leaves", "meadow", "sea")

_KINDS: dict[str, _Landscape | _Thing] = {
    "sunset": _Landscape(landscapes.sunset, "Sunset over the sea", (*EVENINGS, "day", "haze")),
    "forest": _Landscape(landscapes.forest, "A forest", (*DAYS, *EVENINGS, "night", "storm")),
    "city": _Landscape(landscapes.city, "A city with lit windows", (*NIGHTS, *NIGHTS, *EVENINGS, "storm")),
    "mountain": _Landscape(landscapes.mountain, "Mountains with snow", (*DAYS, *EVENINGS, *NIGHTS, "storm")),
    "flower": _Thing(living.flower, "a {} flower", _ANYWHERE, turn=25, others=2),
    "fish": _Thing(
        living.fish, "a {} fish", (*("water",) * 5, "studio", "pattern", "lights", "leaves", "sky"), turn=28, others=2
    ),
    "butterfly": _Thing(living.butterfly, "a {} butterfly", _ANYWHERE, turn=60, others=1),
    "bird": _Thing(living.bird, "a {} bird on a twig", ("sky", *_ANYWHERE), turn=10),
    "cat": _Thing(living.cat, "a cat with a {} collar", _INDOORS, stands=True, turn=5),
    "face": _Thing(living.face, "a person in {} clothes", (*_INDOORS, "street", "hills", "sky"), stands=True, turn=9),
    "car": _Thing(things.car, "a {} car", _FIRM, stands=True, turn=5),
    "house": _Thing(things.house, "a {} house", _FIRM, stands=True, turn=2),
    "balloon": _Thing(things.balloon, "a {} balloon", _AIRY, turn=12, others=3),
    "sailboat": _Thing(things.sailboat, "a sailing boat with a {} sail", ("open sea",), stands=True, turn=9, others=1),
    "fruit": _Thing(things.fruit, "fruit on a {} plate", _INDOORS, stands=True, turn=3, others=2),
    "mushroom": _Thing(things.mushroom, "a {} mushroom", ("leaves", "leaves", *_FIRM), stands=True, turn=9, others=2),
    "umbrella": _Thing(things.umbrella, "a {} umbrella", (*_AIRY, "street", "street", "room"), turn=24),
}
KINDS: tuple[str, ...] = tuple(_KINDS)

_HOURS = {
    "day": "on a clear day",
    "summer": "on a summer day",
    "haze": "in the haze",
    "morning": "early in the morning",
    "golden": "in golden light",
    "rose": "under a rose sky",
    "fire": "under a burning sky",
    "violet": "in the violet dusk",
    "green": "in a green evening light",
    "storm": "under storm clouds",
    "night": "at night",
    "deep night": "late at night",
}


@dataclass(frozen=True)
class _Plan:
    """The plan of an image before it is drawn: enough for its name, alt text and size."""

    rng: Random
    width: int
    height: int
    format: str
    place: str  # a backdrop, or the hour of a landscape
    colour: str
    others: int


def _plan(kind: str, number: int, seed: int) -> _Plan:
    scene = _KINDS[kind]
    rng = Random(f"{seed}/{kind}/{number}")
    long = rng.choice(_LONG_SIDES)
    short = round(long / rng.choice(_ASPECTS))
    upright = rng.random() < 0.45
    places = scene.skies if isinstance(scene, _Landscape) else scene.places
    most = scene.others if isinstance(scene, _Thing) else 0
    return _Plan(
        rng=rng,
        width=short if upright else long,
        height=long if upright else short,
        format=rng.choices(("JPEG", "PNG", "WEBP"), (70, 18, 12))[0],
        place=rng.choice(places),
        colour=rng.choice(list(COLOURS)),
        others=rng.randint(1, most) if most and rng.random() < 0.45 else 0,
    )


def draw(kind: str, number: int, *, seed: int = 0) -> Image.Image:
    """Draw one image, RGB, 96..320 pixels on its longer side.

    Raises:
        KeyError: `kind` is none of `KINDS`.
    """
    plan, scene = _plan(kind, number, seed), _KINDS[kind]
    rng = plan.rng
    canvas = Canvas(plan.width, plan.height, light=rng.choice((-1, 1)))
    if isinstance(scene, _Landscape):
        scene.paint(canvas, rng, tuple(jittered(rng, stop) for stop in SKIES[plan.place]))
    else:
        _compose(canvas, scene, plan)
    bright = rng.uniform(0.82, 1.12)
    warm = rng.uniform(-0.1, 0.1)
    return canvas.finish(
        gains=(bright * (1 + warm), bright * (1 + rng.uniform(-0.04, 0.04)), bright * (1 - warm)),
        lift=rng.choice((0, 0, 0, 10, 24)),
        grain=rng.choice((0, 1, 1, 2)),
        corner=(rng.randrange(320), rng.randrange(320)),
    )


def _compose(canvas: Canvas, scene: _Thing, plan: _Plan) -> None:
    """Draw a background, smaller objects, the main object, and sometimes something in front of it."""
    rng = plan.rng
    ground = BACKDROPS[plan.place][0](canvas, rng)
    size = rng.uniform(0.6, 0.82) if plan.others else rng.uniform(0.66, 1.0)
    x = 0.5 + rng.uniform(-0.2, 0.2) * (1.35 - size)
    for k in range(plan.others):
        side = 1 if k % 2 else -1
        _put(
            canvas,
            scene,
            rng,
            rng.choice(list(COLOURS)),
            x + side * rng.uniform(0.3, 0.42),
            ground - 0.08,
            size * rng.uniform(0.4, 0.6),
        )
    _put(canvas, scene, rng, plan.colour, x, ground, size)
    if rng.random() < 0.15:
        _overgrow(canvas, rng)


def _put(canvas: Canvas, scene: _Thing, rng: Random, name: str, x: float, ground: float, size: float) -> None:
    high = size * canvas.short / canvas.height
    if scene.stands:
        y = max(ground - high / 2, high / 2 - 0.02)
    else:
        room = max(0.0, 1.0 - high)
        y = 0.5 + rng.uniform(-0.5, 0.5) * room
    pen = canvas.spot(x, y, size, turn=rng.uniform(-scene.turn, scene.turn), mirrored=rng.random() < 0.5)
    main = jittered(rng, COLOURS[name])
    second = jittered(rng, rng.choice([colour for other, colour in COLOURS.items() if other != name]))
    scene.paint(pen, rng, main, second)


def _overgrow(canvas: Canvas, rng: Random) -> None:
    """Draw blades or leaves in the foreground, at the lower edge or in a corner."""
    colour = jittered(
        rng, mix(rng.choice((COLOURS["green"], (90, 120, 70), (180, 140, 70))), darker(COLOURS["green"]), 0.4)
    )
    for _ in range(rng.randint(5, 12)):
        tone = jittered(rng, colour, 0.6)
        pen = canvas.spot(rng.random(), 1.02, rng.uniform(0.25, 0.5), turn=rng.uniform(-35, 35))
        pen.blob(
            [(-0.1, 0.2), (-0.06, -0.5), (0.02, -1.0), (0.1, -0.5), (0.12, 0.2)], Shade((lighter(tone, 0.2), tone))
        )


def picture_bytes(kind: str, number: int, *, seed: int = 0, reduced: int = 1) -> tuple[bytes, str]:
    """Return an encoded image, `reduced` times smaller, and its MIME type."""
    image, format = draw(kind, number, seed=seed), _plan(kind, number, seed).format
    encoded = io.BytesIO()
    options = {"JPEG": {"quality": 88}, "PNG": {"compress_level": 1}, "WEBP": {"quality": 84, "method": 0}}[format]
    image.reduce(reduced).save(encoded, format, **options)
    return encoded.getvalue(), _MIME[format]


@cache
def file_name(kind: str, number: int, *, seed: int = 0) -> str:
    """Return the file name, such as `0012.jpg`; its suffix is the format."""
    return f"{number:04d}.{_SUFFIX[_plan(kind, number, seed).format]}"


def image_size(kind: str, number: int, *, seed: int = 0) -> tuple[int, int]:
    """Return width and height in pixels."""
    plan = _plan(kind, number, seed)
    return plan.width, plan.height


def alt_text(kind: str, number: int, *, seed: int = 0) -> str:
    """Describe the image in one phrase, without drawing it."""
    plan, scene = _plan(kind, number, seed), _KINDS[kind]
    if isinstance(scene, _Landscape):
        return f"{scene.words} {_HOURS[plan.place]}"
    words = scene.words.replace("a {}", "an {}" if plan.colour[0] in "aeiou" else "a {}").format(plan.colour)
    return f"{words[0].upper()}{words[1:]} {BACKDROPS[plan.place][1]}"
