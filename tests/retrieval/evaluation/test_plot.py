"""The curve as a picture: it shows the measured shares. (Its looks were checked by eye.)"""

import io

import numpy as np
from PIL import Image

from imgsearch.retrieval.evaluation.evaluate import Curve, Evaluation
from imgsearch.retrieval.evaluation.methods import EVALUATED
from imgsearch.retrieval.evaluation.plot import DOTS_PER_INCH, HEIGHT_INCHES, WIDTH_INCHES, draw_curve

SIZES = (1, 10, 100, 1000)


def evaluation(*names: str, sizes: tuple[int, ...] = SIZES, height: float = 0.5) -> Evaluation:
    shares = {name: tuple(height / (2 + place) for place in range(len(sizes))) for name in names}
    titles = {name: f"{name}, in words" for name in names}
    return Evaluation(1000, 1000, 50, 50, 0, 0, "formula", titles, {}, None, Curve(sizes, 50, shares))


def pixels(picture: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))


def test_it_is_a_png_of_the_same_size_with_any_methods() -> None:
    size = (round(HEIGHT_INCHES * DOTS_PER_INCH), round(WIDTH_INCHES * DOTS_PER_INCH), 3)
    assert pixels(draw_curve(evaluation(*EVALUATED))).shape == size
    assert pixels(draw_curve(evaluation("something new"))).shape == size


def test_each_method_adds_a_line_and_each_figure_moves_it() -> None:
    one, two = pixels(draw_curve(evaluation("code"))), pixels(draw_curve(evaluation("code", "pixel")))
    assert (one != two).any()
    red = (one[..., 0] > 180) & (one[..., 2] < 60)  # the colour of "code"
    assert red.sum() > 500
    assert (pixels(draw_curve(evaluation("code"))) == one).all()
    assert (pixels(draw_curve(evaluation("code", height=0.9))) != one).any()


def test_a_database_of_two_can_be_drawn() -> None:
    assert pixels(draw_curve(evaluation("code", sizes=(1,)))).any()
