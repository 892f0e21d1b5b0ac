"""Colours of the gallery: named colours, variations of them, and skies."""

import colorsys
from random import Random

Colour = tuple[int, int, int]

COLOURS: dict[str, Colour] = {
    "red": (212, 62, 56),
    "orange": (236, 134, 52),
    "yellow": (243, 196, 70),
    "green": (98, 158, 84),
    "teal": (54, 152, 148),
    "blue": (64, 118, 194),
    "violet": (130, 92, 172),
    "pink": (232, 128, 158),
    "white": (240, 236, 226),
    "brown": (148, 100, 68),
    "grey": (132, 140, 152),
}

WHITE: Colour = (252, 250, 244)
INK: Colour = (40, 38, 52)
WOOD: Colour = (150, 104, 70)

SKIES: dict[str, tuple[Colour, ...]] = {  # from the zenith to the horizon
    "day": ((86, 156, 216), (150, 202, 236), (222, 238, 244)),
    "summer": ((48, 126, 206), (120, 188, 236), (200, 232, 240)),
    "haze": ((168, 188, 204), (206, 216, 220), (240, 234, 220)),
    "morning": ((140, 176, 214), (238, 206, 196), (252, 230, 190)),
    "golden": ((238, 164, 84), (250, 198, 112), (254, 230, 170)),
    "rose": ((120, 96, 160), (226, 132, 150), (252, 196, 160)),
    "fire": ((74, 44, 96), (206, 74, 78), (250, 166, 84)),
    "violet": ((46, 38, 92), (116, 78, 146), (222, 140, 168)),
    "green": ((30, 84, 110), (94, 160, 156), (236, 220, 160)),
    "storm": ((72, 84, 102), (112, 124, 138), (172, 178, 180)),
    "night": ((12, 18, 48), (26, 40, 84), (62, 84, 128)),
    "deep night": ((8, 12, 30), (22, 24, 58), (70, 54, 100)),
}
EVENINGS = ("golden", "rose", "fire", "violet", "green", "morning")
NIGHTS = ("night", "deep night", "violet")
DAYS = ("day", "summer", "haze", "morning", "day")


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Mix `first` with a `share` (0..1) of `second`."""
    r, g, b = (round(one + (other - one) * share) for one, other in zip(first, second, strict=True))
    return (r, g, b)


def lighter(colour: Colour, share: float = 0.3) -> Colour:
    return mix(colour, WHITE, share)


def darker(colour: Colour, share: float = 0.3) -> Colour:
    return mix(colour, (24, 20, 44), share)


def jittered(rng: Random, colour: Colour, amount: float = 1.0) -> Colour:
    """Return a variation of `colour`, slightly different in hue, saturation and brightness."""
    hue, saturation, value = colorsys.rgb_to_hsv(*(channel / 255 for channel in colour))
    hue += rng.uniform(-0.025, 0.025) * amount
    saturation = min(1.0, max(0.0, saturation * (1 + rng.uniform(-0.2, 0.2) * amount)))
    value = min(1.0, max(0.0, value * (1 + rng.uniform(-0.16, 0.12) * amount)))
    r, g, b = (round(255 * channel) for channel in colorsys.hsv_to_rgb(hue % 1.0, saturation, value))
    return (r, g, b)


def clear(colour: Colour, opacity: float) -> tuple[int, int, int, int]:
    """Return `colour` with an opacity of 0..1."""
    return (*colour, round(255 * opacity))
