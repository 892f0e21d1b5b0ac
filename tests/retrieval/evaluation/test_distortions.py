"""Distorted copies: each is another picture and yet near its original; the draw belongs to seed and row alone."""

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from imgsearch.retrieval.evaluation.distortions import (
    DEFAULT_STRENGTHS,
    DISTORTIONS,
    MILD_STRENGTHS,
    Strengths,
    distort,
)
from tests.support.index import smooth_thumbnails
from tests.support.toy_images import toy_thumbnails

N = 20
ROWS = np.arange(N)


def only(**ranges: tuple[float, float]) -> Strengths:
    return dataclasses.replace(DEFAULT_STRENGTHS, **ranges)


def off_by(copies: NDArray[np.uint8], originals: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(n,) mean difference of the values."""
    difference: NDArray[np.float64] = np.abs(copies.astype(float) - originals).mean(axis=(1, 2, 3))
    return difference


def within(values: NDArray[np.float64], limits: tuple[float, float]) -> bool:
    return limits[0] <= float(values.min()) and float(values.max()) <= limits[1]


@pytest.mark.parametrize("name", DISTORTIONS)
def test_every_copy_differs_and_none_changes_its_original(name: str) -> None:
    thumbnails = smooth_thumbnails(N)
    before = thumbnails.copy()
    copies = distort(thumbnails, name, ROWS)
    assert copies.shape == thumbnails.shape
    assert copies.dtype == np.uint8
    assert (off_by(copies, thumbnails) > 0.5).all()
    assert np.array_equal(thumbnails, before)


@pytest.mark.parametrize("name", DISTORTIONS)
def test_the_draw_belongs_to_seed_and_row(name: str) -> None:
    """Independent of the other rows and of their order."""
    thumbnails = smooth_thumbnails(N)
    copies = distort(thumbnails, name, ROWS)
    some = np.array([7, 3, 11])
    assert np.array_equal(distort(thumbnails[some], name, some), copies[some])
    if name != "mirror":
        assert not np.array_equal(distort(thumbnails, name, ROWS, seed=1), copies)
        assert not np.array_equal(distort(thumbnails, name, ROWS + 1), copies)


@pytest.mark.parametrize("name", [name for name in DISTORTIONS if name != "mirror"])
def test_mild_copies_are_nearer(name: str) -> None:
    thumbnails = toy_thumbnails(60)
    rows = np.arange(60)
    strong, mild = (distort(thumbnails, name, rows, strengths=each) for each in (DEFAULT_STRENGTHS, MILD_STRENGTHS))
    assert off_by(mild, thumbnails).mean() < 0.8 * off_by(strong, thumbnails).mean()


def test_a_mirrored_mirror_image_is_the_picture() -> None:
    thumbnails = smooth_thumbnails(N)
    assert np.array_equal(distort(distort(thumbnails, "mirror", ROWS), "mirror", ROWS), thumbnails)


def test_a_shift_moves_the_picture_and_repeats_its_edge() -> None:
    dot = np.zeros((N, 32, 32, 3), np.uint8)
    dot[:, 16, 16] = 255
    dot[:, 0] = 90  # an edge to be repeated
    moved = distort(dot, "shift", ROWS, strengths=only(shift_pixels=(4, 4)))
    lines, columns = np.array([np.argwhere(copy[..., 0] == 255)[0] for copy in moved]).T
    distances = np.hypot(lines - 16, columns - 16)
    assert (np.abs(distances - 4) < 0.8).all()
    assert len({*zip(lines.tolist(), columns.tolist(), strict=True)}) > 8  # in many directions
    for copy, line in zip(moved, lines, strict=True):
        assert (copy[: max(line - 16 + 1, 0)] == 90).all()


def test_a_crop_keeps_so_much_of_the_area() -> None:
    ramp = np.linspace(0, 255, 32)
    picture = np.stack([np.add.outer(0 * ramp, ramp), np.add.outer(ramp, 0 * ramp), np.full((32, 32), 7)], axis=2)
    copies = distort(
        picture.astype(np.uint8)[None].repeat(N, axis=0), "crop", ROWS, strengths=only(crop_area=(0.5, 0.5))
    )
    middle = copies[:, 4:28, 4:28].astype(float)  # without the edges, where there are no pixels beyond to be mixed in
    across, down = np.diff(middle[..., 0], axis=2).mean(axis=(1, 2)), np.diff(middle[..., 1], axis=1).mean(axis=(1, 2))
    assert across * down == pytest.approx(np.full(N, (255 / 31) ** 2 * 0.5), rel=0.05)  # scaled up: a flatter ramp
    assert np.ptp(middle[:, 12, 12, 0]) > 30  # somewhere else each time
    assert (copies[..., 2] == 7).all()


def test_a_rotation_goes_either_way_and_leaves_no_black_corner() -> None:
    half = np.full((N, 32, 32, 3), 60, np.uint8)
    half[:, :, 16:] = 200
    copies = distort(half, "rotate", ROWS, strengths=only(rotate_degrees=(10, 10)))
    assert copies.min() >= 60
    edges = (copies[..., 0] < 130).sum(axis=2)[:, 8:24]  # where dark becomes light, line by line
    slopes = (edges[:, -1] - edges[:, 0]) / 15
    assert np.abs(slopes) == pytest.approx(np.full(N, np.tan(np.radians(10))), abs=0.08)
    assert set(np.sign(slopes)) == {-1, 1}


def test_brightness_and_colour_are_gains() -> None:
    grey = np.full((60, 32, 32, 3), 100, np.uint8)
    rows = np.arange(60)
    brightness = distort(grey, "brightness", rows)[:, 0, 0] / 100  # (n, 3)
    assert (brightness == brightness[:, :1]).all()
    darker, brighter = brightness[brightness < 1], brightness[brightness > 1]
    assert within(darker, DEFAULT_STRENGTHS.darker)
    assert within(brighter, DEFAULT_STRENGTHS.brighter)
    assert 0.2 < len(darker) / brightness.size < 0.8
    colour = np.sort(distort(grey, "colour", rows)[:, 0, 0] / 100, axis=1)  # (n, 3)
    assert within(colour[:, 0], DEFAULT_STRENGTHS.weaker_channel)
    assert (colour[:, 1] == 1).all()
    assert within(colour[:, 2], DEFAULT_STRENGTHS.stronger_channel)


def test_text_covers_a_part_in_one_colour() -> None:
    thumbnails = np.full((60, 32, 32, 3), 128, np.uint8)
    copies = distort(thumbnails, "text", np.arange(60))
    covered = (copies != 128).any(axis=3).mean(axis=(1, 2))
    assert covered.min() > 0.03
    assert covered.max() < 0.6
    for copy in copies[:10]:  # between the picture's colour and that of the letters, and nowhere else
        away = copy.reshape(-1, 3).astype(float) - 128
        strongest = away[np.abs(away).sum(axis=1).argmax()]
        share = away @ strongest / (strongest @ strongest)
        assert np.abs(away - np.outer(share, strongest)).max() <= 1.5


def test_a_stronger_jpeg_is_further_off() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (N, 32, 32, 3), dtype=np.uint8)
    strong, weak = (
        off_by(distort(noise, "jpeg", ROWS, strengths=only(jpeg_quality=(quality, quality))), noise).mean()
        for quality in (15, 90)
    )
    assert strong > weak


def test_nothing_to_distort() -> None:
    for name in DISTORTIONS:
        assert distort(np.empty((0, 32, 32, 3), np.uint8), name, np.empty(0, np.int64)).shape == (0, 32, 32, 3)
