from dataclasses import replace

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from imgsearch.autoencoder.config import AugmentConfig
from imgsearch.autoencoder.data.augment import random_views

NOTHING = AugmentConfig(smallest_area=1, widest_aspect=1, overhang_share=0, colour_share=0, grey_share=0, cover_share=0)


def draw(images: torch.Tensor, config: AugmentConfig, seed: int = 0) -> torch.Tensor:
    return random_views(images, config, torch.Generator().manual_seed(seed))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), n=st.integers(1, 5))
def test_views_stay_images_and_follow_from_the_seed(seed: int, n: int) -> None:
    images = torch.rand(n, 3, 32, 32)
    views = draw(images, AugmentConfig(), seed)
    assert views.shape == images.shape
    assert views.min() >= 0
    assert views.max() <= 1
    assert torch.equal(views, draw(images, AugmentConfig(), seed))
    assert not torch.equal(views, draw(images, AugmentConfig(), seed + 1))


def test_with_everything_off_a_view_is_the_image_or_its_mirror() -> None:
    images = torch.rand(64, 3, 32, 32)
    views = draw(images, NOTHING)
    same = (views - images).abs().amax((1, 2, 3)) < 1e-5
    mirrored = (views - images.flip(3)).abs().amax((1, 2, 3)) < 1e-5
    assert torch.all(same ^ mirrored)
    assert 16 < same.sum() < 48


def test_a_grey_view_has_one_value_per_pixel_and_keeps_the_luminance() -> None:
    images = torch.rand(8, 3, 32, 32)
    views = draw(images, replace(NOTHING, grey_share=1))
    assert torch.allclose(views[:, 0], views[:, 1], atol=1e-5)
    assert torch.allclose(views[:, 0], views[:, 2], atol=1e-5)
    luminance = (images * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(1)
    assert torch.allclose(views[:, 0].mean((1, 2)), luminance.mean((1, 2)), atol=1e-4)


def test_hue_turns_colours_and_leaves_grey_alone() -> None:
    config = replace(NOTHING, colour_strength=0, colour_share=1)
    grey = torch.full((4, 3, 32, 32), 0.5)
    assert torch.allclose(draw(grey, config), grey, atol=1e-5)
    red = torch.tensor([0.6, 0.3, 0.3]).view(1, 3, 1, 1).expand(4, 3, 32, 32)
    assert (draw(red, config) - red).abs().amax((1, 2, 3)).min() > 0.001


def test_contrast_moves_pixels_about_their_mean() -> None:
    config = replace(NOTHING, hue_strength=0, colour_share=1)
    images = 0.4 + 0.2 * torch.rand(32, 3, 32, 32)  # far enough from 0 and 1 that nothing is cut off
    spread = draw(images, config).std((1, 2, 3)) / images.std((1, 2, 3))
    assert spread.min() < 0.8
    assert spread.max() > 1.1


def test_a_crop_shows_a_part_of_the_image() -> None:
    ramp = torch.linspace(0, 1, 32).view(1, 1, 1, 32).expand(32, 3, 32, 32)
    views = draw(ramp, replace(NOTHING, smallest_area=0.1))
    shown = views.amax((1, 2, 3)) - views.amin((1, 2, 3))  # about the crop's width as a share of the image's
    assert shown.min() < 0.6
    assert shown.max() > 0.8


def test_some_views_reach_beyond_the_image_whose_edge_is_repeated() -> None:
    ramp = torch.linspace(0, 1, 32).view(1, 1, 1, 32).expand(400, 3, 32, 32)
    views = draw(ramp, replace(NOTHING, overhang_share=0.5, overhang=0.25))
    line = views[:, 0, 0]  # (n, 32): all lines are the same
    repeated = ((line[:, 1:] - line[:, :-1]).abs() < 1e-6).sum(1)  # pixels beyond the edge
    assert repeated.max() in (7, 8)  # a quarter of 32, the outermost pixel being the edge itself
    assert 130 < (repeated > 0).sum() < 220  # half of them, less those that reach out by less than a pixel
    assert torch.equal(draw(ramp, NOTHING)[:, 0, 0].sort(1).values, ramp[:, 0, 0])


def test_a_cover_hides_one_rectangle_of_one_colour() -> None:
    images = torch.rand(200, 3, 32, 32)
    views = draw(images, replace(NOTHING, cover_share=0.5, cover_sides=(0.25, 0.5)))
    uncovered = draw(images, NOTHING)
    changed = ((views - uncovered).abs() > 1e-6).any(1)  # (n, 32, 32)
    n_covered = 0
    for view, hidden in zip(views, changed, strict=True):
        if not hidden.any():
            continue
        n_covered += 1
        rows, columns = hidden.any(1).nonzero(), hidden.any(0).nonzero()
        top, bottom, left, right = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
        assert 7 <= bottom - top <= 17
        assert 7 <= right - left <= 17
        inside = view[:, top:bottom, left:right]
        assert torch.equal(inside, inside[:, :1, :1].expand_as(inside))
    assert 70 < n_covered < 130
