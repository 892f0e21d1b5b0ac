"""The drawn gallery: varied, repeatable, well described, and hard for raw pixels."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgsearch.corpus.decoding.images import decode_image
from imgsearch.demo.canvas import Canvas, Shade, smooth
from imgsearch.demo.gallery import IMAGES_PER_KIND, KINDS, alt_text, draw, file_name, image_size, picture_bytes

MIME = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}


def test_the_gallery_is_large_enough() -> None:
    assert len(KINDS) == len(set(KINDS)) >= 12
    assert len(KINDS) * IMAGES_PER_KIND >= 3000


@pytest.mark.parametrize("kind", KINDS)
def test_images_of_a_kind_differ_and_fill_the_thumbnail(kind: str) -> None:
    thumbnails = [decode_image(picture_bytes(kind, number)[0]).thumbnail for number in range(6)]
    for number, thumbnail in enumerate(thumbnails):
        assert thumbnail.std() > 8, f"{kind} {number} is nearly one colour"
        for other in thumbnails[:number]:
            assert np.abs(thumbnail.astype(int) - other).mean() > 8, f"{kind} {number} looks like an earlier one"


@pytest.mark.parametrize("kind", KINDS)
def test_an_image_has_the_size_and_format_of_its_name(kind: str) -> None:
    for number in range(3):
        data, mime = picture_bytes(kind, number)
        image = decode_image(data, with_preview=False)
        assert (image.width, image.height) == image_size(kind, number)
        assert MIME[file_name(kind, number).rpartition(".")[2]] == mime == f"image/{image.format.lower()}"


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_number_and_seed_give_the_same_image(kind: str) -> None:
    assert draw(kind, 7).tobytes() == draw(kind, 7).tobytes()
    assert picture_bytes(kind, 7) == picture_bytes(kind, 7)
    assert draw(kind, 7, seed=1).tobytes() != draw(kind, 7).tobytes()


def test_all_sizes_are_in_bounds_and_all_formats_occur() -> None:
    everything = [(kind, number) for kind in KINDS for number in range(IMAGES_PER_KIND)]
    sizes = np.array([image_size(kind, number) for kind, number in everything])  # (n, 2)
    assert sizes.max(axis=1).min() == 96
    assert sizes.max() == 320
    assert (sizes.max(axis=1) / sizes.min(axis=1)).max() < 1.36
    assert (sizes[:, 0] > sizes[:, 1]).any()
    assert (sizes[:, 0] < sizes[:, 1]).any()
    formats = [file_name(kind, number).rpartition(".")[2] for kind, number in everything]
    assert min(formats.count(ending) for ending in MIME) > 200


def test_a_reduced_image_is_a_smaller_copy() -> None:
    whole, reduced = (decode_image(picture_bytes("car", 3, reduced=factor)[0]) for factor in (1, 2))
    assert abs(whole.width - 2 * reduced.width) <= 1
    assert np.abs(whole.thumbnail.astype(int) - reduced.thumbnail).mean() < 4


def test_alt_texts_describe_the_image() -> None:
    nouns = {
        "sunset": "Sunset",
        "mountain": "Mountains",
        "sailboat": "sailing boat",
        "face": "person",
        "fruit": "Fruit",
    }
    for kind in KINDS:
        texts = {alt_text(kind, number) for number in range(40)}
        assert len(texts) > 6, f"{kind}: {texts}"
        for text in texts:
            assert nouns.get(kind, kind) in text
            assert text[0].isupper()
            assert "{" not in text
            assert not re.search(r"\ba [aeiou]", text, re.IGNORECASE)


def test_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(KeyError):
        draw("unicorn", 0)


def test_raw_pixels_seldom_find_the_same_kind() -> None:
    """Backgrounds and colours are shared: the nearest image by pixels is usually of another kind."""
    per_kind = 8
    images = [draw(kind, number) for kind in KINDS for number in range(per_kind)]
    thumbnails = np.stack([np.asarray(image.resize((32, 32), Image.Resampling.BOX)) for image in images])
    pixels = thumbnails.reshape(len(images), -1).astype(np.float32)
    distances = ((pixels[:, None] - pixels[None]) ** 2).sum(axis=2)
    np.fill_diagonal(distances, np.inf)
    labels = np.repeat(np.arange(len(KINDS)), per_kind)
    assert (labels[distances.argmin(axis=1)] == labels).mean() < 0.5


# ----------------------------------------------------------------------------
# the canvas


def _finished(canvas: Canvas) -> Image.Image:
    return canvas.finish(gains=(1.0, 1.0, 1.0), lift=0, grain=0, corner=(0, 0))


def test_a_pen_draws_where_it_is_placed() -> None:
    canvas = Canvas(100, 50)
    canvas.spot(0.25, 0.5, 0.4).box(-1, -1, 1, 1, (255, 0, 0))  # 0.4 of the short side: 20 pixels
    left, top, right, bottom = _finished(canvas).getbbox() or (0, 0, 0, 0)
    assert np.abs(np.array((left, top, right, bottom)) - (15, 15, 35, 35)).max() <= 1


def test_a_rotated_and_mirrored_pen_rotates_and_mirrors() -> None:
    canvas = Canvas(100, 100)
    canvas.spot(0.5, 0.5, 1.0, mirrored=True).ellipse(0.6, 0, 0.2, 0.1, (255, 0, 0))
    canvas.spot(0.5, 0.5, 1.0, turn=90).ellipse(0.6, 0, 0.2, 0.1, (0, 255, 0))
    image = _finished(canvas)
    assert image.getpixel((20, 50)) == (255, 0, 0)
    assert image.getpixel((50, 80)) == (0, 255, 0)
    assert image.getpixel((80, 50)) == (0, 0, 0)


def test_a_smooth_curve_goes_through_its_points() -> None:
    corners = np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.2, 0.7)])
    curve = smooth(corners)
    assert curve.shape == (32, 2)
    assert np.allclose(curve[::8], corners)


def test_a_shade_runs_from_its_first_colour_to_its_last() -> None:
    canvas = Canvas(40, 40)
    canvas.whole.box(0, 0, 1, 1, Shade(((0, 0, 0), (200, 100, 50))))
    column = np.asarray(_finished(canvas))[:, 20].astype(int)
    assert (np.diff(column[:, 0]) >= 0).all()
    assert column[0].max() < 10
    assert np.abs(column[-1] - (200, 100, 50)).max() < 10


def test_encoded_images_open_in_full(tmp_path: Path) -> None:
    data, _ = picture_bytes("fish", 0)
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        assert image.mode == "RGB"
