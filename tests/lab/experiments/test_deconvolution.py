"""Deconvolution is convolution, tested against torch's transposed convolution."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from imgsearch.device import pick_device
from imgsearch.lab.experiments.deconvolution import convolution, deconvolve, spread_out, transposed_convolution
from imgsearch.lab.finding import Lab
from imgsearch.lab.registry import run_experiment
from imgsearch.paths import IndexPaths
from imgsearch.progress import silent


@pytest.mark.parametrize(("side", "kernel_side", "stride"), [(4, 3, 1), (4, 3, 2), (3, 2, 2), (2, 4, 2), (3, 3, 3)])
def test_a_transposed_convolution_is_a_convolution_of_the_spread_input(
    side: int, kernel_side: int, stride: int
) -> None:
    rng = np.random.default_rng(0)
    values, kernel = rng.standard_normal((side, side)), rng.standard_normal((kernel_side, kernel_side))
    expected = functional.conv_transpose2d(
        torch.from_numpy(values)[None, None], torch.from_numpy(kernel)[None, None], stride=stride
    )[0, 0].numpy()
    spread = spread_out(values, stride, kernel_side - 1)
    assert np.allclose(convolution(spread, kernel[::-1, ::-1]), expected, atol=1e-5)
    assert np.allclose(transposed_convolution(values, kernel, stride), expected, atol=1e-5)
    steps = deconvolve(values, kernel, stride)
    assert steps.difference < 1e-5
    assert np.array_equal(steps.by_torch, expected)


def test_without_rotation_or_zeros_the_outputs_differ() -> None:
    values, kernel = np.random.default_rng(1).standard_normal((2, 4, 4))
    expected = transposed_convolution(values, kernel, 2)
    assert not np.allclose(convolution(spread_out(values, 2, 3), kernel), expected)
    assert convolution(spread_out(values, 1, 3), kernel[::-1, ::-1]).shape != expected.shape


def test_convolution_equals_that_of_torch() -> None:
    rng = np.random.default_rng(2)
    values, kernel = rng.standard_normal((7, 7)), rng.standard_normal((3, 3))
    expected = functional.conv2d(torch.from_numpy(values)[None, None], torch.from_numpy(kernel)[None, None], stride=2)
    assert np.allclose(convolution(values, kernel, 2), expected[0, 0].numpy())


def test_the_experiment_shows_one_example_of_each_stride(tmp_path: Path) -> None:
    lab = Lab(IndexPaths(tmp_path), "small", pick_device("cpu"), None, 0, silent, lambda: False)
    finding = run_experiment("deconv", lab)
    assert [line[0] for line in finding.lines] == ["1", "2"]
    assert [line[3] for line in finding.lines] == ["6×6", "9×9"]
    for stride in (1, 2):
        shown = finding.figures[f"stride-{stride}"]
        assert np.abs(np.array(shown["transposed"])).max() > 0
        assert np.abs(np.array(shown["transposed"]) - shown["convolved"]).max() < 1e-5
    assert finding.picture.startswith(b"\x89PNG")
